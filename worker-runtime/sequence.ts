import type {Checkpoint} from './checkpoint.ts';
import type {Decoder} from './model/decoder.ts';
import {usablePosition} from './model/kv-cache.ts';
import type {KvCache} from './model/kv-cache.ts';
import type {SequenceHandle} from './protocol.ts';

/** One conversation's context: the tokens whose keys and values are in the cache. */
export class Sequence {
  readonly handle: SequenceHandle;
  readonly cache: KvCache;
  #tokens: number[] = [];
  /** One more than the highest position that was stored since the sequence was empty, also by a cancelled step. */
  #stored = 0;
  #busy = false;

  constructor(handle: SequenceHandle, cache: KvCache) {
    this.handle = handle;
    this.cache = cache;
  }

  /** Positions that the cache has of it, those that do not count any more included. */
  get stored(): number {
    return this.#stored;
  }

  /** Positions in use. */
  get length(): number {
    return this.#tokens.length;
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** Takes the sequence for a run, until the returned function is called. */
  occupy(): () => void {
    this.#busy = true;
    return () => (this.#busy = false);
  }

  /** How many tokens of `prompt` are in the context already: the longest common prefix. */
  commonPrefix(prompt: readonly number[]): number {
    const limit = Math.min(prompt.length, this.#tokens.length);
    let length = 0;
    while (length < limit && prompt[length] === this.#tokens[length]) length++;
    return length;
  }

  /**
   * Goes back to `position` and returns the position to go on from. It is 0 where a sliding window has overwritten what
   * a token at `position` sees: everything has to be computed again then. States of recurrent layers cannot be rolled
   * back, so it is where they were kept last.
   */
  rewind(position: number): number {
    const kept = usablePosition(this.cache, position, this.#stored);
    this.#tokens.length = kept;
    if (kept === 0) this.#stored = 0;
    return kept;
  }

  /**
   * Runs the next tokens through `decoder`. With `keepsStates`, the sequence can be brought back to where they begin. They belong to the context when all layers have their keys and values; what
   * `checkpoint` throws before leaves it as it was.
   */
  async feed(
    tokens: readonly number[],
    decoder: Pick<Decoder, 'forward'>,
    checkpoint: Checkpoint,
    keepsStates = false,
  ): Promise<void> {
    const position = this.length;
    this.#stored = Math.max(this.#stored, position + tokens.length);
    await decoder.forward({tokens, position, cache: this.cache, keepsStates}, checkpoint);
    for (const token of tokens) this.#tokens.push(token);
  }
}
