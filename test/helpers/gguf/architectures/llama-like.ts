import {f32} from './recipe.ts';
import type {TinyRecipe} from './recipe.ts';

const qkv = ['attn_q', 'attn_k', 'attn_v'] as const;
const network = ['ffn_gate', 'ffn_up', 'ffn_down'] as const;

/** Divisors of the frequencies of `pairs`, the first of which turn fastest. */
export function ropeFactors(pairs: number, step = 0.5): {dimensions: number[]; data: Float32Array} {
  return {dimensions: [pairs], data: Float32Array.from({length: pairs}, (_, pair) => 1 + pair * step)};
}

/** A norm before each block, rope, a gate. */
export const llamaLike: Readonly<Record<string, TinyRecipe>> = {
  'llama, biases, fused QKV, long heads, factors': {
    architecture: 'llama',
    headLength: 24,
    fusedQkv: true,
    biases: ['attn_qkv', 'attn_output', ...network],
    keys: {'rope.dimension_count': 24},
    tensors: {'rope_freqs.weight': ropeFactors(12)},
  },
  // BitNet's norms hide most of its own.
  'llama, factors of products': {
    architecture: 'llama',
    biases: qkv,
    scales: [...qkv, 'attn_output', ...network],
  },
  'llama, LongRoPE': {
    architecture: 'llama',
    keys: {'rope.scaling.type': 'longrope', 'rope.scaling.original_context_length': 64},
    tensors: {
      'rope_factors_long.weight': ropeFactors(8, 2),
      'rope_factors_short.weight': ropeFactors(8, 0.25),
    },
  },
  'qwen2, biases': {architecture: 'qwen2', biases: [...qkv, 'output']},
  'qwen2, fused QKV of odd lengths': {
    architecture: 'qwen2',
    embedding: 60,
    heads: 5,
    headsKv: 1,
    feedForward: 91,
    fusedQkv: true,
    biases: ['attn_qkv'],
    scales: ['attn_qkv'],
  },
  qwen3: {architecture: 'qwen3', headLength: 20, queryKeyNorm: 'head', tied: true},
  smollm3: {architecture: 'smollm3', layers: 5, biases: qkv, tied: true},
  internlm2: {architecture: 'internlm2', biases: qkv},
  xverse: {architecture: 'xverse', headsKv: 4},
  ernie4_5: {architecture: 'ernie4_5', headLength: 24, biases: qkv, tied: true},
  'baichuan 7B': {architecture: 'baichuan', layers: 32, embedding: 32, headsKv: 4, feedForward: 48},
  'baichuan 13B': {
    architecture: 'baichuan',
    layers: 40,
    embedding: 48,
    heads: 6,
    headsKv: 6,
    feedForward: 48,
  },
  orion: {architecture: 'orion', norm: 'layer-with-bias'},
  exaone: {architecture: 'exaone', tied: true, tensors: {'rope_freqs.weight': ropeFactors(8)}},
  seed_oss: {
    architecture: 'seed_oss',
    headLength: 24,
    norms: ['attn_norm', 'post_attention_norm'],
    biases: qkv,
  },
  'arcee, YaRN': {
    architecture: 'arcee',
    network: 'ungated',
    keys: {
      'rope.scaling.type': 'yarn',
      'rope.scaling.factor': f32(4),
      'rope.scaling.original_context_length': 64,
    },
  },
  nemotron: {
    architecture: 'nemotron',
    headLength: 24,
    norm: 'layer-with-bias',
    network: 'ungated',
    biases: [...qkv, 'attn_output', 'ffn_up', 'ffn_down'],
    keys: {'rope.dimension_count': 12},
  },
  apertus: {
    architecture: 'apertus',
    queryKeyNorm: 'head',
    network: 'ungated',
    // They were learnt as bf16; arrays hold one for each layer.
    sharedKeys: {
      'xielu.alpha_n': Float32Array.of(0.8, -0.4, 1.6),
      'xielu.alpha_p': Float32Array.of(0.5, 0.9, -0.3),
      'xielu.beta': Float32Array.of(0.5, 0.45, 0.6),
      'xielu.eps': Float32Array.of(-1e-6, -0.1, -1e-6),
    },
    tensors: {'rope_freqs.weight': ropeFactors(8)},
  },
  'apertus, one xIELU for all layers': {
    architecture: 'apertus',
    queryKeyNorm: 'head',
    network: 'ungated',
    sharedKeys: {
      'xielu.alpha_n': f32(0.8),
      'xielu.alpha_p': f32(0.6),
      'xielu.beta': f32(0.5),
      'xielu.eps': f32(-1e-6),
    },
  },
  bitnet: {
    architecture: 'bitnet',
    tied: true,
    scales: [...qkv, 'attn_output', ...network],
    vectors: () => ({'attn_sub_norm.weight': 64, 'ffn_sub_norm.weight': 96}),
  },
  'hunyuan-dense': {architecture: 'hunyuan-dense', queryKeyNorm: 'head', tied: true},
  'hunyuan-dense, stretched base': {
    architecture: 'hunyuan-dense',
    queryKeyNorm: 'head',
    keys: {'rope.scaling.alpha': f32(50)},
  },
  openelm: {
    architecture: 'openelm',
    headLength: 16,
    heads: [2, 4, 6],
    headsKv: [1, 2, 3],
    feedForward: [48, 96, 112],
    fusedQkv: true,
    queryKeyNorm: 'head',
    tied: true,
  },
  chatglm: {
    architecture: 'chatglm',
    network: 'fused',
    fusedQkv: true,
    biases: ['attn_qkv'],
    keys: {'rope.dimension_count': 8},
  },
};
