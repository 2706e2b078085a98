import {ropeFactors} from './llama-like.ts';
import {f32} from './recipe.ts';
import type {TinyRecipe} from './recipe.ts';

const qkv = ['attn_q', 'attn_k', 'attn_v'] as const;
const expertMatrices = ['ffn_gate_exps', 'ffn_up_exps', 'ffn_down_exps'] as const;

const experts = {count: 8, used: 3, length: 48} as const;

/** Experts, for all tokens or for some. */
export const withExperts: Readonly<Record<string, TinyRecipe>> = {
  'llama, Mixtral': {
    architecture: 'llama',
    feedForward: 48,
    experts: {...experts, count: 4, used: 2},
  },
  'llama, Mixtral with factors of products': {
    architecture: 'llama',
    experts: {...experts, merged: true},
    scales: ['ffn_gate_up_exps', 'ffn_down_exps'],
  },
  qwen2moe: {
    architecture: 'qwen2moe',
    biases: qkv,
    experts: {...experts, shared: 80, sharedGate: true},
  },
  'qwen2moe, lengths of the dense network': {
    architecture: 'qwen2moe',
    feedForward: 96,
    experts: {...experts, length: 32, shared: 96, sharedGate: true},
    without: ['qwen2moe.expert_feed_forward_length', 'qwen2moe.expert_shared_feed_forward_length'],
  },
  qwen3moe: {architecture: 'qwen3moe', headLength: 20, queryKeyNorm: 'head', experts, tied: true},
  olmoe: {architecture: 'olmoe', headsKv: 4, queryKeyNorm: 'whole', feedForward: 48, experts},
  granitemoe: {
    architecture: 'granitemoe',
    gain: 8,
    tied: true,
    feedForward: 48,
    experts: {...experts, shared: 64},
    keys: {
      logit_scale: f32(4),
      embedding_scale: f32(3),
      residual_scale: f32(0.3),
      'attention.scale': f32(0.15),
    },
  },
  phimoe: {
    architecture: 'phimoe',
    norm: 'rms-with-bias',
    biases: [...qkv, 'attn_output', 'output'],
    experts: {...experts, used: 2},
    keys: {'rope.scaling.original_context_length': 64, 'rope.scaling.attn_factor': f32(1.2)},
    tensors: {
      'rope_factors_long.weight': ropeFactors(8, 2),
      'rope_factors_short.weight': ropeFactors(8, 0.25),
    },
  },
  'gpt-oss': {
    architecture: 'gpt-oss',
    headLength: 20,
    norms: ['attn_norm', 'post_attention_norm'],
    biases: [...qkv, 'attn_output', 'ffn_gate_inp', ...expertMatrices],
    experts,
    vectors: () => ({'attn_sinks.weight': 4}),
    keys: {
      'attention.sliding_window': 21,
      'rope.scaling.type': 'yarn',
      'rope.scaling.factor': f32(8),
      'rope.scaling.original_context_length': 32,
    },
  },
  'ernie4_5-moe': {
    architecture: 'ernie4_5-moe',
    layers: 5,
    tied: true,
    experts: {...experts, layers: [1, 3], shared: 64, choiceBias: true},
    keys: {leading_dense_block_count: 1, interleave_moe_layer_step: 2},
  },
  deepseek: {
    architecture: 'deepseek',
    headsKv: 4,
    // The network for all is as long as two experts.
    experts: {...experts, layers: [1, 2], shared: 96},
    without: ['deepseek.expert_shared_feed_forward_length'],
    keys: {leading_dense_block_count: 1, expert_shared_count: 2, expert_weights_scale: f32(1.5)},
  },
  'glm4moe, and one layer for more tokens': {
    architecture: 'glm4moe',
    layers: 4,
    norms: ['attn_norm', 'post_attention_norm'],
    queryKeyNorm: 'head',
    biases: qkv,
    experts: {...experts, layers: [1, 2, 3], shared: 48, choiceBias: true},
    without: ['glm4moe.expert_shared_feed_forward_length'],
    keys: {
      leading_dense_block_count: 1,
      expert_shared_count: 1,
      expert_weights_norm: true,
      expert_weights_scale: f32(2.5),
      'rope.dimension_count': 8,
      nextn_predict_layers: 1,
    },
  },
  'glm4moe, softmax, groups': {
    architecture: 'glm4moe',
    norms: ['attn_norm', 'post_attention_norm'],
    experts: {...experts, shared: 48, choiceBias: true},
    without: ['glm4moe.expert_shared_feed_forward_length'],
    keys: {
      expert_shared_count: 1,
      expert_gating_func: 1,
      expert_group_count: 4,
      expert_group_used_count: 2,
    },
  },
};
