/** Small encoders, with the keys and tensors of real files. */
import {Random} from '../random.ts';
import type {TensorInput} from '../write-gguf.ts';
import {f32} from './recipe.ts';
import type {TinyRecipe} from './recipe.ts';

type Tensors = Record<string, Omit<TensorInput, 'name' | 'type'>>;

const [length, contextLength] = [64, 256];
const random = new Random(23);

const matrix = (columns: number, rows: number, range: number): Tensors[string] => ({
  dimensions: [columns, rows],
  data: random.uniform(columns * rows, range),
});
const weight = (): Tensors[string] => ({
  dimensions: [length],
  data: random.uniform(length, 0.3).map((value) => 1 + value),
});
const bias = (): Tensors[string] => ({dimensions: [length], data: random.uniform(length, 0.4)});

const embeddingNorm: Tensors = {'token_embd_norm.weight': weight(), 'token_embd_norm.bias': bias()};
const tokenTypes: Tensors = {'token_types.weight': matrix(length, 2, 0.5)};

const withoutHead = ['output.weight', 'output_norm.weight', 'output_norm.bias'];

const bert = {
  norm: 'layer-with-bias',
  norms: ['attn_output_norm', 'layer_output_norm'],
  headsKv: 4,
  network: 'ungated',
  biases: ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_up', 'ffn_down'],
  without: withoutHead,
  keys: {'attention.causal': false, pooling_type: 2},
} as const satisfies Partial<TinyRecipe>;

/** By a description that begins with the name of the architecture. */
export const tinyEncoders: Readonly<Record<string, TinyRecipe>> = {
  bert: {
    ...bert,
    architecture: 'bert',
    tensors: {
      ...embeddingNorm,
      ...tokenTypes,
      'position_embd.weight': matrix(length, contextLength, 0.5),
    },
  },
  'bert without types, heads of 12': {
    ...bert,
    architecture: 'bert',
    embedding: 60,
    heads: 5,
    headsKv: 5,
    feedForward: 91,
    tensors: {
      'token_embd_norm.weight': {dimensions: [60], data: random.uniform(60, 0.3).map((value) => 1 + value)},
      'token_embd_norm.bias': {dimensions: [60], data: random.uniform(60, 0.4)},
      'position_embd.weight': matrix(60, contextLength, 0.5),
    },
  },
  'nomic-bert': {
    ...bert,
    architecture: 'nomic-bert',
    fusedQkv: true,
    network: 'gated',
    biases: [],
    keys: {'attention.causal': false, pooling_type: 1, 'rope.freq_base': f32(1000)},
    tensors: {...embeddingNorm, ...tokenTypes},
  },
  'jina-bert-v2': {
    ...bert,
    architecture: 'jina-bert-v2',
    network: 'gated',
    biases: ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_down'],
    keys: {'attention.causal': false, pooling_type: 1},
    tensors: {...embeddingNorm, ...tokenTypes},
  },
  'jina-bert-v2, gate and up in one': {
    ...bert,
    architecture: 'jina-bert-v2',
    network: 'fused',
    biases: ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_down'],
    tensors: {...embeddingNorm, ...tokenTypes},
  },
  'jina-bert-v3': {
    ...bert,
    architecture: 'jina-bert-v3',
    fusedQkv: true,
    biases: ['attn_qkv', 'attn_output', 'ffn_up', 'ffn_down'],
    tensors: {...embeddingNorm, ...tokenTypes},
  },
  'modern-bert': {
    architecture: 'modern-bert',
    layers: 4,
    norm: 'layer',
    headsKv: 4,
    fusedQkv: true,
    network: 'fused',
    without: ['output.weight', 'blk.0.attn_norm.weight'],
    keys: {
      'attention.causal': false,
      'attention.sliding_window': 20,
      'rope.freq_base': f32(160000),
      pooling_type: 1,
    },
    tensors: {'token_embd_norm.weight': weight()},
  },
  'gemma-embedding': {
    architecture: 'gemma-embedding',
    layers: 7,
    headsKv: 1,
    headLength: 32,
    norms: ['attn_norm', 'post_attention_norm', 'ffn_norm', 'post_ffw_norm'],
    queryKeyNorm: 'head',
    tied: true,
    keys: {
      'attention.sliding_window': 21,
      'rope.freq_base': f32(1_000_000),
      pooling_type: 1,
      dense_2_feat_in: length,
      dense_2_feat_out: 96,
      dense_3_feat_in: 96,
      dense_3_feat_out: length,
    },
    tensors: {'dense_2.weight': matrix(length, 96, 0.2), 'dense_3.weight': matrix(96, length, 0.2)},
  },
};
