import type {DecoderSpec} from '../decoder-spec.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {decoder, denseLayers, factorOrOne, layerNorm, sharedNorm, windowedLayers} from './parts.ts';

/** Command R: both blocks in parallel, layer norms without biases; the 104B normalises each head. */
export function commandR(keys: Hyperparameters): DecoderSpec {
  const norm = layerNorm(keys);
  const normalised = keys.hasTensor('blk.0.attn_q_norm.weight');
  const queryKeyNorm = {...norm, over: 'each-head'} as const;
  return decoder(keys, 'normal', {
    norm,
    layers: denseLayers(keys, {
      parallel: true,
      norms: sharedNorm,
      attention: () => (normalised ? {queryKeyNorm} : {}),
    }),
    logitScale: factorOrOne(keys, 'logit_scale'),
  });
}

/** Command R7B: three layers with a window and rope to one that has neither. */
export function cohere2(keys: Hyperparameters): DecoderSpec {
  const window = keys.positive('attention.sliding_window');
  const windowed = windowedLayers(keys, 4);
  return decoder(keys, 'normal', {
    norm: layerNorm(keys),
    layers: denseLayers(keys, {
      parallel: true,
      norms: sharedNorm,
      attention: (layer) => (windowed[layer] ? {window} : {rope: null}),
    }),
    logitScale: keys.real('logit_scale'),
  });
}
