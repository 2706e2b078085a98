/**
 * Alternating updates (AltUp, https://arxiv.org/abs/2301.13310): beside the residual stream, which the blocks of a layer
 * compute, others of the same length are predicted from all of them and corrected by what the layer has changed.
 */
import {groupRows} from '../../core/core-exports.ts';
import type {AltUpSpec, DecoderSpec} from '../decoder-spec.ts';
import {rowStride} from '../scratch.ts';
import type {Rows, Scratch, ScratchPlan} from '../scratch.ts';
import type {WeightPlanner} from '../weight-planner.ts';
import type {DividedLinear} from '../weights.ts';
import type {Kernels, Pass} from './kernels.ts';

/** For each stream but the first a matrix (embeddingLength, embeddingLength). */
export interface AltUpWeights {
  /** What makes it of the embedding. */
  readonly projections: readonly DividedLinear[];
  /** What it passes behind the last layer. */
  readonly unembeddings: readonly DividedLinear[];
}

export function planAltUp(
  {altUp, embeddingLength}: DecoderSpec,
  weights: WeightPlanner,
): AltUpWeights | null {
  if (!altUp) return null;
  const {share} = weights;
  const ranges = share.ranges(embeddingLength, groupRows);
  const plan = (name: string): DividedLinear[] =>
    weights
      .experts(name, altUp.streams - 1, [embeddingLength], embeddingLength, [share.own(ranges)])
      .flatMap((matrices) => matrices.map((linear) => ({linear, rows: embeddingLength, ranges})));
  // The unembeddings have inputs of their own: each is exchanged by itself.
  weights.addExchanges(altUp.streams - 2);
  return {projections: plan('altup_proj'), unembeddings: plan('altup_unembd_proj')};
}

export function planAltUpScratch({altUp, embeddingLength}: DecoderSpec, scratch: ScratchPlan): void {
  if (!altUp) return;
  const {streams} = altUp;
  for (let stream = 1; stream < streams; stream++) scratch.rows(`stream ${stream}`, embeddingLength);
  scratch.rows('predicted', embeddingLength);
  // Of one token, all streams.
  scratch.bytes('predictions', streams * rowStride(embeddingLength));
  scratch.rows('modalities', streams);
  scratch.rows('stream factors', streams ** 2);
}

/** The residual stream, then the others: each (tokens, embeddingLength). */
export function streamsOf({streams}: AltUpSpec, scratch: Scratch, embeddingLength: number): readonly Rows[] {
  return Array.from({length: streams}, (_, stream) =>
    scratch.rows(stream === 0 ? 'hidden' : `stream ${stream}`, embeddingLength),
  );
}

/** What becomes of the streams before the first layer and behind the last one. */
export class AltUp {
  readonly #weights: AltUpWeights;
  readonly #kernels: Kernels;
  readonly #hidden: Rows;
  readonly #others: readonly Rows[];
  /** What one stream gives, and the sum of all. */
  readonly #projected: Rows;
  readonly #sum: Rows;

  constructor(embeddingLength: number, spec: AltUpSpec, weights: AltUpWeights, kernels: Kernels) {
    const {scratch} = kernels;
    const [hidden, ...others] = streamsOf(spec, scratch, embeddingLength) as [Rows, ...Rows[]];
    this.#weights = weights;
    this.#kernels = kernels;
    this.#hidden = hidden;
    this.#others = others;
    this.#projected = scratch.rows('mixed', embeddingLength);
    this.#sum = scratch.rows('predicted', embeddingLength);
  }

  /** Makes the other streams of the embeddings, each token as long in all. */
  async begin(tokens: number): Promise<void> {
    const products = this.#weights.projections.map((product, index) => ({
      product,
      y: this.#others[index] ?? this.#hidden,
    }));
    await this.#kernels.products.projectWhole(products, this.#hidden, tokens);
    for (const stream of this.#others) this.#match(stream, tokens);
  }

  /** hidden = the mean of it and of what the other streams give, each token as long in all. Checks before each exchange. */
  async end({tokens, checkpoint}: Pick<Pass, 'tokens' | 'checkpoint'>): Promise<void> {
    const {core, products} = this.#kernels;
    const {pointer, stride} = this.#hidden;
    const count = (tokens * stride) / 4;
    const [y, sum] = [this.#projected, this.#sum.pointer];
    core.copy(pointer, sum, tokens * stride);
    for (const [index, product] of this.#weights.unembeddings.entries()) {
      const stream = this.#others[index];
      await checkpoint();
      if (stream) await products.projectWhole([{product, y}], stream, tokens);
      this.#match(y, tokens);
      core.exports.add(sum, sum, y.pointer, count);
    }
    core.copy(sum, pointer, tokens * stride);
    core.exports.scale(pointer, 1 / (this.#others.length + 1), count);
  }

  #match({pointer, columns, stride}: Rows, tokens: number): void {
    const {exports} = this.#kernels.core;
    exports.matchMagnitude(pointer, this.#hidden.pointer, columns, tokens, stride, this.#hidden.stride);
  }
}
