/**
 * The shapes of the synthetic models, all of the `llama` architecture. Speed depends on shapes and types, not on values,
 * so random weights in the shape of a well-known model are as slow or fast as that model.
 */

/**
 * @typedef {object} Shape
 * @property {string} note what it stands for
 * @property {number} embeddingLength
 * @property {number} layerCount
 * @property {number} headCount
 * @property {number} headCountKv
 * @property {number} headLength elements of one head
 * @property {number} feedForwardLength
 * @property {number} vocabularySize the output matrix is the embedding matrix (tied) in all of them
 * @property {number} ropeBase
 */

/** @type {Record<string, Shape>} */
export const shapes = {
  smoke: {
    note: 'loads in an instant; for trying the commands out, its figures mean nothing',
    embeddingLength: 256,
    layerCount: 4,
    headCount: 4,
    headCountKv: 2,
    headLength: 64,
    feedForwardLength: 768,
    vocabularySize: 2048,
    ropeBase: 10000,
  },
  '215m': {
    note: 'the 215 M-parameter llama that the targets speak of',
    embeddingLength: 1024,
    layerCount: 12,
    headCount: 16,
    headCountKv: 4,
    headLength: 64,
    feedForwardLength: 4096,
    vocabularySize: 32000,
    ropeBase: 10000,
  },
  'smollm2-135m': {
    note: 'SmolLM2-135M',
    embeddingLength: 576,
    layerCount: 30,
    headCount: 9,
    headCountKv: 3,
    headLength: 64,
    feedForwardLength: 1536,
    vocabularySize: 49152,
    ropeBase: 100000,
  },
  'smollm2-360m': {
    note: 'SmolLM2-360M',
    embeddingLength: 960,
    layerCount: 32,
    headCount: 15,
    headCountKv: 5,
    headLength: 64,
    feedForwardLength: 2560,
    vocabularySize: 49152,
    ropeBase: 100000,
  },
  'qwen3-0.6b': {
    note: 'Qwen3-0.6B without its q/k norms',
    embeddingLength: 1024,
    layerCount: 28,
    headCount: 16,
    headCountKv: 8,
    headLength: 128,
    feedForwardLength: 3072,
    vocabularySize: 151936,
    ropeBase: 1000000,
  },
  'llama-3.2-1b': {
    note: 'Llama-3.2-1B',
    embeddingLength: 2048,
    layerCount: 16,
    headCount: 32,
    headCountKv: 8,
    headLength: 64,
    feedForwardLength: 8192,
    vocabularySize: 128256,
    ropeBase: 500000,
  },
};

/**
 * The tensors of a shape. `dimensions` are in GGUF order, the length of a row first; `deviation` is about the standard
 * deviation that keeps activations near 1 and logits near 3.
 *
 * @param {Shape} shape
 * @returns {{name: string, dimensions: number[], deviation: number, isMatrix: boolean}[]}
 */
export function tensorsOf(shape) {
  const {embeddingLength: width, headCount, headCountKv, headLength, feedForwardLength} = shape;
  const matrix = (name, columns, rows, gain = 1) => ({
    name: `${name}.weight`,
    dimensions: [columns, rows],
    deviation: gain / Math.sqrt(columns),
    isMatrix: true,
  });
  const norm = (name) => ({
    name: `${name}.weight`,
    dimensions: [width],
    deviation: 1,
    isMatrix: false,
  });
  const layer = (index) => [
    norm(`blk.${index}.attn_norm`),
    matrix(`blk.${index}.attn_q`, width, headCount * headLength),
    matrix(`blk.${index}.attn_k`, width, headCountKv * headLength),
    matrix(`blk.${index}.attn_v`, width, headCountKv * headLength),
    matrix(`blk.${index}.attn_output`, headCount * headLength, width),
    norm(`blk.${index}.ffn_norm`),
    matrix(`blk.${index}.ffn_gate`, width, feedForwardLength),
    matrix(`blk.${index}.ffn_up`, width, feedForwardLength),
    matrix(`blk.${index}.ffn_down`, feedForwardLength, width),
  ];
  return [
    matrix('token_embd', width, shape.vocabularySize, 3),
    ...Array.from({length: shape.layerCount}, (_, index) => layer(index)).flat(),
    norm('output_norm'),
  ];
}
