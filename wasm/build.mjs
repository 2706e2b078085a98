/**
 * Builds the cores: `node wasm/build.mjs [--force]`.
 *
 * assembly/index.ts → asc → wasm-opt → build/core-baseline.wasm (SIMD) and build/core-relaxed.wasm (relaxed SIMD),
 * from one source; build/cores.js carries both as text, for the Worker's bundle.
 * assembly/bench.ts → build/bench.wasm; assembly/unpacking.ts → build/unpacking-baseline.wasm, -relaxed.wasm for tests.
 *
 * Nothing is done while the sources, this file and the compilers stay the same.
 */
import {execFile} from 'node:child_process';
import {createHash} from 'node:crypto';
import {mkdir, readFile, readdir, rm, writeFile} from 'node:fs/promises';
import {existsSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {promisify} from 'node:util';
import {deflateRawSync} from 'node:zlib';
import binaryen from 'binaryen';

const execute = promisify(execFile);

/** Runs a compiler; what it has to say is the error's message. */
async function run(script, args) {
  try {
    await execute(process.execPath, [script, ...args]);
  } catch (error) {
    throw new Error(error.stderr || error.message);
  }
}

const require = createRequire(import.meta.url);
const here = import.meta.dirname;
const build = join(here, 'build');

/** The arena of the Worker begins here; the core's static data must end below. */
const ARENA_START = 65536;

/**
 * Raw bytes a core may have: 28 stored types in 21 compute formats, three kinds of cache. The grids of IQ1 to IQ3 are
 * 10 kB of it; the relaxed core has two or three kinds of sums for most formats. Recurrent mixers need some more. Raise
 * it with a reason.
 */
const SIZE_BUDGET = 160 * 1024;

const simd = {asc: ['simd'], wasmOpt: ['simd']};
const relaxed = {asc: ['simd', 'relaxed-simd'], wasmOpt: ['simd', 'relaxed-simd']};

const artifacts = [
  {name: 'core-baseline', entry: 'index.ts', features: simd, budget: SIZE_BUDGET},
  {name: 'core-relaxed', entry: 'index.ts', features: relaxed, budget: SIZE_BUDGET},
  {name: 'bench', entry: 'bench.ts', features: relaxed, budget: SIZE_BUDGET},
  {name: 'unpacking-baseline', entry: 'unpacking.ts', features: simd, budget: SIZE_BUDGET},
  {name: 'unpacking-relaxed', entry: 'unpacking.ts', features: relaxed, budget: SIZE_BUDGET},
];

/** The compilers run as the packages' own commands, with this Node. */
function command(packageName, bin) {
  return join(dirname(require.resolve(`${packageName}/package.json`)), bin);
}

async function compile({name, entry, features}) {
  const raw = join(build, `${name}.raw.wasm`);
  const out = join(build, `${name}.wasm`);
  await run(command('assemblyscript', 'bin/asc.js'), [
    join(here, 'assembly', entry),
    ...[
      '--outFile',
      raw,
      '--runtime',
      'stub',
      '--importMemory',
      '--noExportMemory',
      '--noAssert',
      '-O3',
      '--use',
      'abort=',
    ],
    ...features.asc.flatMap((feature) => ['--enable', feature]),
  ]);
  await run(command('binaryen', 'bin/wasm-opt'), [
    ...[raw, '-o', out, '-O4', '--strip-debug', '--strip-producers', '--strip-target-features'],
    // A kernel pulled into its caller shares the caller's registers and spills.
    '--one-caller-inline-max-function-size=1',
    ...['--mvp-features', '--enable-mutable-globals', '--enable-bulk-memory', '--enable-sign-ext'],
    ...['--enable-nontrapping-float-to-int', '--enable-multivalue'],
    ...features.wasmOpt.map((feature) => `--enable-${feature}`),
  ]);
  await rm(raw);
  return readFile(out);
}

/** `module.name` of all imports. Read with binaryen: Node 20 does not compile relaxed SIMD. */
function importsOf(module) {
  const all = (count, get, info) => Array.from({length: count}, (_, i) => info(get.call(module, i)));
  const functions = all(module.getNumFunctions(), module.getFunctionByIndex, binaryen.getFunctionInfo);
  const globals = all(module.getNumGlobals(), module.getGlobalByIndex, binaryen.getGlobalInfo);
  const imported = [...functions, ...globals, module.getMemoryInfo()].filter(({module}) => module);
  return imported.map(({module, base}) => `${module}.${base}`);
}

/** What `heapBase()` returns: its body is a constant. */
function heapBase(module) {
  const {value} = binaryen.getExportInfo(module.getExport('heapBase'));
  const {body} = binaryen.getFunctionInfo(module.getFunction(value));
  return binaryen.getExpressionInfo(body).value;
}

function check({name, budget}, bytes) {
  const module = binaryen.readBinary(new Uint8Array(bytes));
  const imports = importsOf(module).join(', ');
  if (imports !== 'env.memory') throw new Error(`${name}: imports ${imports}, wanted env.memory only`);
  const end = heapBase(module);
  if (!(end <= ARENA_START))
    throw new Error(`${name}: static data end at ${end}, the arena starts at ${ARENA_START}`);
  if (bytes.length > budget) throw new Error(`${name}: ${bytes.length} bytes, budget ${budget}`);
  module.dispose();
}

async function sourceHash() {
  const hash = createHash('sha256');
  const folder = join(here, 'assembly');
  const files = (await readdir(folder, {recursive: true})).filter((file) => file.endsWith('.ts')).sort();
  for (const file of files) hash.update(file).update(await readFile(join(folder, file)));
  hash.update(await readFile(import.meta.filename));
  for (const name of ['assemblyscript', 'binaryen']) hash.update(require(`${name}/package.json`).version);
  return hash.digest('hex');
}

const declaration = `export interface Core {
  /** The binary, compressed by DEFLATE without a header, in base64. */
  readonly deflated: string;
  /** Of the binary, in hexadecimal. */
  readonly sha256: string;
  /** Size of the binary. */
  readonly bytes: number;
}
export declare const cores: {readonly baseline: Core; readonly relaxed: Core};
`;

function coresModule(binaries) {
  const entry = (bytes) => ({
    deflated: deflateRawSync(bytes, {level: 9}).toString('base64'),
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes: bytes.length,
  });
  const cores = {baseline: entry(binaries['core-baseline']), relaxed: entry(binaries['core-relaxed'])};
  return `export const cores = ${JSON.stringify(cores, null, 2)};\n`;
}

const stamp = join(build, 'sources.sha256');
const hash = await sourceHash();
const built = await readFile(stamp, 'utf8').catch(() => '');
const products = ['cores.js', 'cores.d.ts', ...artifacts.map(({name}) => `${name}.wasm`)];
const complete = products.every((name) => existsSync(join(build, name)));
if (built !== hash || !complete || process.argv.includes('--force')) {
  await mkdir(build, {recursive: true});
  const binaries = {};
  for (const artifact of artifacts) {
    binaries[artifact.name] = await compile(artifact);
    check(artifact, binaries[artifact.name]);
    process.stdout.write(`${artifact.name}.wasm ${binaries[artifact.name].length} bytes\n`);
  }
  await writeFile(join(build, 'cores.js'), coresModule(binaries));
  await writeFile(join(build, 'cores.d.ts'), declaration);
  await writeFile(stamp, hash);
}
