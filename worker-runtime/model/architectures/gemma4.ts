import type {DecoderSpec, FeedForwardSpec} from '../decoder-spec.ts';
import {hasExperts} from './experts.ts';
import {embeddingScale} from './gemma.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {decoder, denseLayers, rmsNorm, sandwichNorms} from './parts.ts';
import {readRope} from './rope.ts';
import {sharedCaches} from './shared-caches.ts';

const feedForward = (): Partial<FeedForwardSpec> => ({activation: 'gelu'});

/**
 * Gemma 4: heads of other lengths in layers with a window, last layers that use the keys and values of earlier ones, an
 * embedding of each token for each layer. Not its variant with experts.
 */
export function gemma4(keys: Hyperparameters): DecoderSpec {
  if (hasExperts(keys)) throw keys.unsupported('expert_count', '> 0 is not supported');
  const windowed = keys.flagPerLayer('attention.sliding_window_pattern');
  if (!windowed) throw keys.refusal('attention.sliding_window_pattern', 'must have a flag for each layer');
  const perLayerLength = keys.count('embedding_length_per_layer_input');
  const [fullLength, windowLength] = [
    keys.positive('attention.key_length'),
    keys.positive('attention.key_length_swa'),
  ];
  keys.require('attention.value_length_swa', windowLength);
  const window = keys.positive('attention.sliding_window');
  const norm = rmsNorm(keys);
  const shared = sharedCaches(keys, windowed, keys.count('attention.shared_kv_layers', 0));
  const layers = denseLayers(keys, {
    feedForward,
    norms: sandwichNorms,
    attention: (layer) => {
      const source = shared(layer);
      return {
        headLength: windowed[layer] ? windowLength : fullLength,
        window: windowed[layer] ? window : 0,
        rope: windowed[layer] ? 1 : 0,
        scale: 1,
        queryKeyNorm: {...norm, over: 'head'},
        valueNorm: {...norm, plain: true},
        ...(source !== undefined && {sharesCacheOf: source}),
      };
    },
  }).map((layer) => ({...layer, perLayerInput: perLayerLength > 0}));
  const rope = readRope(keys, 'neox', fullLength);
  const windowRope = {
    ...rope,
    dimensions: keys.positive('rope.dimension_count_swa', {fallback: windowLength}),
    base: keys.positiveReal('rope.freq_base_swa', 10000),
    scaling: {kind: 'none'},
    factorsTensor: null,
  } as const;
  return decoder(keys, 'neox', {
    norm,
    layers,
    ropes: [rope, windowRope],
    embeddingScale: embeddingScale(keys),
    perLayerLength,
    logitSoftCap: keys.real('final_logit_softcapping', 30),
  });
}
