/** Sampling as its documentation says it, with a full sort and no haste: what the core's partial selection must agree with. */
import type {SamplingSettings} from '../../worker-runtime/protocol.ts';
import {naturalLogarithm} from '../../worker-runtime/sampling/natural-logarithm.ts';
import {Random} from '../../worker-runtime/sampling/random.ts';

const {LN2} = Math;
/** What `Math.LN2` lacks to the real ln 2. */
const ln2Tail = 2.3190468138462996e-17;

/** Steps of the table per power of two. */
const steps = 64;
/** ln 2 / 64 in two parts: the first so short that its product with a step number is exact. */
const stepHigh = Math.fround(LN2 / steps);
const stepLow = (LN2 - stepHigh * steps + ln2Tail) / steps;

/** 2^(i / 64). */
const fractions = Float64Array.from({length: steps}, (_, i) => series((i * LN2) / steps, 20));

/**
 * e^x for x ≤ 0: the operations of `wasm/assembly/sampling/exponential.ts`, in the same order, so the same bits.
 *
 * e^x = 2^n · 2^(i/64) · e^r with |r| ≤ ln 2 / 128, where five terms of the series are enough.
 */
export function exponential(x: number): number {
  if (x < -745.2) return 0;
  const step = Math.floor(x * (steps / LN2) + 0.5);
  const r = x - step * stepHigh - step * stepLow;
  const polynomial = 1 + r * (1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120)))));
  return fractions[step & (steps - 1)]! * polynomial * (powers[(step >> 6) - smallestExponent] ?? 0);
}

const smallestExponent = -1074;
/** 2^(i + smallestExponent); halving is exact, also for denormals. */
const powers = powersOfTwo();

function powersOfTwo(): Float64Array {
  const table = new Float64Array(1 - smallestExponent);
  for (let i = table.length - 1, power = 1; i >= 0; i--, power /= 2) table[i] = power;
  return table;
}

function series(x: number, terms: number): number {
  let sum = 1;
  for (let i = terms; i >= 1; i--) sum = 1 + (sum * x) / i;
  return sum;
}

/** IDs by falling logit, the lowest first on ties. */
export function rankByFullSort(logits: Float32Array): number[] {
  return [...logits.keys()].sort((a, b) => logits[b]! - logits[a]! || a - b);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** {@link Sampler} by a full sort; sums are added by rank where top-k or top-p need one, else by ID. */
export class ReferenceSampler {
  readonly #settings: SamplingSettings;
  readonly #random: Random;

  constructor(settings: SamplingSettings) {
    this.#settings = settings;
    this.#random = new Random(settings.seed);
  }

  sample(logits: Float32Array, recent: readonly number[]): number {
    const {temperature, minP} = this.#settings;
    const penalised = this.#penalise(logits, recent);
    const ranked = rankByFullSort(penalised);
    const best = ranked[0]!;
    if (temperature === 0) return best;
    const distances = Float64Array.from(penalised, (logit) => logit - penalised[best]!);
    const leastDistance = minP > 0 ? naturalLogarithm(minP) : -Infinity;
    const kept = this.#keep(ranked, distances).filter((id) => distances[id]! >= leastDistance);
    return this.#draw(
      kept,
      kept.map((id) => exponential(distances[id]! / temperature)),
    );
  }

  #penalise(logits: Float32Array, recent: readonly number[]): Float32Array {
    const {repeatPenalty, repeatLastN} = this.#settings;
    const penalised = logits.slice();
    for (const id of new Set(repeatLastN === 0 ? [] : recent.slice(-repeatLastN))) {
      const logit = logits[id]!;
      penalised[id] = logit > 0 ? logit / repeatPenalty : logit * repeatPenalty;
    }
    return penalised;
  }

  /** What top-k and then top-p keep, by rank; all tokens by ID where there is neither. */
  #keep(ranked: number[], distances: Float64Array): number[] {
    const {topK, topP} = this.#settings;
    const byId = [...ranked.keys()];
    const isCut = topK > 0 && topK < ranked.length;
    const best = isCut ? ranked.slice(0, topK) : ranked;
    if (topP === 1) return isCut ? best : byId;
    const probability = (id: number): number => exponential(distances[id]!);
    const wanted = topP * sum((isCut ? best : byId).map(probability));
    let reached = 0;
    const last = best.findIndex((id) => (reached += probability(id)) >= wanted);
    return last < 0 ? best : best.slice(0, last + 1);
  }

  #draw(ids: readonly number[], weights: readonly number[]): number {
    const point = this.#random.uniform() * sum(weights);
    let reached = 0;
    return ids[weights.findIndex((weight) => (reached += weight) > point)]!;
  }
}
