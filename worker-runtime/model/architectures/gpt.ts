import type {DecoderSpec, LayerNorms} from '../decoder-spec.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {decoder, denseLayers, geluNetwork, layerNorm, sharedNorm} from './parts.ts';

/** GPT-2: learnt positions, layer norms, biases. */
export function gpt2(keys: Hyperparameters): DecoderSpec {
  return decoder(keys, 'neox', {
    norm: layerNorm(keys),
    layers: denseLayers(keys, {feedForward: geluNetwork, attention: () => ({rope: null})}),
    ropes: [],
    learntPositions: true,
  });
}

/** GPT-NeoX and Pythia: two norms of the same input where the blocks run in parallel. */
export function gptneox(keys: Hyperparameters): DecoderSpec {
  const parallel = keys.flag('use_parallel_residual');
  return decoder(keys, 'neox', {
    norm: layerNorm(keys),
    layers: denseLayers(keys, {feedForward: geluNetwork, parallel}),
  });
}

/** StarCoder 2: layer norms, biases, rope. */
export function starcoder2(keys: Hyperparameters): DecoderSpec {
  return decoder(keys, 'neox', {
    norm: layerNorm(keys),
    layers: denseLayers(keys, {feedForward: geluNetwork}),
  });
}

/** Falcon: both blocks in parallel; the 40B has a norm for each. */
export function falcon(keys: Hyperparameters): DecoderSpec {
  const twoNorms: LayerNorms = {...sharedNorm, mixer: 'attn_norm_2', feedForward: 'attn_norm'};
  const norms = keys.hasTensor('blk.0.attn_norm_2.weight') ? twoNorms : sharedNorm;
  return decoder(keys, 'neox', {
    norm: layerNorm(keys),
    layers: denseLayers(keys, {feedForward: geluNetwork, parallel: true, norms}),
  });
}

/** BLOOM: ALiBi, and a norm of the embeddings. */
export function bloom(keys: Hyperparameters): DecoderSpec {
  return decoder(keys, 'normal', {
    norm: layerNorm(keys),
    layers: denseLayers(keys, {feedForward: geluNetwork, attention: () => ({rope: null, alibi: 8})}),
    ropes: [],
    embeddingNorm: 'token_embd_norm',
  });
}

/** MPT: ALiBi or learnt positions. */
export function mpt(keys: Hyperparameters): DecoderSpec {
  const norm = layerNorm(keys);
  const alibi = keys.real('attention.max_alibi_bias', 0);
  const clamp = keys.real('attention.clamp_kqv', 0);
  const normalised = keys.hasTensor('blk.0.attn_q_norm.weight');
  const queryKeyNorm = {...norm, over: 'whole'} as const;
  return decoder(keys, 'normal', {
    norm,
    layers: denseLayers(keys, {
      feedForward: geluNetwork,
      attention: () => ({rope: null, alibi, clamp, ...(normalised && {queryKeyNorm})}),
    }),
    ropes: [],
    learntPositions: keys.hasTensor('position_embd.weight'),
  });
}

/** Jais: ALiBi, SwiGLU, scores by the length of a head instead of its root. */
export function jais(keys: Hyperparameters): DecoderSpec {
  const alibi = keys.real('attention.max_alibi_bias', 0);
  const scale = keys.positive('attention.head_count') / keys.positive('embedding_length');
  return decoder(keys, 'normal', {
    norm: layerNorm(keys),
    layers: denseLayers(keys, {attention: () => ({rope: null, alibi, scale})}),
    ropes: [],
  });
}
