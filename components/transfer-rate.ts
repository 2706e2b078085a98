/** Before this, a rate says nothing. */
const leastMs = 1000;

/** How fast bytes come, over all the time since the first ones. */
export class TransferRate {
  #first: {readonly bytes: number; readonly at: number} | null = null;

  /** Bytes a second, `null` as long as nobody knows. @param bytes all that came so far */
  of(bytes: number): number | null {
    const at = performance.now();
    this.#first ??= {bytes, at};
    const elapsed = at - this.#first.at;
    return elapsed < leastMs ? null : ((bytes - this.#first.bytes) / elapsed) * 1000;
  }
}
