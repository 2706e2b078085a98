/**
 * The same bits for any number of shards: logits and sampled tokens of models in 1, 2, 4 and 8 shards, on a plain page (over
 * MessagePorts) and on an isolated one (through shared memory), in Chromium, in Firefox and in WebKitGTK where they are
 * installed.
 *
 *   node test/e2e/shards.mjs [--browser chromium] [file.gguf …]
 *
 * Needs "npm run build". Without files it takes the models of the reference data where they stand beside the project, and
 * synthetic ones of each weight type. Fails where anything differs; says what was not compared.
 */
import {existsSync, mkdtempSync, readdirSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {basename, join} from 'node:path';
import {parseArgs} from 'node:util';
import {syntheticModel} from '../bench/synthetic-model.mjs';
import {launchers} from './launchers.mjs';
import {builtScripts, isolationHeaders, serve} from './static-server.mjs';

const print = (text) => process.stdout.write(`${text}\n`);
const counts = [1, 2, 4, 8];
const {values, positionals} = parseArgs({allowPositionals: true, options: {browser: {type: 'string'}}});
const folder = mkdtempSync(join(tmpdir(), 'gguf-chat-shards-'));
const files = positionals.length > 0 ? positionals : [...referenceModels(), ...syntheticModels()];
const notCompared = [];
let different = 0;

function referenceModels() {
  const models = join(import.meta.dirname, '../../../shared/models');
  if (!existsSync(models)) return [];
  return readdirSync(models)
    .filter((name) => name.endsWith('.gguf'))
    .map((name) => join(models, name));
}

function syntheticModels() {
  return ['Q8_0', 'Q4_0', 'Q4_K_M'].map(
    (type) =>
      syntheticModel({shape: 'smoke', type, contextLength: 256, path: join(folder, `synthetic-${type}.gguf`)})
        .path,
  );
}

function routes() {
  const page = '<!doctype html><title>Shards</title><script type="module" src="/engines-page.js"></script>';
  return new Map([
    ['/', {body: page, type: 'text/html'}],
    ['/engines-page.js', {file: join(import.meta.dirname, 'engines-page.js')}],
    ...builtScripts(),
    ...files.map((file) => [`/${basename(file)}`, {file}]),
  ]);
}

/** Digest of each model with one shard, in the first browser. */
const expected = new Map();

async function compare(browser, transport) {
  const where = `${browser.version}, ${transport}`;
  let same = 0;
  for (const file of files) {
    const name = basename(file, '.gguf');
    for (const shards of counts) {
      const found = await browser.call('digest', [name, null, String(shards)]).catch((cause) => {
        throw new Error(`${name}, ${shards} shards, ${where}: ${cause}`, {cause});
      });
      if (shards > 1 && found.transport !== transport) throw new Error(`${where}: it was ${found.transport}`);
      if (!expected.has(name)) expected.set(name, found.digest);
      if (found.digest === expected.get(name)) same++;
      else {
        different++;
        print(`DIFFERENT ${name}, ${shards} shards, ${where}`);
      }
    }
  }
  print(`${where}: ${same} of ${files.length * counts.length} the same bits`);
}

/** WebKitGTK's automation has no isolated pages. */
const transports = (browser) => (browser.version.includes('WebKit') ? ['ports'] : ['ports', 'shared']);

for (const {name, launch} of launchers(notCompared)) {
  if (values.browser && values.browser !== name) continue;
  const browser = await launch();
  try {
    for (const transport of transports(browser)) {
      const site = await serve(routes(), transport === 'shared' ? isolationHeaders : {});
      try {
        await browser.goto(site.origin);
        await compare(browser, transport);
      } finally {
        await site.close();
      }
    }
  } finally {
    await browser.close();
  }
}
rmSync(folder, {recursive: true});
for (const what of notCompared) print(`NOT compared: ${what}`);
process.exitCode = different === 0 ? 0 : 1;
