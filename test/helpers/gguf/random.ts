/** Seeded random numbers (xorshift32, Marsaglia 2003), the same in every engine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  }

  /** In [0, 1). */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state / 2 ** 32;
  }

  /** A whole number in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** `count` values, uniform in ±`range`. */
  uniform(count: number, range: number): Float32Array {
    return Float32Array.from({length: count}, () => (this.next() * 2 - 1) * range);
  }
}
