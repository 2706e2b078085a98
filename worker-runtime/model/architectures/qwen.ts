import {preNorms} from '../decoder-spec.ts';
import type {DecoderSpec, DeltaRuleSpec, NormSpec} from '../decoder-spec.ts';
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

/** Qwen 3.5: the gated delta rule, and attention with a gate in every fourth layer. */
export function qwen35(keys: Hyperparameters): DecoderSpec {
  return withDeltaRule(keys, {});
}

/** Qwen 3.5 with experts beside a shared network that has a gate. */
export function qwen35moe(keys: Hyperparameters): DecoderSpec {
  return withGatedExperts(keys, qwen35(keys));
}

/** Qwen 3 Next: the same, with heads of values side by side that share a head of keys. */
export function qwen3next(keys: Hyperparameters): DecoderSpec {
  return withGatedExperts(keys, withDeltaRule(keys, {grouped: true}));
}

function withDeltaRule(keys: Hyperparameters, heads: Pick<DeltaRuleSpec, 'grouped'>): DecoderSpec {
  const norm = rmsNorm(keys);
  const interval = keys.positive('full_attention_interval', {fallback: 4});
  const listed = keys.flagPerLayer('attention.recurrent_layers');
  const isRecurrent = (layer: number): boolean => listed?.[layer] ?? (layer + 1) % interval !== 0;
  const recurrent = {...readDeltaRule(keys, norm), ...heads};
  const layers = denseLayers(keys, {
    norms: {...preNorms, feedForward: 'post_attention_norm'},
    mixer: (layer) => (isRecurrent(layer) ? recurrent : undefined),
    attention: () => ({queryKeyNorm: {...norm, over: 'head'}, gated: true}),
  });
  const count = keys.layerCount - keys.count('nextn_predict_layers', 0);
  return decoder(keys, 'neox', {
    layers: layers.slice(0, count),
    // They predict more tokens at once.
    ignoredTensors: layers.slice(count).map((_, index) => `blk.${count + index}.`),
  });
}

function withGatedExperts(keys: Hyperparameters, {layers, ...rest}: DecoderSpec): DecoderSpec {
  const experts = readExperts(keys, {
    length: keys.positive('expert_feed_forward_length'),
    ...sharedNetwork(keys.count('expert_shared_feed_forward_length', 0)),
  });
  return {...rest, layers: withExperts(layers, experts)};
}

/** Of values, the kernels take 16 at once. */
const valueStep = 16;

function readDeltaRule(keys: Hyperparameters, norm: NormSpec): DeltaRuleSpec {
  const inner = keys.positive('ssm.inner_size');
  const headCount = keys.positive('ssm.time_step_rank');
  const keyHeadCount = keys.positive('ssm.group_count');
  if (inner % headCount !== 0 || (inner / headCount) % valueStep !== 0) {
    throw keys.unsupported(
      'ssm.inner_size',
      `${inner} for ${headCount} heads: only multiples of ${valueStep} are supported`,
    );
  }
  if (headCount % keyHeadCount !== 0) {
    throw keys.refusal(
      'ssm.group_count',
      `${keyHeadCount} does not divide ${keys.key('ssm.time_step_rank')} ${headCount}`,
    );
  }
  return {
    kind: 'delta-rule',
    headCount,
    keyHeadCount,
    keyLength: keys.positive('ssm.state_size'),
    valueLength: inner / headCount,
    kernelLength: keys.positive('ssm.conv_kernel', {largest: 64}),
    norm,
  };
}
