import type {DecoderSpec, LayerSpec} from '../decoder-spec.ts';
import {readExperts, readRouting, withExperts} from './experts.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {decoder, denseLayers, rmsNorm} from './parts.ts';

/** LFM2: short convolutions, and attention in the layers that have heads for keys and values. */
export function lfm2(keys: Hyperparameters): DecoderSpec {
  const window = keys.count('attention.sliding_window', 0);
  return decoder(keys, 'neox', {layers: lfm2Layers(keys, window), outputNorm: 'token_embd_norm'});
}

/** LFM2 with experts. */
export function lfm2moe(keys: Hyperparameters): DecoderSpec {
  const leading = keys.count('leading_dense_block_count', 0);
  const experts = readExperts(keys, {
    ...readRouting(keys, 'sigmoid'),
    length: keys.positive('expert_feed_forward_length'),
    normalised: true,
  });
  return decoder(keys, 'neox', {
    layers: withExperts(lfm2Layers(keys), experts, (layer) => layer < leading),
    outputNorm: 'token_embd_norm',
  });
}

/** @param window of all layers that have attention; 0: none */
function lfm2Layers(keys: Hyperparameters, window = 0): LayerSpec[] {
  const queryKeyNorm = {...rmsNorm(keys), over: 'head'} as const;
  const channels = keys.positive('embedding_length');
  const kernelLength = keys.positive('shortconv.l_cache', {largest: 64});
  const attended = keys.countPerLayer('attention.head_count_kv').map((heads) => heads > 0);
  const convolution = {kind: 'short-convolution', kernelLength, channels} as const;
  return denseLayers(keys, {
    mixer: (layer) => (attended[layer] ? undefined : convolution),
    attention: () => ({queryKeyNorm, window}),
  });
}
