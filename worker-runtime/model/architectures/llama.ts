import type {DecoderSpec} from '../decoder-spec.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {decoder, denseLayers} from './parts.ts';

/** Llama, and what comes in its name: TinyLlama, SmolLM2, Mistral, Yi, DeepSeek distillates, Falcon 3. */
export function llama(keys: Hyperparameters): DecoderSpec {
  keys.require('expert_used_count', 0);
  keys.require('expert_count', 0);
  return decoder(keys, 'normal', {layers: denseLayers(keys)});
}
