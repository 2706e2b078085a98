/**
 * GGUF files of real shapes with seeded random weights, piece by piece, in Node and in a page: the same request gives the
 * same bytes.
 */
import {alignment, ggufHeader} from './gguf-header.mjs';
import {modelTypes, tensorTypeOf} from './model-types.mjs';
import {Random} from './random.mjs';
import {shapes, tensorsOf} from './shapes.mjs';
import {byteLength, tensorTypes} from './tensor-types.mjs';
import {vocabularyMetadata} from './vocabulary.mjs';

/** Weights are made in pieces of about this many bytes. */
const pieceBytes = 4 << 20;

/**
 * @typedef {object} SyntheticRequest
 * @property {string} shape a name of `shapes`
 * @property {string} type one of `modelTypes`
 * @property {number} seed
 * @property {number} contextLength positions the model says it was trained for
 */

/**
 * What the figures of a model depend on.
 *
 * @typedef {object} ModelFacts
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
 * @param {SyntheticRequest} request
 * @returns {{facts: ModelFacts, pieces: () => Generator<Uint8Array<ArrayBuffer>>}} `pieces` are the file from first byte to
 *   last; each one is overwritten by the next
 * @throws {Error} naming the shape or type that there is not, or that do not go together
 */
export function syntheticGguf({shape: shapeName, type, seed, contextLength}) {
  const shape = shapes[shapeName];
  if (!shape) throw new Error(`Unknown shape "${shapeName}"; there are: ${Object.keys(shapes).join(', ')}`);
  if (!modelTypes.includes(type))
    throw new Error(`Unknown type "${type}"; there are: ${modelTypes.join(', ')}`);
  const tensors = tensorsOf(shape).map((tensor) => describe(tensor, type, shape.layerCount));
  const header = ggufHeader(
    {
      ...modelMetadata(shape, `synthetic ${shapeName} ${type}`, contextLength),
      ...vocabularyMetadata(shape.vocabularySize),
    },
    tensors,
  );
  const fileBytes = tensors.reduce((sum, {bytes}) => sum + bytes + padding(bytes), header.length);
  return {
    facts: {...count(tensors, shape), contextLength, fileBytes},
    *pieces() {
      yield header;
      for (const tensor of tensors) {
        yield* weights(tensor, seed);
        yield new Uint8Array(padding(tensor.bytes));
      }
    },
  };
}

const padding = (bytes) => (alignment - (bytes % alignment)) % alignment;

function describe(tensor, type, layerCount) {
  const typeName = tensor.isMatrix ? tensorTypeOf(tensor, type, layerCount) : 'F32';
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
    yield new Uint8Array(new Float32Array(bytes / 4).fill(1).buffer);
    return;
  }
  const {blockBytes, shape} = tensorTypes[typeName];
  const random = new Random(`${seed}:${name}`);
  const words = new Uint32Array((Math.ceil(pieceBytes / blockBytes / 4) * 4 * blockBytes) / 4);
  for (let left = bytes; left > 0; left -= words.byteLength) {
    const piece = new Uint8Array(words.buffer, 0, Math.min(left, words.byteLength));
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
