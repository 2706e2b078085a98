import type {DecoderSpec} from '../decoder-spec.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {readExperts, withExperts} from './experts.ts';
import {decoder, denseLayers, geluNetwork, layerNorm, sharedNorm} from './parts.ts';

/** Phi 1.5 and 2: both blocks in parallel, layer norms, biases. */
export function phi2(keys: Hyperparameters): DecoderSpec {
  return decoder(keys, 'neox', {
    norm: layerNorm(keys),
    layers: denseLayers(keys, {parallel: true, norms: sharedNorm, feedForward: geluNetwork}),
  });
}

/** Phi 3, 3.5 and 4: fused matrices; LongRoPE where the file has its factors. Its window is not used, as in llama.cpp. */
export function phi3(keys: Hyperparameters): DecoderSpec {
  return decoder(keys, 'neox', {layers: denseLayers(keys, {feedForward: () => ({fusedGate: true})})});
}

/** Phi 3.5 MoE: RMS norms that have biases. */
export function phimoe(keys: Hyperparameters): DecoderSpec {
  return decoder(keys, 'neox', {layers: withExperts(denseLayers(keys), readExperts(keys))});
}
