import type {Checkpoint} from '../checkpoint.ts';
import type {Core} from '../core/core.ts';
import {kvBlockPositions} from '../core/core-exports.ts';
import {GgufError} from '../errors.ts';
import type {KvCache} from './kv-cache.ts';
import type {StatesSnapshot} from './recurrent-states.ts';

/** Copying so much takes a few milliseconds. */
const pieceBytes = 4 * 2 ** 20;

/** A stretch of the core's memory. */
interface Stretch {
  readonly pointer: number;
  readonly bytes: number;
}

/** The keys, values and states of a context, put aside so that another one can use their place. */
export class ContextSnapshot {
  readonly #core: Core;
  readonly #cache: KvCache;
  readonly #stretches: readonly Stretch[];
  readonly #copy: Uint8Array;
  readonly #states: StatesSnapshot | null;

  private constructor(core: Core, cache: KvCache, stretches: readonly Stretch[], copy: Uint8Array) {
    this.#core = core;
    this.#cache = cache;
    this.#stretches = stretches;
    this.#copy = copy;
    this.#states = cache.states?.snapshot(core) ?? null;
  }

  /**
   * @param stored positions that were stored
   * @throws {GgufError} `memory-refused`; what `checkpoint` throws
   */
  static async take(
    core: Core,
    cache: KvCache,
    stored: number,
    checkpoint: Checkpoint,
  ): Promise<ContextSnapshot> {
    const stretches = usedStretches(cache, stored);
    const copy = allocate(stretches.reduce((sum, {bytes}) => sum + bytes, 0));
    let end = 0;
    for (const {pointer, bytes} of stretches) {
      for (let start = 0; start < bytes; start += pieceBytes) {
        const count = Math.min(pieceBytes, bytes - start);
        copy.set(core.u8(pointer + start, count), end + start);
        await checkpoint();
      }
      end += bytes;
    }
    return new ContextSnapshot(core, cache, stretches, copy);
  }

  restore(): void {
    let start = 0;
    for (const {pointer, bytes} of this.#stretches) {
      this.#core.u8(pointer, bytes).set(this.#copy.subarray(start, start + bytes));
      start += bytes;
    }
    if (this.#states) this.#cache.states?.restore(this.#states, this.#core);
  }
}

/** Where the keys and values of the first `stored` positions are; of rings that came round, all. */
function usedStretches({layers}: KvCache, stored: number): Stretch[] {
  return layers.flatMap(({attention}) => {
    if (!attention || attention.positionBytes === 0) return [];
    const {keys, values, heads, positions, positionBytes} = attention;
    const used = Math.ceil(Math.min(stored, positions) / kvBlockPositions) * kvBlockPositions;
    const each = positionBytes / 2 / heads;
    return [keys, values].flatMap((pointer) =>
      Array.from({length: heads}, (_, head) => ({
        pointer: pointer + head * positions * each,
        bytes: used * each,
      })),
    );
  });
}

function allocate(bytes: number): Uint8Array {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    const mebibytes = Math.ceil(bytes / 2 ** 20);
    throw new GgufError(
      'memory-refused',
      `The browser refused ${mebibytes} MiB to put the context aside; reset it first`,
      {cause},
    );
  }
}
