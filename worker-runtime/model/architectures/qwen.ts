import type {DecoderSpec} from '../decoder-spec.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {readExperts, sharedNetwork, withExperts} from './experts.ts';
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

/** Qwen 1.5 and 2 MoE: experts beside a shared network that has a gate. */
export function qwen2moe(keys: Hyperparameters): DecoderSpec {
  const length = keys.positive('feed_forward_length');
  const experts = readExperts(keys, {
    length: expertLength(keys, length),
    normalised: false,
    ...sharedNetwork(keys.positive('expert_shared_feed_forward_length', {fallback: length})),
  });
  return decoder(keys, 'neox', {layers: withExperts(denseLayers(keys), experts)});
}

/** Qwen 3 MoE. */
export function qwen3moe(keys: Hyperparameters): DecoderSpec {
  const {layers, ...rest} = qwen3(keys);
  const length = expertLength(keys, keys.positive('feed_forward_length'));
  return {...rest, layers: withExperts(layers, readExperts(keys, {length}))};
}

/** Without a key of their own the chosen experts share the length of the dense network. */
function expertLength(keys: Hyperparameters, length: number): number {
  const used = keys.positive('expert_used_count');
  return keys.positive('expert_feed_forward_length', {fallback: Math.floor(length / used)});
}
