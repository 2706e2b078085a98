import type {FeedForwardSpec} from '../decoder-spec.ts';
import type {Rows, ScratchPlan} from '../scratch.ts';
import type {WeightPlanner} from '../weight-planner.ts';
import type {Linear, NormWeights} from '../weights.ts';
import {activate} from './activation.ts';
import {normalise} from './kernels.ts';
import type {Block, Kernels, Pass} from './kernels.ts';

export interface FeedForwardWeights {
  readonly gate: Linear | null;
  readonly up: Linear;
  readonly innerNorm: NormWeights | null;
  readonly down: Linear;
}

/**
 * @param name prefix of the layer's tensors
 * @param suffix of their names
 */
export function planFeedForward(
  {length, gated, fusedGate = false, innerNorm}: FeedForwardSpec,
  embeddingLength: number,
  name: string,
  weights: WeightPlanner,
  suffix = '',
): FeedForwardWeights {
  const rest = (): Pick<FeedForwardWeights, 'innerNorm' | 'down'> => ({
    innerNorm: innerNorm ? weights.norm(`${name}.ffn_sub_norm`, length, innerNorm) : null,
    down: weights.linear(`${name}.ffn_down${suffix}`, embeddingLength, length, length),
  });
  if (fusedGate) {
    const [gate, up] = weights.stacked(`${name}.ffn_up${suffix}`, [length, length], embeddingLength) as [
      Linear,
      Linear,
    ];
    return {gate, up, ...rest()};
  }
  const gate = gated ? weights.linear(`${name}.ffn_gate${suffix}`, length, embeddingLength) : null;
  return {gate, up: weights.linear(`${name}.ffn_up${suffix}`, length, embeddingLength), ...rest()};
}

export function planFeedForwardScratch({length, gated}: FeedForwardSpec, scratch: ScratchPlan): void {
  scratch.rows('up', length);
  if (gated) scratch.rows('gate', length);
}

/** y = (activation(x · Wgate) ∘ x · Wup) · Wdown, or activation(x · Wup) · Wdown */
export class FeedForward implements Block {
  readonly #spec: FeedForwardSpec;
  readonly #weights: FeedForwardWeights;
  readonly #kernels: Kernels;
  /** (tokens, length) */
  readonly #gate: Rows | null;
  readonly #up: Rows;

  constructor(spec: FeedForwardSpec, weights: FeedForwardWeights, kernels: Kernels) {
    const {scratch} = kernels;
    this.#spec = spec;
    this.#weights = weights;
    this.#kernels = kernels;
    this.#gate = weights.gate && scratch.rows('gate', spec.length);
    this.#up = scratch.rows('up', spec.length);
  }

  async run(x: Rows, y: Rows, {tokens, checkpoint}: Pass): Promise<void> {
    const {products} = this.#kernels;
    const {gate, up, down, innerNorm} = this.#weights;
    const {innerNorm: norm} = this.#spec;
    if (gate && this.#gate) products.project(gate, x, this.#gate, tokens);
    products.project(up, x, this.#up, tokens, gate ?? undefined);
    activate(this.#kernels.core.exports, this.#spec.activation, this.#gate, this.#up, tokens);
    if (norm && innerNorm) normalise(this.#kernels, norm, innerNorm, this.#up, this.#up, tokens);
    await checkpoint();
    await products.projectDivided(down, this.#up, y, tokens);
  }
}
