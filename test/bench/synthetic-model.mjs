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
import {alignment, ggufHeader} from './gguf-header.mjs';
import {quantisations, typeOfMatrix} from './quantisations.mjs';
import {Random} from './random.mjs';
import {shapes, tensorsOf} from './shapes.mjs';
import {byteLength, tensorTypes} from './tensor-types.mjs';
import {vocabularyMetadata} from './vocabulary.mjs';

/** Raised whenever the bytes of the same request change, so that a file of an older version is not taken for it. */
const writerVersion = 1;
/** Weights are made and written in pieces of about this many bytes. */
const pieceBytes = 4 << 20;

/**
 * @typedef {object} SyntheticModel
 * @property {string} path
 * @property {string} sha256 of the whole file, hexadecimal
 * @property {number} fileBytes
 * @property {number} parameterCount
 * @property {number} vocabularySize
 * @property {number} contextLength
 * @property {number} weightBytesPerToken bytes of the file that one step of decode must read: every matrix once (the
 *   embedding matrix is the output matrix too)
 * @property {number} layerMacs multiply-adds of one token in the matrices of all layers
 * @property {number} outputMacs multiply-adds of the output matrix; prefill needs them once, for the last token
 */

/**
 * The model as a file on disk, written unless it is there already.
 *
 * @param {{shape: string, type: string, seed?: number, contextLength?: number, path?: string}} request
 * @returns {SyntheticModel}
 */
export function syntheticModel({shape: shapeName, type, seed = 1, contextLength = 4096, path}) {
  const shape = shapes[shapeName];
  if (!shape) throw new Error(`Unknown shape "${shapeName}"; there are: ${Object.keys(shapes).join(', ')}`);
  if (!quantisations.includes(type))
    throw new Error(`Unknown type "${type}"; there are: ${quantisations.join(', ')}`);
  const file =
    path ?? join(import.meta.dirname, 'models', `${shapeName}-${type.toLowerCase()}-seed${seed}.gguf`);
  const request = {writerVersion, shape, type, seed, contextLength};
  return readRecord(file, request) ?? write(file, request, shapeName);
}

const recordPath = (file) => `${file}.json`;

/** What is known of an existing file, if it was made for the same request. */
function readRecord(file, request) {
  if (!existsSync(file) || !existsSync(recordPath(file))) return undefined;
  const {request: made, model} = JSON.parse(readFileSync(recordPath(file), 'utf8'));
  const isSame = JSON.stringify(made) === JSON.stringify(request) && statSync(file).size === model.fileBytes;
  return isSame ? {...model, path: file} : undefined;
}

function write(file, request, shapeName) {
  const {shape, type, seed, contextLength} = request;
  const tensors = tensorsOf(shape).map((tensor) => describe(tensor, type, shape.layerCount));
  const metadata = {
    ...modelMetadata(shape, `synthetic ${shapeName} ${type}`, contextLength),
    ...vocabularyMetadata(shape.vocabularySize),
  };
  mkdirSync(dirname(file), {recursive: true});
  const partial = `${file}.partial`;
  const descriptor = openSync(partial, 'w');
  const hash = createHash('sha256');
  let fileBytes = 0;
  const append = (bytes) => {
    hash.update(bytes);
    fileBytes += bytes.length;
    for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done);
  };
  try {
    append(ggufHeader(metadata, tensors));
    for (const tensor of tensors) {
      for (const piece of weights(tensor, seed)) append(piece);
      append(Buffer.alloc((alignment - (tensor.bytes % alignment)) % alignment));
    }
  } finally {
    closeSync(descriptor);
  }
  renameSync(partial, file);
  const model = {...count(tensors, shape), contextLength, sha256: hash.digest('hex'), fileBytes};
  writeFileSync(recordPath(file), `${JSON.stringify({request, model}, null, 2)}\n`);
  return {...model, path: file};
}

function describe(tensor, type, layerCount) {
  const typeName = tensor.isMatrix ? typeOfMatrix(type, tensor, layerCount) : 'F32';
  const elements = tensor.dimensions.reduce((product, dimension) => product * dimension, 1);
  return {
    ...tensor,
    typeName,
    typeId: tensorTypes[typeName].id,
    elements,
    bytes: byteLength(typeName, elements),
  };
}

/** The bytes of a tensor in pieces; each piece is overwritten by the next. */
function* weights({name, typeName, deviation, isMatrix, bytes}, seed) {
  if (!isMatrix) {
    yield Buffer.from(new Float32Array(bytes / 4).fill(1).buffer);
    return;
  }
  const {blockBytes, shape} = tensorTypes[typeName];
  const random = new Random(`${seed}:${name}`);
  const words = new Uint32Array((Math.ceil(pieceBytes / blockBytes / 4) * 4 * blockBytes) / 4);
  for (let left = bytes; left > 0; left -= words.byteLength) {
    const piece = Buffer.from(words.buffer, 0, Math.min(left, words.byteLength));
    random.fill(words);
    shape(piece, deviation);
    yield piece;
  }
}

function modelMetadata(shape, name, contextLength) {
  const uint32 = (value) => ({type: 'uint32', value});
  const float32 = (value) => ({type: 'float32', value});
  return {
    'general.architecture': {type: 'string', value: 'llama'},
    'general.name': {type: 'string', value: name},
    'general.alignment': uint32(alignment),
    'llama.block_count': uint32(shape.layerCount),
    'llama.context_length': uint32(contextLength),
    'llama.embedding_length': uint32(shape.embeddingLength),
    'llama.feed_forward_length': uint32(shape.feedForwardLength),
    'llama.attention.head_count': uint32(shape.headCount),
    'llama.attention.head_count_kv': uint32(shape.headCountKv),
    'llama.attention.key_length': uint32(shape.headLength),
    'llama.attention.value_length': uint32(shape.headLength),
    'llama.attention.layer_norm_rms_epsilon': float32(1e-5),
    'llama.rope.dimension_count': uint32(shape.headLength),
    'llama.rope.freq_base': float32(shape.ropeBase),
    'llama.vocab_size': uint32(shape.vocabularySize),
  };
}

function count(tensors, {vocabularySize}) {
  const sum = (list, value) => list.reduce((total, tensor) => total + value(tensor), 0);
  const matrices = tensors.filter(({isMatrix}) => isMatrix);
  const outputMacs = matrices.find(({name}) => name === 'token_embd.weight').elements;
  return {
    parameterCount: sum(tensors, ({elements}) => elements),
    vocabularySize,
    weightBytesPerToken: sum(matrices, ({bytes}) => bytes),
    layerMacs: sum(matrices, ({elements}) => elements) - outputMacs,
    outputMacs,
  };
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
