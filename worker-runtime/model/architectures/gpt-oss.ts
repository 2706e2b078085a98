import {preNorms} from '../decoder-spec.ts';
import type {DecoderSpec} from '../decoder-spec.ts';
import {readExperts, withExperts} from './experts.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {decoder, denseLayers, windowedLayers} from './parts.ts';

/** gpt-oss: experts, sinks, every other layer with a window. */
export function gptOss(keys: Hyperparameters): DecoderSpec {
  const window = keys.positive('attention.sliding_window');
  const windowed = windowedLayers(keys, 2);
  const layers = denseLayers(keys, {
    norms: {...preNorms, feedForward: 'post_attention_norm'},
    attention: (layer) => ({sinks: true, window: windowed[layer] ? window : 0}),
  });
  const experts = readExperts(keys, {
    length: keys.positive('expert_feed_forward_length'),
    activation: 'clamped-silu',
    routing: 'softmax-of-chosen',
    normalised: false,
  });
  return decoder(keys, 'neox', {layers: withExperts(layers, experts)});
}
