import type {DecoderSpec} from '../decoder-spec.ts';
import type {Rows, ScratchPlan} from '../scratch.ts';
import type {WeightPlanner} from '../weight-planner.ts';
import type {DividedLinear, NormWeights} from '../weights.ts';
import {normalise} from './kernels.ts';
import type {Block, Kernels, Pass} from './kernels.ts';

export interface LaurelWeights {
  /** (rank, embeddingLength) */
  readonly left: DividedLinear;
  /** (embeddingLength, rank) */
  readonly right: DividedLinear;
  readonly norm: NormWeights;
}

/** @param name prefix of the layer's tensors */
export function planLaurel(
  {embeddingLength, norm}: DecoderSpec,
  rank: number,
  name: string,
  weights: WeightPlanner,
): LaurelWeights {
  return {
    left: weights.divided(`${name}.laurel_l`, rank, embeddingLength),
    right: weights.divided(`${name}.laurel_r`, embeddingLength, rank),
    norm: weights.norm(`${name}.laurel_post_norm`, embeddingLength, norm),
  };
}

export function planLaurelScratch(rank: number, scratch: ScratchPlan): void {
  scratch.rows('laurel', rank);
}

/** y = x + norm(x · left · right): a learnt residual of low rank (LAuReL, https://arxiv.org/abs/2411.07501). */
export class Laurel implements Block {
  readonly #spec: DecoderSpec;
  readonly #weights: LaurelWeights;
  readonly #kernels: Kernels;
  /** (tokens, rank) */
  readonly #between: Rows;

  constructor(spec: DecoderSpec, weights: LaurelWeights, kernels: Kernels) {
    this.#spec = spec;
    this.#weights = weights;
    this.#kernels = kernels;
    this.#between = kernels.scratch.rows('laurel', weights.left.rows);
  }

  async run(x: Rows, y: Rows, {tokens}: Pass): Promise<void> {
    const {core, products} = this.#kernels;
    const {left, right, norm} = this.#weights;
    await products.projectWhole([{product: left, y: this.#between}], x, tokens);
    await products.projectWhole([{product: right, y}], this.#between, tokens);
    normalise(this.#kernels, this.#spec.norm, norm, y, y, tokens);
    core.exports.add(y.pointer, y.pointer, x.pointer, (tokens * y.stride) / 4);
  }
}
