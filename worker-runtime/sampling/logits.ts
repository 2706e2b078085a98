import type {CoreExports} from '../core/core-exports.ts';
import type {Core} from '../core/core.ts';
import {GgufError} from '../errors.ts';
import type {SamplingBuffers} from '../model/sampling-buffers.ts';
import type {Rows} from '../model/scratch.ts';
import {Ranking} from './ranking.ts';
import type {Weighing} from './ranking.ts';

/**
 * Logits of the next token over a vocabulary of V, in the core's memory. What looks at all of them happens in the core, with
 * the same bits in every engine; the views are made once for all tokens.
 */
export class Logits {
  /** (V), a view */
  readonly values: Float32Array<ArrayBuffer>;
  /** Of these logits; to be begun anew when they have changed. */
  readonly ranking: Ranking;
  readonly #exports: CoreExports;
  readonly #pointer: number;
  readonly #sums: number;

  /**
   * @param row (1, V)
   * @param buffers for V tokens
   */
  constructor(core: Core, row: Rows, buffers: SamplingBuffers) {
    this.values = core.f32(row.pointer, row.columns);
    this.ranking = new Ranking(core, row, buffers);
    this.#exports = core.exports;
    this.#pointer = row.pointer;
    this.#sums = buffers.sums;
  }

  /**
   * The ID of the largest, the lowest one on ties.
   *
   * @throws {GgufError} `logits-not-finite`
   */
  best(): number {
    const id = this.#exports.argmax(this.#pointer, this.values.length);
    if (id < 0) throw notFinite(this.values);
    return id;
  }

  /** Sum of e^(logit − largest), added by rising ID. */
  sumOfExponentials(largest: number): number {
    return this.#exports.sumOfExponentials(this.#pointer, this.values.length, largest);
  }

  /**
   * Weighs all tokens.
   *
   * @returns a view (V), valid until something else is weighed or ranked: entry i is the sum of the weights of tokens 0 … i,
   *   added in that order
   */
  weigh(largest: number, {temperature, leastDistance}: Weighing): Float64Array<ArrayBuffer> {
    const {length, BYTES_PER_ELEMENT: stride} = this.values;
    this.#exports.accumulateWeights(
      this.#pointer,
      stride,
      length,
      largest,
      temperature,
      leastDistance,
      0,
      this.#sums,
    );
    return this.ranking.sums;
  }
}

function notFinite(logits: Float32Array): GgufError {
  const id = logits.findIndex((logit) => !Number.isFinite(logit));
  return new GgufError('logits-not-finite', `The logit of token ${id} is ${logits[id]}`, {
    field: `logits[${id}]`,
  });
}
