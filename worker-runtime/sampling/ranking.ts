/**
 * Token IDs by falling logit, lowest ID first on ties, ranked only as far as they are asked for: a heap over all tokens
 * costs one pass, and each rank a walk down it. Nothing is allocated after construction.
 */
export class Ranking {
  /** A heap in front; behind it the ranked IDs, the best one last. (vocabularySize) */
  readonly #ids: Int32Array;
  #heapSize = 0;
  #logits: Float32Array = new Float32Array(0);

  constructor(vocabularySize: number) {
    this.#ids = new Int32Array(vocabularySize);
  }

  /** Starts over with `logits`, which must stay as they are while ranks are asked for. */
  begin(logits: Float32Array): void {
    const ids = this.#ids;
    this.#logits = logits;
    this.#heapSize = ids.length;
    for (let i = 0; i < ids.length; i++) ids[i] = i;
    for (let i = (ids.length >> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  /** The ID at `rank`, 0 being the best. */
  at(rank: number): number {
    const ids = this.#ids;
    const place = ids.length - 1 - rank;
    while (this.#heapSize > place) {
      const last = --this.#heapSize;
      const best = ids[0] as number;
      ids[0] = ids[last] as number;
      ids[last] = best;
      this.#sink(0);
    }
    return ids[place] as number;
  }

  #sink(from: number): void {
    const ids = this.#ids;
    const id = ids[from] as number;
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#heapSize) break;
      if (child + 1 < this.#heapSize && this.#precedes(ids[child + 1] as number, ids[child] as number))
        child++;
      if (!this.#precedes(ids[child] as number, id)) break;
      ids[place] = ids[child] as number;
      place = child;
    }
    ids[place] = id;
  }

  #precedes(a: number, b: number): boolean {
    const first = this.#logits[a] as number;
    const second = this.#logits[b] as number;
    return first > second || (first === second && a < b);
  }
}
