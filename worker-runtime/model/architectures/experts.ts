import type {ExpertsSpec, FeedForwardSpec, LayerSpec} from '../decoder-spec.ts';
import type {Hyperparameters} from './hyperparameters.ts';

/** Whether the file has experts at all: some architectures come with and without. */
export function hasExperts(keys: Hyperparameters): boolean {
  return keys.count('expert_count', 0) > 0;
}

/**
 * The `expert_*` keys. What an architecture always has otherwise is in `parts`.
 *
 * @throws {GgufError} for numbers that do not fit together
 */
export function readExperts(keys: Hyperparameters, parts: Partial<ExpertsSpec> = {}): ExpertsSpec {
  const count = keys.positive('expert_count', {largest: 4096});
  const used = keys.positive('expert_used_count');
  if (used > count) {
    throw keys.refusal('expert_used_count', `${used} is more than ${keys.key('expert_count')} ${count}`);
  }
  return {
    kind: 'experts',
    count,
    used,
    length: keys.positive('expert_feed_forward_length', {
      fallback: keys.countPerLayer('feed_forward_length')[0] ?? 0,
    }),
    activation: 'silu',
    routing: 'softmax',
    normalised: true,
    scale: 1,
    ...readGroups(keys, count),
    ...parts,
  };
}

/** How a file says that probabilities are made, for architectures that leave it open. */
export function readRouting(
  keys: Hyperparameters,
  fallback: ExpertsSpec['routing'],
): Pick<ExpertsSpec, 'routing' | 'normalised' | 'scale'> {
  const number = keys.count('expert_gating_func', 0);
  const routing = ([fallback, 'softmax', 'sigmoid', 'softmax-of-chosen'] as const)[number];
  if (!routing) throw keys.unsupported('expert_gating_func', `${number} is not supported`);
  return {
    routing,
    normalised: keys.flag('expert_weights_norm', false),
    scale: keys.real('expert_weights_scale', 0) || 1,
  };
}

/** A network for every token, beside the experts. */
export function sharedNetwork(length: number): {readonly shared?: FeedForwardSpec} {
  if (length === 0) return {};
  return {shared: {kind: 'dense', length, activation: 'silu', gated: true}};
}

/** Layers whose networks become experts, but for the first ones. */
export function withExperts(
  layers: readonly LayerSpec[],
  experts: ExpertsSpec,
  isDense: (layer: number) => boolean = () => false,
): LayerSpec[] {
  return layers.map((layer, index) => (isDense(index) ? layer : {...layer, feedForward: experts}));
}

function readGroups(keys: Hyperparameters, experts: number): Pick<ExpertsSpec, 'groups'> {
  const count = keys.count('expert_group_count', 0);
  const used = keys.count('expert_group_used_count', 0);
  if (count <= 1 || used === 0) return {};
  if (experts % count === 0) return {groups: {count, used}};
  throw keys.refusal('expert_group_count', `${count} does not divide ${keys.key('expert_count')} ${experts}`);
}
