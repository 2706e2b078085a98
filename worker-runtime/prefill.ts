import type {Decoder} from './model/decoder.ts';
import type {Checkpoint} from './checkpoint.ts';
import type {Sequence} from './sequence.ts';

/** Work between two checkpoints should take about this long: a cancel waits for it. */
const aimMs = 10;
/** The batch kernels work on tiles of 4 tokens. */
const tile = 4;

/**
 * Feeds tokens to a sequence in slices. How long a slice is changes nothing in the results, so it follows the speed of
 * the machine: as long as the buffers allow, but short enough that a cancel is answered soon.
 */
export class Prefill {
  readonly #decoder: Decoder;
  readonly #sequence: Sequence;
  readonly #tokens: readonly number[];
  readonly #fixedLength: number | undefined;
  #sliceLength: number;
  #done = 0;

  /** @param fixedLength a slice length to keep to, for tests of slicing itself */
  constructor(decoder: Decoder, sequence: Sequence, tokens: readonly number[], fixedLength?: number) {
    this.#decoder = decoder;
    this.#sequence = sequence;
    this.#tokens = tokens;
    this.#fixedLength = fixedLength;
    this.#sliceLength = Math.min(fixedLength ?? tile * 4, decoder.plan.sliceLength);
  }

  /** Tokens fed so far. */
  get done(): number {
    return this.#done;
  }

  get finished(): boolean {
    return this.#done === this.#tokens.length;
  }

  /** Feeds the next slice and returns its length. */
  async step(checkpoint: Checkpoint): Promise<number> {
    const tokens = this.#tokens.slice(this.#done, Math.min(this.#done + this.#sliceLength, this.#nextCut));
    const pace = new Pace(checkpoint);
    const keepsStates = this.#keptAt === this.#done;
    await this.#sequence.feed(tokens, this.#decoder, () => pace.checkpoint(), keepsStates);
    this.#done += tokens.length;
    if (this.#fixedLength === undefined) this.#adapt(tokens.length, pace.longestMs);
    return tokens.length;
  }

  /**
   * A prompt is often asked again, or another answer to it, and its last token is fed again then: recurrent layers keep their
   * states there.
   */
  get #keptAt(): number | null {
    return this.#sequence.cache.states ? this.#tokens.length - 1 : null;
  }

  get #nextCut(): number {
    const keptAt = this.#keptAt;
    return keptAt !== null && this.#done < keptAt ? keptAt : this.#tokens.length;
  }

  #adapt(length: number, longestMs: number): void {
    const fitting = Math.floor((length * aimMs) / Math.max(longestMs, 0.01) / tile) * tile;
    this.#sliceLength = Math.max(tile, Math.min(fitting, length * 2, this.#decoder.plan.sliceLength));
  }
}

/** Measures the time between checkpoints. */
class Pace {
  longestMs = 0;
  readonly #checkpoint: Checkpoint;
  #since = performance.now();

  constructor(checkpoint: Checkpoint) {
    this.#checkpoint = checkpoint;
  }

  async checkpoint(): Promise<void> {
    this.longestMs = Math.max(this.longestMs, performance.now() - this.#since);
    await this.#checkpoint();
    this.#since = performance.now();
  }
}
