import {ropeFactors} from './llama-like.ts';
import {f32} from './recipe.ts';
import type {TinyRecipe} from './recipe.ts';

/** Shorter than a block of 32 positions, and no multiple of anything. */
const window = {'attention.sliding_window': 21} as const;

const sandwich = ['attn_norm', 'post_attention_norm', 'ffn_norm', 'post_ffw_norm'] as const;
const behind = ['post_attention_norm', 'post_ffw_norm'] as const;

/** So narrow that many layers are quick. */
const narrow = {embedding: 24, heads: 3, headsKv: 1, feedForward: 24} as const;

const gemma3n = {
  architecture: 'gemma3n',
  norms: sandwich,
  queryKeyNorm: 'head',
  tied: true,
  streams: {count: 4, perLayer: 12, laurelRank: 8},
  // Scores have no factor but these. What is added is less than what is there: else rounding grows with every layer.
  normSizes: {
    attn_q_norm: 0.5,
    attn_k_norm: 0.5,
    post_attention_norm: 0.5,
    post_ffw_norm: 0.5,
    laurel_post_norm: 0.5,
  },
} as const;

const everyFourth = Array.from({length: 6}, (_, layer) => layer % 4 !== 3);

const yarn = {
  'rope.scaling.type': 'yarn',
  'rope.scaling.factor': f32(8),
  'rope.scaling.original_context_length': 32,
  'rope.scaling.attn_factor': f32(1.1),
} as const;

const phi3: TinyRecipe = {
  architecture: 'phi3',
  network: 'fused',
  fusedQkv: true,
  keys: {
    'rope.dimension_count': 12,
    'rope.scaling.original_context_length': 128,
    'rope.scaling.attn_factor': f32(1.2),
    // Phi 3 has one in its file; no layer uses it.
    ...window,
  },
  tensors: {'rope_factors_long.weight': ropeFactors(6, 3), 'rope_factors_short.weight': ropeFactors(6, 0.2)},
};

/** Norms behind the blocks, windows, factors of embeddings, scores and logits. */
export const windowedAndScaled: Readonly<Record<string, TinyRecipe>> = {
  gemma: {architecture: 'gemma', headLength: 20, tied: true},
  gemma2: {
    architecture: 'gemma2',
    layers: 4,
    headLength: 20,
    norms: sandwich,
    tied: true,
    keys: {...window, attn_logit_softcapping: f32(3), final_logit_softcapping: f32(5)},
  },
  'gemma2 27B': {
    ...narrow,
    architecture: 'gemma2',
    layers: 46,
    headLength: 12,
    norms: sandwich,
    tied: true,
    keys: {...window, 'rope.freq_base': f32(20000)},
  },
  gemma3: {
    architecture: 'gemma3',
    layers: 7,
    headLength: 20,
    norms: sandwich,
    queryKeyNorm: 'head',
    tied: true,
    keys: {
      ...window,
      'rope.freq_base': f32(1e6),
      'rope.scaling.type': 'linear',
      'rope.scaling.factor': f32(8),
    },
  },
  'gemma3, no window, capped logits': {
    architecture: 'gemma3',
    norms: sandwich,
    queryKeyNorm: 'head',
    keys: {'rope.freq_base': f32(1e6), final_logit_softcapping: f32(5)},
  },
  'gemma3 27B, a base for windows, layers listed': {
    ...narrow,
    architecture: 'gemma3',
    layers: 62,
    headLength: 12,
    norms: sandwich,
    queryKeyNorm: 'head',
    tied: true,
    keys: {
      ...window,
      'rope.freq_base': f32(1e6),
      'rope.freq_base_swa': f32(500),
      'attention.sliding_window_pattern': Array.from({length: 62}, (_, layer) => layer % 3 !== 1),
    },
  },
  gemma3n: {
    ...gemma3n,
    layers: 12,
    headLength: 20,
    keys: {
      ...window,
      'rope.freq_base': f32(1e6),
      // A float, as in published files.
      'attention.shared_kv_layers': f32(3),
      activation_sparsity_scale: Float32Array.from({length: 12}, (_, layer) => (layer < 5 ? 1.2 : -Infinity)),
      final_logit_softcapping: f32(10),
    },
  },
  'gemma3n, all that files need not say': {
    ...gemma3n,
    ...narrow,
    layers: 22,
    headLength: 12,
    feedForward: 96,
    keys: {...window, 'rope.freq_base': f32(1e6)},
    without: ['gemma3n.altup.num_inputs', 'gemma3n.altup.active_idx'],
  },
  'gemma3n, three streams, a base for windows, layers listed': {
    ...gemma3n,
    layers: 6,
    headLength: 20,
    feedForward: [96, 64, 96, 128, 96, 64],
    streams: {count: 3, perLayer: 16, laurelRank: 12},
    keys: {
      ...window,
      'rope.freq_base': f32(1e6),
      'rope.freq_base_swa': f32(500),
      'attention.sliding_window_pattern': [true, false, true, true, false, true],
      'attention.shared_kv_layers': 2,
    },
  },
  olmo2: {architecture: 'olmo2', norms: behind, queryKeyNorm: 'whole'},
  'olmo2, OLMo 3': {
    architecture: 'olmo2',
    layers: 6,
    norms: behind,
    queryKeyNorm: 'whole',
    keys: {...window, ...yarn, 'attention.sliding_window_pattern': everyFourth},
  },
  cohere2: {
    architecture: 'cohere2',
    layers: 5,
    norm: 'layer',
    norms: ['attn_norm'],
    tied: true,
    gain: 8,
    keys: {...window, logit_scale: f32(0.25)},
  },
  'cohere2, all layers with a window': {
    architecture: 'cohere2',
    norm: 'layer',
    norms: ['attn_norm'],
    tied: true,
    keys: {...window, logit_scale: f32(1), 'attention.sliding_window_pattern': 0},
  },
  exaone4: {
    architecture: 'exaone4',
    norms: behind,
    queryKeyNorm: 'head',
    tied: true,
    tensors: {'rope_freqs.weight': ropeFactors(8)},
  },
  'exaone4 32B, and one layer for more tokens': {
    ...narrow,
    architecture: 'exaone4',
    layers: 65,
    norms: behind,
    queryKeyNorm: 'head',
    keys: {...window, nextn_predict_layers: 1},
  },
  'glm4, and one layer for more tokens': {
    architecture: 'glm4',
    norms: sandwich,
    network: 'fused',
    biases: ['attn_q', 'attn_k', 'attn_v'],
    keys: {'rope.dimension_count': 8, nextn_predict_layers: 1},
  },
  'phi3, within the original context': {...phi3, contextLength: 128},
  'phi3, beyond the original context': {...phi3, contextLength: 256},
  granite: {
    architecture: 'granite',
    gain: 8,
    keys: {
      logit_scale: f32(4),
      embedding_scale: f32(3),
      residual_scale: f32(0.3),
      'attention.scale': f32(0.15),
    },
  },
  'granite, no rope': {
    architecture: 'granite',
    keys: {logit_scale: f32(1), 'rope.scaling.finetuned': false},
  },
  minicpm: {
    architecture: 'minicpm',
    tied: true,
    keys: {logit_scale: f32(1.25), embedding_scale: f32(4), residual_scale: f32(0.4)},
  },
  'minicpm, no factors': {
    architecture: 'minicpm',
    keys: {logit_scale: f32(1), embedding_scale: f32(0), residual_scale: f32(0)},
  },
  'minicpm, its own factors': {architecture: 'minicpm', gain: 8},
  minicpm3: {
    architecture: 'minicpm3',
    headsKv: 4,
    headLength: 20,
    gain: 0.8,
    latent: {queryRank: 28, keyValueRank: 24, turned: 8, value: 12},
    tensors: {
      'rope_factors_long.weight': ropeFactors(4, 3),
      'rope_factors_short.weight': ropeFactors(4, 0.2),
    },
  },
};
