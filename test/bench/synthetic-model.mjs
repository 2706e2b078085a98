/**
 * Writes GGUF files of real shapes with seeded random weights: the same seed gives the same bytes.
 *
 *   node test/bench/synthetic-model.mjs --shape 215m --type Q8_0 [--seed 1] [--out file.gguf]
 */
import {createHash} from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import {dirname, join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {parseArgs} from 'node:util';
import {shapes} from './shapes.mjs';
import {syntheticGguf} from './synthetic-gguf.mjs';

/** Raised whenever the bytes of the same request change, so that a file of an older version is not taken for it. */
const writerVersion = 1;

/**
 * `sha256` is of the whole file, hexadecimal.
 *
 * @typedef {import('./synthetic-gguf.mjs').ModelFacts & {path: string, sha256: string}} SyntheticModel
 */

/**
 * The model as a file on disk, written unless it is there already.
 *
 * @param {{shape: string, type: string, seed?: number, contextLength?: number, path?: string}} request
 * @returns {SyntheticModel}
 */
export function syntheticModel({shape, type, seed = 1, contextLength = 4096, path}) {
  const model = syntheticGguf({shape, type, seed, contextLength});
  const file = path ?? join(import.meta.dirname, 'models', `${shape}-${type.toLowerCase()}-seed${seed}.gguf`);
  const request = {writerVersion, shape: shapes[shape], type, seed, contextLength};
  return readRecord(file, request) ?? write(file, request, model);
}

const recordPath = (file) => `${file}.json`;

/** What is known of an existing file, if it was made for the same request. */
function readRecord(file, request) {
  if (!existsSync(file) || !existsSync(recordPath(file))) return undefined;
  const {request: made, model} = JSON.parse(readFileSync(recordPath(file), 'utf8'));
  const isSame = JSON.stringify(made) === JSON.stringify(request) && statSync(file).size === model.fileBytes;
  return isSame ? {...model, path: file} : undefined;
}

function write(file, request, {facts, pieces}) {
  mkdirSync(dirname(file), {recursive: true});
  const partial = `${file}.partial`;
  const descriptor = openSync(partial, 'w');
  const hash = createHash('sha256');
  try {
    for (const piece of pieces()) {
      hash.update(piece);
      for (let done = 0; done < piece.length;) done += writeSync(descriptor, piece, done);
    }
  } finally {
    closeSync(descriptor);
  }
  renameSync(partial, file);
  const model = {...facts, sha256: hash.digest('hex')};
  writeFileSync(recordPath(file), `${JSON.stringify({request, model}, null, 2)}\n`);
  return {...model, path: file};
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const {values} = parseArgs({
    options: {
      shape: {type: 'string', default: '215m'},
      type: {type: 'string', default: 'Q8_0'},
      seed: {type: 'string', default: '1'},
      out: {type: 'string'},
    },
  });
  const {shape, type, seed, out} = values;
  const model = syntheticModel({shape, type, seed: Number(seed), ...(out === undefined ? {} : {path: out})});
  process.stdout.write(`${JSON.stringify(model, null, 2)}\n`);
}
