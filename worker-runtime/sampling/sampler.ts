import type {SamplingSettings} from '../protocol.ts';
import {bestLogit} from './best-logit.ts';
import {exponential, naturalLogarithm} from './exponential.ts';
import {Random} from './random.ts';
import {Ranking} from './ranking.ts';
import {RepeatPenalty} from './repeat-penalty.ts';

/**
 * Chooses tokens, the same ones in every engine for the same settings and logits.
 *
 * The order is llama.cpp's: repeat penalty, top-k, top-p, min-p, temperature, draw. So top-p and min-p judge the
 * probabilities at temperature 1, and top-p those among the tokens that top-k kept. At temperature 0 the best token is
 * taken after the penalty, the lowest ID on ties.
 */
export class Sampler {
  readonly #settings: SamplingSettings;
  readonly #vocabularySize: number;
  readonly #random: Random;
  readonly #repeatPenalty: RepeatPenalty;
  readonly #ranking: Ranking;
  /** Share of each candidate in the draw, relative to the best one. (vocabularySize) */
  readonly #weights: Float64Array;
  /** How far below the best logit min-p lets a candidate be. */
  readonly #minPDistance: number;

  /** @param settings as {@link validateSampling} gives them */
  constructor(settings: SamplingSettings, vocabularySize: number) {
    const {temperature, repeatPenalty, repeatLastN, minP, seed} = settings;
    const drawn = temperature > 0 ? vocabularySize : 0;
    this.#settings = settings;
    this.#vocabularySize = vocabularySize;
    this.#random = new Random(seed);
    this.#repeatPenalty = new RepeatPenalty(repeatPenalty, repeatLastN, vocabularySize);
    this.#ranking = new Ranking(drawn);
    this.#weights = new Float64Array(drawn);
    this.#minPDistance = minP > 0 ? naturalLogarithm(minP) : -Infinity;
  }

  /**
   * The next token after `recent`, the tokens so far.
   *
   * @param logits (vocabularySize); changed meanwhile, but as before on return
   * @throws {GgufError} `logits-not-finite`
   */
  sample(logits: Float32Array, recent: readonly number[]): number {
    this.#repeatPenalty.apply(logits, recent);
    try {
      const best = bestLogit(logits, this.#vocabularySize);
      if (this.#settings.temperature === 0) return best;
      const {topK, topP} = this.#settings;
      const largest = logits[best] as number;
      const ranked = topP < 1 || (topK > 0 && topK < this.#vocabularySize);
      return ranked ? this.#drawRanked(logits, largest) : this.#drawFromAll(logits, largest);
    } finally {
      this.#repeatPenalty.restore(logits);
    }
  }

  /** Without top-k and top-p nobody needs an order: candidates by ID. */
  #drawFromAll(logits: Float32Array, largest: number): number {
    const {temperature} = this.#settings;
    const weights = this.#weights;
    let total = 0;
    for (let id = 0; id < weights.length; id++) {
      const distance = (logits[id] as number) - largest;
      const weight = distance < this.#minPDistance ? 0 : exponential(distance / temperature);
      weights[id] = weight;
      total += weight;
    }
    return this.#draw(weights.length, total);
  }

  #drawRanked(logits: Float32Array, largest: number): number {
    const {temperature} = this.#settings;
    const ranking = this.#ranking;
    ranking.begin(logits, largest);
    const kept = this.#topP(logits, largest);
    let count = 0;
    let total = 0;
    for (; count < kept; count++) {
      const distance = (logits[ranking.at(count)] as number) - largest;
      if (distance < this.#minPDistance) break;
      const weight = exponential(distance / temperature);
      this.#weights[count] = weight;
      total += weight;
    }
    return ranking.at(this.#draw(count, total));
  }

  /** How many of the ranked tokens top-k and top-p keep; at least one. */
  #topP(logits: Float32Array, largest: number): number {
    const {topK, topP} = this.#settings;
    const ranking = this.#ranking;
    const all = this.#vocabularySize;
    const most = topK > 0 ? Math.min(topK, all) : all;
    if (topP === 1) return most;
    let total = 0;
    // The sum over all tokens needs no ranks.
    for (let i = 0; i < most; i++) {
      total += exponential((logits[most === all ? i : ranking.at(i)] as number) - largest);
    }
    let reached = 0;
    for (let rank = 0; rank < most; rank++) {
      reached += exponential((logits[ranking.at(rank)] as number) - largest);
      if (reached >= topP * total) return rank + 1;
    }
    return most;
  }

  /** The place among the first `count` weights on which a random point of their sum falls. */
  #draw(count: number, total: number): number {
    const point = this.#random.uniform() * total;
    let reached = 0;
    let last = 0;
    for (let i = 0; i < count; i++) {
      const weight = this.#weights[i] as number;
      if (weight === 0) continue;
      reached += weight;
      last = i;
      if (reached > point) break;
    }
    return last;
  }
}
