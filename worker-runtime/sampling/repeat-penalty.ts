const largest = 3.4028234663852886e38;

/**
 * Makes recent tokens less likely: a positive logit is divided by the penalty, a negative one multiplied (Keskar et al.,
 * "CTRL", 2019), once for each distinct token. The logits are changed in place and put back afterwards, because a copy of
 * them costs more than the penalty.
 */
export class RepeatPenalty {
  readonly #penalty: number;
  readonly #lastN: number;
  /** Which tokens are changed now. (vocabularySize) */
  readonly #changed: Uint8Array;
  readonly #ids: Int32Array;
  readonly #originals: Float32Array;
  #count = 0;

  constructor(penalty: number, lastN: number, vocabularySize: number) {
    this.#penalty = penalty;
    this.#lastN = penalty === 1 ? 0 : lastN;
    const most = Math.min(this.#lastN, vocabularySize);
    this.#changed = new Uint8Array(most === 0 ? 0 : vocabularySize);
    this.#ids = new Int32Array(most);
    this.#originals = new Float32Array(most);
  }

  apply(logits: Float32Array, recent: readonly number[]): void {
    for (let i = Math.max(0, recent.length - this.#lastN); i < recent.length; i++) {
      const id = recent[i] as number;
      if (this.#changed[id] !== 0) continue;
      this.#changed[id] = 1;
      const logit = logits[id] as number;
      this.#ids[this.#count] = id;
      this.#originals[this.#count++] = logit;
      // Infinite logits must stay so, to be refused; finite ones must not become infinite.
      if (!Number.isFinite(logit)) continue;
      const penalised = logit > 0 ? logit / this.#penalty : logit * this.#penalty;
      logits[id] = Math.max(-largest, Math.min(largest, penalised));
    }
  }

  restore(logits: Float32Array): void {
    while (this.#count > 0) {
      const id = this.#ids[--this.#count] as number;
      logits[id] = this.#originals[this.#count] as number;
      this.#changed[id] = 0;
    }
  }
}
