import {activations} from '../../core/core-exports.ts';
import type {CoreExports} from '../../core/core-exports.ts';
import type {FeedForwardSpec, Xielu} from '../decoder-spec.ts';
import type {Rows, ScratchPlan} from '../scratch.ts';
import type {WeightPlanner} from '../weight-planner.ts';
import type {Linear, NormWeights} from '../weights.ts';
import {normalise} from './kernels.ts';
import type {Kernels, Pass} from './kernels.ts';

export interface FeedForwardWeights {
  readonly gate: Linear | null;
  readonly up: Linear;
  readonly innerNorm: NormWeights | null;
  readonly down: Linear;
}

/** @param name prefix of the layer's tensors */
export function planFeedForward(
  {length, gated, fusedGate = false, innerNorm}: FeedForwardSpec,
  embeddingLength: number,
  name: string,
  weights: WeightPlanner,
): FeedForwardWeights {
  const rest = (): Pick<FeedForwardWeights, 'innerNorm' | 'down'> => ({
    innerNorm: innerNorm ? weights.norm(`${name}.ffn_sub_norm`, length, innerNorm) : null,
    down: weights.linear(`${name}.ffn_down`, embeddingLength, length, length),
  });
  if (fusedGate) {
    const [gate, up] = weights.stacked(`${name}.ffn_up`, [length, length], embeddingLength) as [
      Linear,
      Linear,
    ];
    return {gate, up, ...rest()};
  }
  const gate = gated ? weights.linear(`${name}.ffn_gate`, length, embeddingLength) : null;
  return {gate, up: weights.linear(`${name}.ffn_up`, length, embeddingLength), ...rest()};
}

export function planFeedForwardScratch({length, gated}: FeedForwardSpec, scratch: ScratchPlan): void {
  scratch.rows('up', length);
  if (gated) scratch.rows('gate', length);
}

/** y = (activation(x · Wgate) ∘ x · Wup) · Wdown, or activation(x · Wup) · Wdown */
export class FeedForward {
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
    this.#activate(tokens);
    if (norm && innerNorm) normalise(this.#kernels, norm, innerNorm, this.#up, this.#up, tokens);
    await checkpoint();
    await products.projectDivided(down, this.#up, y, tokens);
  }

  /** up = activation(gate) ∘ up, or activation(up) */
  #activate(tokens: number): void {
    const {exports} = this.#kernels.core;
    const {activation} = this.#spec;
    const {pointer, stride} = this.#up;
    const count = (tokens * stride) / 4;
    if (isXielu(activation)) {
      const {alphaN, alphaP, beta, epsilon} = activation;
      const negative = beta + softplus(alphaN, exports);
      exports.xielu(pointer, pointer, count, negative, softplus(alphaP, exports), beta, epsilon);
    } else if (this.#gate) {
      exports.activateGate(activations[activation], this.#gate.pointer, pointer, pointer, count);
    } else {
      exports.activate(activations[activation], pointer, pointer, count);
    }
  }
}

function isXielu(activation: FeedForwardSpec['activation']): activation is Xielu {
  return typeof activation === 'object';
}

/** ln(1 + e^x) */
function softplus(x: number, {log, exp}: Pick<CoreExports, 'log' | 'exp'>): number {
  return Math.max(x, 0) + log(1 + exp(-Math.abs(x)));
}
