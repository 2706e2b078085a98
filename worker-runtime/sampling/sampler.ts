import type {SamplingSettings} from '../protocol.ts';
import type {Logits} from './logits.ts';
import {naturalLogarithm} from './natural-logarithm.ts';
import {Random} from './random.ts';
import type {Weighing} from './ranking.ts';
import {RepeatPenalty} from './repeat-penalty.ts';

/** Ranks that top-p looks at first: few tokens of a real model have nearly all of the probability. */
const firstRanks = 64;
/** How many times as many ranks it looks at next. */
const rankGrowth = 8;

/**
 * Chooses tokens, the same ones in every engine for the same settings and logits.
 *
 * The order is llama.cpp's: repeat penalty, top-k, top-p, min-p, temperature, draw. So top-p and min-p judge the
 * probabilities at temperature 1, and top-p those among the tokens that top-k kept. At temperature 0 the best token is
 * taken after the penalty, the lowest ID on ties.
 */
export class Sampler {
  readonly #settings: SamplingSettings;
  readonly #random: Random;
  readonly #repeatPenalty: RepeatPenalty;
  /** Temperature and min-p. */
  readonly #weighing: Weighing;

  /** @param settings as {@link validateSampling} gives them */
  constructor(settings: SamplingSettings, vocabularySize: number) {
    const {temperature, repeatPenalty, repeatLastN, minP, seed} = settings;
    this.#settings = settings;
    this.#random = new Random(seed);
    this.#repeatPenalty = new RepeatPenalty(repeatPenalty, repeatLastN, vocabularySize);
    this.#weighing = {temperature, leastDistance: minP > 0 ? naturalLogarithm(minP) : -Infinity};
  }

  /**
   * The next token after `recent`, the tokens so far.
   *
   * @param logits of the vocabulary; changed meanwhile, but as before on return
   * @throws {GgufError} `logits-not-finite`
   */
  sample(logits: Logits, recent: readonly number[]): number {
    this.#repeatPenalty.apply(logits.values, recent);
    try {
      const best = logits.best();
      if (this.#settings.temperature === 0) return best;
      const largest = logits.values[best] as number;
      const {topK, topP} = this.#settings;
      const isRanked = topP < 1 || (topK > 0 && topK < logits.values.length);
      return isRanked ? this.#drawRanked(logits, largest) : this.#drawFromAll(logits, largest);
    } finally {
      this.#repeatPenalty.restore(logits.values);
    }
  }

  /** Without top-k and top-p nobody needs an order: candidates by ID. */
  #drawFromAll(logits: Logits, largest: number): number {
    return this.#draw(logits.weigh(largest, this.#weighing), logits.values.length);
  }

  #drawRanked(logits: Logits, largest: number): number {
    const {ranking} = logits;
    ranking.begin(largest);
    const kept = this.#rankKept(logits, largest);
    ranking.weigh(kept, this.#weighing);
    return ranking.id(this.#draw(ranking.sums, kept));
  }

  /** Ranks the tokens that top-k and top-p keep, and returns how many they are; at least one. */
  #rankKept(logits: Logits, largest: number): number {
    const {topK, topP} = this.#settings;
    const {ranking} = logits;
    const {sums} = ranking;
    const all = logits.values.length;
    if (topK > 0 && topK < all) {
      ranking.reach(topK);
      return topP === 1 ? topK : countReaching(sums, topK, topP * (sums[topK - 1] as number));
    }
    // The sum over all tokens needs no ranks.
    const wanted = topP * logits.sumOfExponentials(largest);
    let ranked = ranking.reach(firstRanks);
    while (ranked < all && (sums[ranked - 1] as number) < wanted) {
      ranked = ranking.reach(ranked * rankGrowth);
    }
    return countReaching(sums, ranked, wanted);
  }

  /** The place among the first `count` tokens on whose weight a random point of the sum of weights falls. */
  #draw(sums: Float64Array, count: number): number {
    const total = sums[count - 1] as number;
    // A number below 1 times the total rounds to less than the total: a sum is always above it.
    const point = this.#random.uniform() * total;
    return firstPlace(sums, count, (sum) => sum > point);
  }
}

/** How many of `count` tokens the smallest set has whose sum reaches `wanted`; all if rounding lets none reach it. */
function countReaching(sums: Float64Array, count: number, wanted: number): number {
  const last = firstPlace(sums, count, (sum) => sum >= wanted);
  return Math.min(last + 1, count);
}

/** The first of `count` rising sums for which `isReached` holds, by bisection; `count` if it holds for none. */
function firstPlace(sums: Float64Array, count: number, isReached: (sum: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isReached(sums[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}
