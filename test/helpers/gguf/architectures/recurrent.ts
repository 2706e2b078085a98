import {Random} from '../random.ts';
import {f32} from './recipe.ts';
import type {TinyMixer, TinyRecipe} from './recipe.ts';

const withoutAttention = {
  heads: 0,
  headsKv: 0,
  feedForward: 0,
  norms: ['attn_norm'],
  network: 'none',
} as const;

const mamba = {kind: 'mamba', inner: 96, state: 8, rank: 4, taps: 4} as const satisfies TinyMixer;
const mamba2 = {
  kind: 'mamba2',
  inner: 128,
  state: 16,
  heads: 8,
  groups: 2,
  taps: 4,
} as const satisfies TinyMixer;
const convolution = {kind: 'short-convolution', taps: 3} as const satisfies TinyMixer;
const deltaRule = {
  kind: 'delta-rule',
  inner: 64,
  state: 16,
  heads: 4,
  groups: 2,
  taps: 4,
} as const satisfies TinyMixer;

const timeMix = {kind: 'time-mix', ranks: [16, 24, 8, 32], hidden: 128} as const satisfies TinyMixer;

const mambaKeys = {
  'ssm.conv_kernel': mamba.taps,
  'ssm.inner_size': mamba.inner,
  'ssm.state_size': mamba.state,
  'ssm.time_step_rank': mamba.rank,
} as const;

const headedKeys = ({taps, inner, state, heads, groups}: typeof mamba2 | typeof deltaRule) => ({
  'ssm.conv_kernel': taps,
  'ssm.inner_size': inner,
  'ssm.state_size': state,
  'ssm.time_step_rank': heads,
  'ssm.group_count': groups,
});

const lfm2: TinyRecipe = {
  architecture: 'lfm2',
  headsKv: [0, 2, 0],
  queryKeyNorm: 'head',
  mixer: (layer) => (layer === 1 ? undefined : convolution),
  outputNorm: 'token_embd_norm',
  tied: true,
  keys: {'shortconv.l_cache': convolution.taps},
};

const qwen35: TinyRecipe = {
  architecture: 'qwen35',
  layers: 4,
  headLength: 16,
  norms: ['attn_norm', 'post_attention_norm'],
  queryKeyNorm: 'head',
  gatedHeads: true,
  mixer: (layer) => (layer % 2 === 1 ? undefined : deltaRule),
  keys: {...headedKeys(deltaRule), full_attention_interval: 2, 'rope.dimension_count': 8},
};

/** Layers with a state. */
export const recurrent: Readonly<Record<string, TinyRecipe>> = {
  mamba: {...withoutAttention, architecture: 'mamba', mixer: () => mamba, keys: mambaKeys},
  'mamba, Falcon Mamba': {
    ...withoutAttention,
    architecture: 'mamba',
    mixer: () => mamba,
    keys: {...mambaKeys, 'ssm.dt_b_c_rms': true},
  },
  mamba2: {
    ...withoutAttention,
    architecture: 'mamba2',
    mixer: () => mamba2,
    tied: true,
    keys: headedKeys(mamba2),
  },
  'falcon-h1': {
    architecture: 'falcon-h1',
    mixer: () => ({...mamba2, besideAttention: true}),
    keys: headedKeys(mamba2),
  },
  'granitehybrid, experts': {
    architecture: 'granitehybrid',
    headsKv: [0, 2, 0],
    mixer: (layer) => (layer === 1 ? undefined : mamba2),
    gain: 8,
    feedForward: 48,
    experts: {count: 8, used: 3, length: 48, shared: 64},
    keys: {
      ...headedKeys(mamba2),
      logit_scale: f32(4),
      embedding_scale: f32(3),
      residual_scale: f32(0.3),
      'attention.scale': f32(0.15),
      'rope.scaling.finetuned': false,
    },
  },
  lfm2: lfm2,
  'lfm2, windows': {...lfm2, keys: {...lfm2.keys, 'attention.sliding_window': 21}},
  lfm2moe: {
    ...lfm2,
    architecture: 'lfm2moe',
    experts: {count: 8, used: 3, length: 48, layers: [1, 2], choiceBias: true},
    keys: {...lfm2.keys, leading_dense_block_count: 1, expert_gating_func: 2},
  },
  qwen35: qwen35,
  qwen35moe: {
    ...qwen35,
    architecture: 'qwen35moe',
    experts: {count: 8, used: 3, length: 48, shared: 80, sharedGate: true},
  },
  'qwen35, layers listed': {
    ...qwen35,
    mixer: (layer) => (layer === 0 ? undefined : deltaRule),
    keys: {...qwen35.keys, 'attention.recurrent_layers': [false, true, true, true]},
  },
  rwkv7: {
    ...withoutAttention,
    architecture: 'rwkv7',
    norm: 'layer-with-bias',
    norms: ['attn_norm', 'attn_norm_2'],
    feedForward: timeMix.hidden,
    mixer: () => timeMix,
    keys: {
      'wkv.head_size': 16,
      'attention.decay_lora_rank': timeMix.ranks[0],
      'attention.iclr_lora_rank': timeMix.ranks[1],
      'attention.value_residual_mix_lora_rank': timeMix.ranks[2],
      'attention.gate_lora_rank': timeMix.ranks[3],
    },
    tensors: {
      'token_embd_norm.weight': {
        dimensions: [64],
        data: new Random(14).uniform(64, 0.3).map((value) => 1 + value),
      },
      'token_embd_norm.bias': {dimensions: [64], data: new Random(15).uniform(64, 0.3)},
    },
  },
  qwen3next: {
    ...qwen35,
    architecture: 'qwen3next',
    mixer: (layer) => (layer % 2 === 1 ? undefined : {...deltaRule, joined: true}),
    experts: {count: 8, used: 3, length: 48, shared: 80, sharedGate: true},
  },
};
