import type {DecoderSpec} from '../decoder-spec.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {readExperts, withExperts} from './experts.ts';
import {decoder, denseLayers, firstHeadLength, postNorms, rmsNorm, windowedLayers} from './parts.ts';
import {readRope} from './rope.ts';

/** OLMo: layer norms without weights, and limits for queries, keys and values. */
export function olmo(keys: Hyperparameters): DecoderSpec {
  const clamp = keys.real('attention.clamp_kqv', 0);
  return decoder(keys, 'normal', {
    layers: denseLayers(keys, {attention: () => ({clamp})}),
    norm: {kind: 'layer', epsilon: keys.positiveReal('attention.layer_norm_epsilon'), plain: true},
  });
}

/** OLMo 2: norms behind both blocks, and of queries and keys as wholes. OLMo 3 has windows, whose rope is not scaled. */
export function olmo2(keys: Hyperparameters): DecoderSpec {
  const queryKeyNorm = {...rmsNorm(keys), over: 'whole'} as const;
  const window = keys.count('attention.sliding_window', 0);
  const windowed = windowedLayers(keys, 4).map((has) => has && window > 0);
  const layers = denseLayers(keys, {
    norms: postNorms,
    attention: (layer) => ({
      queryKeyNorm,
      window: windowed[layer] ? window : 0,
      rope: windowed[layer] ? 1 : 0,
    }),
  });
  const rope = readRope(keys, 'neox', firstHeadLength(layers));
  const plain = {...rope, scaling: {kind: 'none'}, attentionFactor: 1, factorsTensor: null} as const;
  return decoder(keys, 'neox', {layers, ropes: windowed.includes(true) ? [rope, plain] : [rope]});
}

/** OLMoE: norms of queries and keys as wholes; the weights of experts do not add up to one. */
export function olmoe(keys: Hyperparameters): DecoderSpec {
  const queryKeyNorm = {...rmsNorm(keys), over: 'whole'} as const;
  const experts = readExperts(keys, {normalised: false});
  return decoder(keys, 'neox', {
    layers: withExperts(denseLayers(keys, {attention: () => ({queryKeyNorm})}), experts),
  });
}
