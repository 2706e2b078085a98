/** How far below the best logit the tiers reach. Few tokens of a real model are within the first. */
const tierDepths = [4, 8, 16, 32, Infinity];

/**
 * Token IDs by falling logit, lowest ID first on ties, ranked only as far as they are asked for.
 *
 * Tokens are taken up in tiers of falling logits, each sorted by a heap from which ranks are drawn; so a short ranking costs
 * little more than one look at each logit. Nothing is allocated after construction.
 */
export class Ranking {
  /** The heap of the current tier in front; at the end what has been ranked, the best one last. (vocabularySize) */
  readonly #ids: Int32Array;
  #logits: Float32Array = new Float32Array(0);
  #largest = 0;
  #heapSize = 0;
  #ranked = 0;
  #tier = 0;

  constructor(vocabularySize: number) {
    this.#ids = new Int32Array(vocabularySize);
  }

  /**
   * Starts over.
   *
   * @param logits finite; they must stay as they are while ranks are asked for
   * @param largest the largest of them
   */
  begin(logits: Float32Array, largest: number): void {
    this.#logits = logits;
    this.#largest = largest;
    this.#heapSize = 0;
    this.#ranked = 0;
    this.#tier = 0;
  }

  /** The ID at `rank`, 0 being the best. */
  at(rank: number): number {
    const ids = this.#ids;
    while (this.#ranked <= rank) {
      while (this.#heapSize === 0) this.#takeUpTier();
      const best = ids[0] as number;
      ids[0] = ids[--this.#heapSize] as number;
      this.#sink(0);
      ids[ids.length - ++this.#ranked] = best;
    }
    return ids[ids.length - 1 - rank] as number;
  }

  #takeUpTier(): void {
    const ids = this.#ids;
    const above = this.#tier === 0 ? Infinity : this.#largest - (tierDepths[this.#tier - 1] as number);
    const floor = this.#largest - (tierDepths[this.#tier++] as number);
    let size = 0;
    for (let id = 0; id < ids.length; id++) {
      const logit = this.#logits[id] as number;
      if (logit >= floor && logit < above) ids[size++] = id;
    }
    this.#heapSize = size;
    for (let i = (size >> 1) - 1; i >= 0; i--) this.#sink(i);
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
