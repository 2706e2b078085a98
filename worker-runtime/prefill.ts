import type {Decoder} from './model/decoder.ts';
import type {Checkpoint} from './checkpoint.ts';
import {Pace} from './pace.ts';
import type {Sequence} from './sequence.ts';

/** Feeds tokens to a sequence in slices. */
export class Prefill {
  readonly #decoder: Decoder;
  readonly #sequence: Sequence;
  readonly #tokens: readonly number[];
  readonly #pace: Pace;
  #done = 0;

  /** @param fixedLength a slice length to keep to, for tests of slicing itself */
  constructor(decoder: Decoder, sequence: Sequence, tokens: readonly number[], fixedLength?: number) {
    this.#decoder = decoder;
    this.#sequence = sequence;
    this.#tokens = tokens;
    this.#pace = new Pace(decoder.plan.sliceLength, fixedLength);
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
    const tokens = this.#tokens.slice(
      this.#done,
      Math.min(this.#done + this.#pace.sliceLength, this.#nextCut),
    );
    const keepsStates = this.#keptAt === this.#done;
    await this.#pace.measure(tokens.length, checkpoint, (check) =>
      this.#sequence.feed(tokens, this.#decoder, check, keepsStates),
    );
    this.#done += tokens.length;
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
}
