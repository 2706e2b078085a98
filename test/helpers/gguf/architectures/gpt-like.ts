import {Random} from '../random.ts';
import {f32} from './recipe.ts';
import type {TinyRecipe} from './recipe.ts';

const everywhere = ['attn_qkv', 'attn_output', 'ffn_up', 'ffn_down'] as const;

const gpt = {
  headsKv: 4,
  norm: 'layer-with-bias',
  fusedQkv: true,
  network: 'ungated',
  biases: everywhere,
} as const satisfies Partial<TinyRecipe>;

const positions = {
  'position_embd.weight': {dimensions: [64, 256], data: new Random(11).uniform(64 * 256, 0.5)},
};

/** Layer norms, biases, no gate, and blocks that run in parallel. */
export const gptLike: Readonly<Record<string, TinyRecipe>> = {
  gpt2: {...gpt, architecture: 'gpt2', tied: true, tensors: positions},
  starcoder2: {
    architecture: 'starcoder2',
    norm: 'layer-with-bias',
    network: 'ungated',
    biases: ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_up', 'ffn_down'],
    tied: true,
  },
  'gptneox, in parallel': {
    ...gpt,
    architecture: 'gptneox',
    keys: {use_parallel_residual: true, 'rope.dimension_count': 4},
  },
  'gptneox, in turn': {
    ...gpt,
    architecture: 'gptneox',
    keys: {use_parallel_residual: false, 'rope.dimension_count': 4},
  },
  'falcon 7B': {...gpt, architecture: 'falcon', headsKv: 1, biases: [], norms: ['attn_norm'], tied: true},
  'falcon 40B': {
    ...gpt,
    architecture: 'falcon',
    headsKv: 2,
    biases: [],
    norms: ['attn_norm', 'attn_norm_2'],
  },
  phi2: {
    ...gpt,
    architecture: 'phi2',
    norms: ['attn_norm'],
    biases: [...everywhere, 'output'],
    keys: {'rope.dimension_count': 8},
  },
  'phi2, three matrices': {
    ...gpt,
    architecture: 'phi2',
    norms: ['attn_norm'],
    fusedQkv: false,
    biases: ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_up', 'ffn_down', 'output'],
    keys: {'rope.dimension_count': 8},
  },
  bloom: {
    ...gpt,
    architecture: 'bloom',
    tied: true,
    tensors: {
      'token_embd_norm.weight': {
        dimensions: [64],
        data: new Random(12).uniform(64, 0.3).map((value) => 1 + value),
      },
      'token_embd_norm.bias': {dimensions: [64], data: new Random(13).uniform(64, 0.3)},
    },
  },
  'mpt, ALiBi, limits': {
    ...gpt,
    architecture: 'mpt',
    norm: 'layer',
    biases: [],
    tied: true,
    keys: {'attention.max_alibi_bias': f32(8), 'attention.clamp_kqv': f32(1.5)},
  },
  'mpt, learnt positions, norms of queries and keys': {
    ...gpt,
    architecture: 'mpt',
    queryKeyNorm: 'whole',
    vectors: () => ({'attn_q_norm.bias': 64, 'attn_k_norm.bias': 64}),
    keys: {'attention.max_alibi_bias': f32(0)},
    tensors: positions,
  },
  jais: {
    ...gpt,
    architecture: 'jais',
    embedding: 48,
    heads: 6,
    headsKv: 6,
    network: 'gated',
    biases: [...everywhere, 'ffn_gate'],
    keys: {'attention.max_alibi_bias': f32(8)},
  },
  plamo: {architecture: 'plamo', norms: ['attn_norm'], headsKv: 1},
  'command-r': {
    architecture: 'command-r',
    norm: 'layer',
    norms: ['attn_norm'],
    tied: true,
    gain: 8,
    keys: {logit_scale: f32(0.25)},
  },
  'command-r+': {
    architecture: 'command-r',
    layers: 64,
    embedding: 32,
    feedForward: 32,
    norm: 'layer',
    norms: ['attn_norm'],
    queryKeyNorm: 'each-head',
    tied: true,
  },
  'olmo, limits': {
    architecture: 'olmo',
    norm: 'plain',
    norms: [],
    headsKv: 4,
    tied: true,
    keys: {'attention.clamp_kqv': f32(1.5)},
  },
  'stablelm 3B': {
    architecture: 'stablelm',
    norm: 'layer-with-bias',
    headsKv: 4,
    biases: ['attn_q', 'attn_k', 'attn_v'],
    keys: {'rope.dimension_count': 4},
  },
  'stablelm 12B': {
    architecture: 'stablelm',
    norm: 'layer-with-bias',
    norms: ['attn_norm'],
    queryKeyNorm: 'each-head',
    keys: {'rope.dimension_count': 4},
  },
};
