import type {Pooling} from './protocol.ts';

/** Takes the states of a text's tokens, positions ascending, and makes its embedding of them. */
export class Pooler {
  readonly #pooling: Pooling;
  readonly #tokens: number;
  readonly #length: number;
  /** (embeddingLength), or (tokens, embeddingLength): sums in f64, added by rising position. */
  readonly #values: Float64Array;

  constructor(pooling: Pooling, tokens: number, embeddingLength: number) {
    this.#pooling = pooling;
    this.#tokens = tokens;
    this.#length = embeddingLength;
    this.#values = new Float64Array(embeddingLength * (pooling === 'none' ? tokens : 1));
  }

  /** @param state (embeddingLength) */
  add(state: Float32Array, position: number): void {
    switch (this.#pooling) {
      case 'none':
        this.#values.set(state, position * this.#length);
        break;
      case 'cls':
        if (position === 0) this.#values.set(state);
        break;
      case 'last':
        if (position === this.#tokens - 1) this.#values.set(state);
        break;
      case 'mean':
        state.forEach((value, index) => (this.#values[index] = (this.#values[index] ?? NaN) + value));
    }
  }

  result(): Float32Array<ArrayBuffer> {
    const divisor = this.#pooling === 'mean' ? this.#tokens : 1;
    return Float32Array.from(this.#values, (value) => value / divisor);
  }
}

/** Gives each row of `length` values the length 1, in place; zeros stay. */
export function normaliseRows(values: Float32Array, length: number): void {
  for (let start = 0; start < values.length; start += length) {
    const row = values.subarray(start, start + length);
    const norm = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    if (norm > 0) row.forEach((value, index) => (row[index] = value / norm));
  }
}
