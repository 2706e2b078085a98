/** Told how many bytes were consumed, of how many (`null` where nobody knows). */
export type ProgressListener = (loaded: number, total: number | null) => void;

/** Often enough for a smooth bar, seldom enough that messages cost nothing. */
const intervalMs = 50;

/** Passes on the progress of a load at most every 50 ms, and the last state at the end. */
export class ProgressThrottle {
  readonly #listener: ProgressListener;
  #latest: {loaded: number; total: number | null} | null = null;
  #reportedAt = -Infinity;

  constructor(listener: ProgressListener) {
    this.#listener = listener;
  }

  update(loaded: number, total: number | null): void {
    this.#latest = {loaded, total};
    if (performance.now() - this.#reportedAt >= intervalMs) this.flush();
  }

  /** Reports what was held back. */
  flush(): void {
    if (!this.#latest) return;
    const {loaded, total} = this.#latest;
    this.#latest = null;
    this.#reportedAt = performance.now();
    this.#listener(loaded, total);
  }
}
