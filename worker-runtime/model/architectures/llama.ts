import type {DecoderSpec} from '../decoder-spec.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {hasExperts, readExperts, withExperts} from './experts.ts';
import {decoder, denseLayers} from './parts.ts';

/** Llama, and what comes in its name: TinyLlama, SmolLM2, Mistral, Mixtral, Yi, DeepSeek distillates, Falcon 3. */
export function llama(keys: Hyperparameters): DecoderSpec {
  const layers = denseLayers(keys);
  if (!hasExperts(keys)) {
    keys.require('expert_used_count', 0);
    return decoder(keys, 'normal', {layers});
  }
  return decoder(keys, 'normal', {layers: withExperts(layers, readExperts(keys))});
}
