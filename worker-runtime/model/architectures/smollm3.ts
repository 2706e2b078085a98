import type {DecoderSpec} from '../decoder-spec.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {decoder, denseLayers} from './parts.ts';

/** Every so many layers have no rope. */
const ropelessPeriod = 4;

/** SmolLM3: a llama of which every fourth layer has no rope. */
export function smollm3(keys: Hyperparameters): DecoderSpec {
  const attention = (layer: number) => ((layer + 1) % ropelessPeriod === 0 ? {rope: null} : {});
  return decoder(keys, 'normal', {layers: denseLayers(keys, {attention})});
}
