import type {Checkpoint} from './checkpoint.ts';

/** Work between two checkpoints should take about this long: a cancel waits for it. */
const aimMs = 10;
/** The batch kernels work on tiles of 4 tokens. */
const tile = 4;

/**
 * How long slices are. It changes nothing in the results, so it follows the speed of the machine: as long as the buffers
 * allow, but short enough that a cancel is answered soon.
 */
export class Pace {
  readonly #longest: number;
  readonly #isFixed: boolean;
  #sliceLength: number;

  /**
   * @param longest tokens that the buffers have room for
   * @param fixedLength a slice length to keep to, for tests of slicing itself
   */
  constructor(longest: number, fixedLength?: number) {
    this.#longest = longest;
    this.#isFixed = fixedLength !== undefined;
    this.#sliceLength = Math.min(fixedLength ?? tile * 4, longest);
  }

  get sliceLength(): number {
    return this.#sliceLength;
  }

  /** Runs a slice of `length` tokens, which must call the checkpoint it is given. */
  async measure(
    length: number,
    checkpoint: Checkpoint,
    run: (checkpoint: Checkpoint) => Promise<void>,
  ): Promise<void> {
    let longestMs = 0;
    let since = performance.now();
    await run(async () => {
      longestMs = Math.max(longestMs, performance.now() - since);
      await checkpoint();
      since = performance.now();
    });
    longestMs = Math.max(longestMs, performance.now() - since);
    if (!this.#isFixed) this.#adapt(length, longestMs);
  }

  #adapt(length: number, longestMs: number): void {
    const fitting = Math.floor((length * aimMs) / Math.max(longestMs, 0.01) / tile) * tile;
    this.#sliceLength = Math.max(tile, Math.min(fitting, length * 2, this.#longest));
  }
}
