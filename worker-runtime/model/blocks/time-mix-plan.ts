import type {Range, Share} from '../../shards/share.ts';
import type {TimeMixSpec} from '../decoder-spec.ts';
import {timeMixRanges} from '../mixer-states.ts';
import type {ScratchPlan} from '../scratch.ts';
import type {WeightPlanner} from '../weight-planner.ts';
import type {Contraction, DividedLinear, Linear, NormWeights, Vector} from '../weights.ts';

/** A product by way of a short vector, which all shards need; of the result each has its heads. */
export interface LowRank {
  readonly into: DividedLinear;
  readonly out: Linear;
}

export interface TimeMixWeights {
  /** Channels of the heads of this shard: what it has of everything but `shares` and `into`. */
  readonly own: Range;
  /** How much of the token before the inputs get: (6, embeddingLength), in the order of {@link shiftedInputs}. */
  readonly shares: Vector;
  readonly receptance: Linear;
  readonly key: Linear;
  readonly value: Linear;
  readonly decay: LowRank;
  readonly rate: LowRank;
  /** How much of the first layer's values the values get; `null` in the first layer. */
  readonly valueShare: LowRank | null;
  readonly gate: LowRank;
  /** What makes of keys those that are removed, and how far these are replaced. */
  readonly removal: Vector;
  readonly replacement: Vector;
  readonly bonus: Vector;
  readonly norm: NormWeights;
  readonly output: Contraction;
}

export const shiftedInputs = ['receptance', 'decay', 'key', 'value', 'rate', 'gate'] as const;

/** @param name prefix of the layer's tensors */
export function planTimeMix(
  spec: TimeMixSpec,
  embeddingLength: number,
  name: string,
  weights: WeightPlanner,
): TimeMixWeights {
  const {headCount, headLength, ranks} = spec;
  const channels = headCount * headLength;
  const ranges = timeMixRanges(spec, weights.share);
  const own = weights.share.own(ranges);
  const tensor = (part: string): string => `${name}.time_mix_${part}`;
  const vector = (part: string): Vector => weights.vector(tensor(part), [channels], own);
  const linear = (part: string): Linear => weights.linear(tensor(part), channels, embeddingLength, own);
  const lowRank = (letter: string, rank: number, biased: boolean): LowRank => {
    const out = weights.linear(tensor(`${letter}2`), channels, rank, own);
    return {
      into: weights.divided(tensor(`${letter}1`), rank, embeddingLength),
      out: biased ? {...out, bias: vector(`${letter}0.weight`)} : out,
    };
  };
  return {
    own,
    shares: weights.vector(tensor('lerp_fused.weight'), [embeddingLength, 1, 1, shiftedInputs.length]),
    receptance: linear('receptance'),
    key: linear('key'),
    value: linear('value'),
    decay: lowRank('w', ranks.decay, true),
    rate: lowRank('a', ranks.rate, true),
    valueShare: ranks.value > 0 ? lowRank('v', ranks.value, true) : null,
    gate: lowRank('g', ranks.gate, false),
    removal: vector('k_k.weight'),
    replacement: vector('k_a.weight'),
    bonus: vector('r_k.weight'),
    norm: {weight: vector('ln.weight'), bias: vector('ln.bias')},
    output: weights.contraction(tensor('output'), embeddingLength, channels, {units: headCount, ranges}),
  };
}

/** Of the heads of this shard. */
export const ownRows = [
  ...['receptance', 'key', 'value', 'decays', 'rates', 'value shares', 'output gate'],
  ...['removed keys', 'replaced keys', 'recalled'],
] as const;

/** The first layer's values, which those behind it need: nothing else has this name. */
export const firstValues = 'first values';

/** Of all shards. */
export const allRecalled = 'all recalled';

/** The short vectors. */
export const rankRows = {
  decay: 'decay rank',
  rate: 'rate rank',
  value: 'value rank',
  gate: 'gate rank',
} as const;

export function planTimeMixScratch(spec: TimeMixSpec, share: Share, scratch: ScratchPlan): void {
  const {headCount, headLength, ranks} = spec;
  const channels = headCount * headLength;
  const own = share.own(timeMixRanges(spec, share)).count;
  scratch.rows('shifted', channels);
  for (const name of [...ownRows, firstValues]) scratch.rows(name, own);
  scratch.rows(rankRows.decay, ranks.decay);
  scratch.rows(rankRows.rate, ranks.rate);
  scratch.rows(rankRows.value, ranks.value);
  scratch.rows(rankRows.gate, ranks.gate);
  if (share.count > 1) scratch.rows(allRecalled, channels);
}
