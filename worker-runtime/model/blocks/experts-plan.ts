import {groupRows} from '../../core/core-exports.ts';
import type {Range, Share} from '../../shards/share.ts';
import type {ExpertsSpec} from '../decoder-spec.ts';
import {rowStride} from '../scratch.ts';
import type {ScratchPlan} from '../scratch.ts';
import type {WeightPlanner} from '../weight-planner.ts';
import type {DividedLinear, Linear} from '../weights.ts';
import {planFeedForward, planFeedForwardScratch} from './feed-forward.ts';
import type {FeedForwardWeights} from './feed-forward.ts';

export interface Expert {
  /** This shard's part of the hidden layer. */
  readonly gate: Linear;
  readonly up: Linear;
  /** This shard's part of the output, of the whole hidden layer. */
  readonly down: Linear;
}

export interface ExpertsWeights {
  readonly router: DividedLinear;
  /** Added to probabilities where experts are chosen, but not where they are weighed. */
  readonly choiceBias: Float32Array<ArrayBuffer> | null;
  readonly experts: readonly Expert[];
  /** What each shard has of the hidden layers, and of the output. */
  readonly hiddenRanges: readonly Range[];
  readonly outputRanges: readonly Range[];
  readonly shared: FeedForwardWeights | null;
  /** (1, embeddingLength): how much of the shared network a token takes. */
  readonly sharedGate: DividedLinear | null;
}

/** @param name prefix of the layer's tensors */
export function planExperts(
  {count, length, shared}: ExpertsSpec,
  embeddingLength: number,
  name: string,
  weights: WeightPlanner,
): ExpertsWeights {
  const {share} = weights;
  const router = weights.divided(`${name}.ffn_gate_inp`, count, embeddingLength);
  const choiceBias = weights.optionalArray(`${name}.exp_probs_b.bias`, count);
  const hiddenRanges = share.ranges(length, groupRows);
  const outputRanges = share.ranges(embeddingLength, groupRows);
  const hidden = share.own(hiddenRanges);
  const plan = (tensor: string, rows: readonly number[]): Linear[][] =>
    weights.experts(
      `${name}.${tensor}`,
      count,
      rows,
      embeddingLength,
      rows.map(() => hidden),
    );
  const gatesAndUps = weights.has(`${name}.ffn_gate_up_exps.weight`)
    ? plan('ffn_gate_up_exps', [length, length])
    : joined(plan('ffn_gate_exps', [length]), plan('ffn_up_exps', [length]));
  const output = [share.own(outputRanges)];
  const downs = weights.experts(`${name}.ffn_down_exps`, count, [embeddingLength], length, output, length);
  const experts = joined(gatesAndUps, downs).map(([gate, up, down]): Expert => {
    if (!gate || !up || !down) throw new RangeError('an expert has three matrices');
    return {gate, up, down};
  });
  const gateName = `${name}.ffn_gate_inp_shexp`;
  return {
    router,
    choiceBias,
    experts,
    hiddenRanges,
    outputRanges,
    shared: shared ? planFeedForward(shared, embeddingLength, name, weights, '_shexp') : null,
    sharedGate: weights.has(`${gateName}.weight`) ? weights.divided(gateName, 1, embeddingLength) : null,
  };
}

const joined = (a: Linear[][], b: Linear[][]): Linear[][] =>
  a.map((linears, index) => [...linears, ...(b[index] ?? [])]);

export function planExpertsScratch(
  {count, used, length, shared}: ExpertsSpec,
  {hiddenRanges, shared: sharedWeights}: ExpertsWeights,
  embeddingLength: number,
  share: Share,
  scratch: ScratchPlan,
): void {
  const own = share.own(hiddenRanges).count;
  scratch.rows('router', count);
  scratch.rows('gate', own);
  scratch.rows('up', own);
  scratch.rows('expert input', Math.max(embeddingLength, length));
  scratch.bytes('expert hidden', scratch.sliceLength * used * rowStride(length));
  scratch.bytes('expert outputs', scratch.sliceLength * used * rowStride(embeddingLength));
  scratch.rows('experts', embeddingLength);
  if (shared && sharedWeights) {
    planFeedForwardScratch(shared, sharedWeights, share, scratch);
    scratch.rows('shared gate', 1);
  }
}
