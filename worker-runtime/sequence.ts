import type {KvCache} from './model/kv-cache.ts';
import type {SequenceHandle} from './protocol.ts';

/** One conversation's context: the tokens whose keys and values are in the cache. */
export class Sequence {
  readonly handle: SequenceHandle;
  readonly cache: KvCache;
  #tokens: number[] = [];
  #busy = false;

  constructor(handle: SequenceHandle, cache: KvCache) {
    this.handle = handle;
    this.cache = cache;
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

  /** How many tokens of `prompt` are in the cache already: the longest common prefix. */
  commonPrefix(prompt: readonly number[]): number {
    const limit = Math.min(prompt.length, this.#tokens.length);
    let length = 0;
    while (length < limit && prompt[length] === this.#tokens[length]) length++;
    return length;
  }

  /** Forgets everything from `position` on. */
  truncate(position: number): void {
    this.#tokens.length = Math.min(this.#tokens.length, position);
  }

  /** Notes tokens whose keys and values have just been stored. */
  append(tokens: readonly number[]): void {
    for (const token of tokens) this.#tokens.push(token);
  }
}
