import type {Range, Share} from '../../shards/share.ts';
import type {FeedForwardSpec} from '../decoder-spec.ts';
import type {Rows, ScratchPlan} from '../scratch.ts';
import type {WeightPlanner} from '../weight-planner.ts';
import type {Contraction, Linear, NormWeights} from '../weights.ts';
import {activate} from './activation.ts';
import {normalise} from './kernels.ts';
import type {Block, Kernels, Pass} from './kernels.ts';

export interface FeedForwardWeights {
  /** What each shard has of the hidden layer. */
  readonly ranges: readonly Range[];
  readonly gate: Linear | null;
  readonly up: Linear;
  readonly innerNorm: NormWeights | null;
  readonly down: Contraction;
}

const usualTensors = {up: 'ffn_up', down: 'ffn_down'} as const;

/**
 * @param name prefix of the layer's tensors
 * @param suffix of their names
 */
export function planFeedForward(
  {length, gated, fusedGate = false, gateCutoff = 0, innerNorm, tensors = usualTensors}: FeedForwardSpec,
  embeddingLength: number,
  name: string,
  weights: WeightPlanner,
  suffix = '',
): FeedForwardWeights {
  const [upName, downName] = [`${name}.${tensors.up}${suffix}`, `${name}.${tensors.down}${suffix}`];
  const ranges = weights.hiddenRanges(downName, length);
  const own = weights.share.own(ranges);
  if (gateCutoff > 0) weights.addExchanges(1);
  const linear = (tensor: string): Linear => weights.linear(tensor, length, embeddingLength, own);
  const inputs = (): Pick<FeedForwardWeights, 'gate' | 'up'> => {
    if (!fusedGate) {
      return {
        gate: gated ? linear(`${name}.ffn_gate${suffix}`) : null,
        up: linear(upName),
      };
    }
    const [gate, up] = weights.stacked(upName, [length, length], embeddingLength, [own, own]) as [
      Linear,
      Linear,
    ];
    return {gate, up};
  };
  return {
    ranges,
    ...inputs(),
    innerNorm: innerNorm ? weights.norm(`${name}.ffn_sub_norm`, length, innerNorm) : null,
    down: weights.contraction(downName, embeddingLength, length, {
      units: length,
      ranges,
      needsWhole: innerNorm !== undefined,
    }),
  };
}

export function planFeedForwardScratch(
  {length, gated, gateCutoff = 0}: FeedForwardSpec,
  {ranges}: FeedForwardWeights,
  share: Share,
  scratch: ScratchPlan,
): void {
  const own = share.own(ranges).count;
  scratch.rows('up', own);
  if (gated) scratch.rows('gate', own);
  if (share.count === 1) return;
  scratch.rows('all up', length);
  if (gateCutoff > 0) scratch.rows('all gates', length);
}

/** y = (activation(cut(x · Wgate)) ∘ x · Wup) · Wdown, or activation(x · Wup) · Wdown */
export class FeedForward implements Block {
  readonly #spec: FeedForwardSpec;
  readonly #weights: FeedForwardWeights;
  readonly #kernels: Kernels;
  /** This shard's part of the hidden layer: (tokens, …). */
  readonly #gate: Rows | null;
  readonly #up: Rows;
  /** (tokens, length) */
  readonly #allUp: Rows;

  constructor(spec: FeedForwardSpec, weights: FeedForwardWeights, kernels: Kernels) {
    const {scratch} = kernels;
    const own = weights.up.matrix.rows;
    this.#spec = spec;
    this.#weights = weights;
    this.#kernels = kernels;
    this.#gate = weights.gate && scratch.rows('gate', own);
    this.#up = scratch.rows('up', own);
    this.#allUp = kernels.products.share.count === 1 ? this.#up : scratch.rows('all up', spec.length);
  }

  async run(x: Rows, y: Rows, pass: Pass): Promise<void> {
    const {tokens, checkpoint} = pass;
    const {products} = this.#kernels;
    const {gate, up, down} = this.#weights;
    if (gate && this.#gate) await products.projectPaced(gate, x, this.#gate, pass);
    await products.projectPaced(up, x, this.#up, pass, gate ?? undefined);
    await this.#cutGate(tokens);
    activate(this.#kernels.core.exports, this.#spec.activation, this.#gate, this.#up, tokens);
    await checkpoint();
    const hidden = await this.#normalise(tokens);
    await products.contract(down, hidden, this.#allUp, y, pass);
  }

  /** gate = max(gate - cutoff, 0), where all shards' parts of the gate decide how high the cutoff is. */
  async #cutGate(tokens: number): Promise<void> {
    const {length, gateCutoff = 0} = this.#spec;
    const gate = this.#gate;
    if (!gate || gateCutoff === 0) return;
    const {products, scratch, core} = this.#kernels;
    const {ranges} = this.#weights;
    const isAlone = products.share.count === 1;
    const whole = isAlone ? gate : scratch.rows('all gates', length);
    if (!isAlone) await products.assemble(gate, whole, ranges, tokens);
    core.exports.cutBelow(whole.pointer, length, gateCutoff, tokens, whole.stride);
    if (!isAlone) products.takeOwn(whole, gate, ranges, tokens);
  }

  /** What `down` is given: this shard's part of the hidden layer, or all of it where there is a norm over it. */
  async #normalise(tokens: number): Promise<Rows> {
    const {innerNorm: norm} = this.#spec;
    const {innerNorm, ranges} = this.#weights;
    if (!norm || !innerNorm) return this.#up;
    const whole = this.#allUp;
    if (whole !== this.#up) await this.#kernels.products.assemble(this.#up, whole, ranges, tokens);
    normalise(this.#kernels, norm, innerNorm, whole, whole, tokens);
    return whole;
  }
}
