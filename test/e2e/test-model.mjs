/** Models for the end-to-end tests: nothing is downloaded, random ones are written on the spot. */
import {existsSync, mkdtempSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {build} from 'esbuild';

const reference = fileURLToPath(new URL('../../../shared/models/stories260K-q8_0.gguf', import.meta.url));
const writer = fileURLToPath(new URL('../helpers/gguf-writer.ts', import.meta.url));

/** The writer of the unit tests, as a module that Node can run. */
async function loadWriter(folder) {
  const outfile = join(folder, 'gguf-writer.mjs');
  await build({
    entryPoints: [writer],
    outfile,
    bundle: true,
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
  });
  return import(outfile);
}

/**
 * `file` answers in no time; `slowFile` has enough parameters that a person, or a test, can press Stop in the middle of
 * an answer.
 */
export async function testModel() {
  const folder = mkdtempSync(join(tmpdir(), 'gguf-chat-e2e-'));
  const {tinyLlama} = await loadWriter(folder);
  const write = (name, options) => {
    const file = join(folder, name);
    writeFileSync(file, new Uint8Array(tinyLlama(options)));
    return file;
  };
  const slowFile = write('slow.gguf', {
    weightType: 'Q8_0',
    layerCount: 6,
    embeddingLength: 512,
    feedForwardLength: 2048,
    headCount: 8,
    headCountKv: 4,
    contextLength: 2048,
  });
  return existsSync(reference)
    ? {description: 'stories260K-q8_0.gguf of the reference data', file: reference, slowFile}
    : {description: 'a random tiny llama', file: write('tiny.gguf', {contextLength: 512}), slowFile};
}
