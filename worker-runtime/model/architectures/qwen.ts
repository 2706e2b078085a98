import type {DecoderSpec} from '../decoder-spec.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {decoder, denseLayers, rmsNorm} from './parts.ts';

/** Qwen 2 and 2.5: a llama with biases of queries, keys and values. */
export function qwen2(keys: Hyperparameters): DecoderSpec {
  return decoder(keys, 'neox', {layers: denseLayers(keys)});
}

/** Qwen 3: heads of queries and keys are normalised. */
export function qwen3(keys: Hyperparameters): DecoderSpec {
  const queryKeyNorm = {...rmsNorm(keys), over: 'head'} as const;
  return decoder(keys, 'neox', {layers: denseLayers(keys, {attention: () => ({queryKeyNorm})})});
}
