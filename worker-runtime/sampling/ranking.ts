import {candidateBytes} from '../core/core-exports.ts';
import type {CoreExports} from '../core/core-exports.ts';
import type {Core} from '../core/core.ts';
import type {SamplingBuffers} from '../model/sampling-buffers.ts';
import type {Rows} from '../model/scratch.ts';

/** What tokens weigh in a draw: e^((logit − largest) / temperature), or nothing. */
export interface Weighing {
  /** Above 0. */
  readonly temperature: number;
  /** What logit − largest must reach for a weight above 0; -Infinity: all weigh something. */
  readonly leastDistance: number;
}

/** What the probabilities of the model are proportional to. */
const plain: Weighing = {temperature: 1, leastDistance: -Infinity};

/**
 * Tokens by falling logit, lowest ID first on ties, ranked only as far as they are asked for. The core takes them up in
 * tiers, each of tokens that are farther from the best one than those of the tiers before.
 */
export class Ranking {
  /**
   * Running sums over ranks 0 … i (V), a view: of e^(logit − largest) after {@link reach}, of weights after {@link weigh}.
   * Added in the order of the ranks.
   */
  readonly sums: Float64Array<ArrayBuffer>;
  readonly #exports: CoreExports;
  readonly #logits: Rows;
  readonly #buffers: SamplingBuffers;
  /** ID and logit by rank (V, 2). */
  readonly #candidates: Uint32Array<ArrayBuffer>;
  #largest = 0;
  #ranked = 0;
  #nextBucket = 0;

  /**
   * @param logits (1, V)
   * @param buffers for V tokens
   */
  constructor(core: Core, logits: Rows, buffers: SamplingBuffers) {
    this.#exports = core.exports;
    this.#logits = logits;
    this.#buffers = buffers;
    this.#candidates = core.u32(buffers.candidates, logits.columns * 2);
    this.sums = core.f64(buffers.sums, logits.columns);
  }

  /**
   * Starts over: the logits are finite and stay as they are while ranks are asked for.
   *
   * @param largest the largest of them
   */
  begin(largest: number): void {
    const {pointer, columns} = this.#logits;
    this.#largest = largest;
    this.#ranked = 0;
    this.#nextBucket = 0;
    this.#exports.tallyDistances(pointer, columns, largest, this.#buffers.tally);
  }

  /** Ranks at least `count` tokens, or all if there are fewer, and returns how many have ranks. */
  reach(count: number): number {
    const wanted = Math.min(count, this.#logits.columns);
    if (this.#ranked < wanted) this.#rankNextTier(wanted - this.#ranked);
    return this.#ranked;
  }

  /** The ID at `rank`, 0 being the best. The rank was reached. */
  id(rank: number): number {
    return this.#candidates[rank * 2] as number;
  }

  /** Weighs the best `count` tokens, which were reached. No further rank can be reached then. */
  weigh(count: number, weighing: Weighing): void {
    this.#accumulate(0, count, weighing, 0);
  }

  #rankNextTier(wanted: number): void {
    const {tally, candidates, sums} = this.#buffers;
    const {pointer, columns} = this.#logits;
    const before = this.#ranked;
    const first = this.#nextBucket;
    const last = this.#exports.lastBucket(tally, first, wanted);
    // Ranks and sums before this tier stay: the sort uses their places of this tier alone.
    const target = candidates + before * candidateBytes;
    const spare = sums + before * candidateBytes;
    const count = this.#exports.rankBuckets(
      pointer,
      columns,
      this.#largest,
      first,
      last,
      target,
      spare,
      tally,
    );
    this.#ranked += count;
    this.#nextBucket = last + 1;
    this.#accumulate(before, count, plain, before === 0 ? 0 : (this.sums[before - 1] as number));
  }

  #accumulate(first: number, count: number, {temperature, leastDistance}: Weighing, start: number): void {
    const {candidates, sums} = this.#buffers;
    this.#exports.accumulateWeights(
      candidates + first * candidateBytes + 4,
      candidateBytes,
      count,
      this.#largest,
      temperature,
      leastDistance,
      start,
      sums + first * 8,
    );
  }
}
