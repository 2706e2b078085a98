import type {Checkpoint} from '../checkpoint.ts';
import type {Core} from '../core/core.ts';
import {GgufError} from '../errors.ts';
import type {KvCache} from './kv-cache.ts';

/** Copying so much takes a few milliseconds. */
const pieceBytes = 4 * 2 ** 20;

/** The keys and values of a context, put aside so that something else can use their place. */
export class ContextSnapshot {
  readonly #core: Core;
  readonly #pointer: number;
  readonly #bytes: Uint8Array;

  private constructor(core: Core, pointer: number, bytes: Uint8Array) {
    this.#core = core;
    this.#pointer = pointer;
    this.#bytes = bytes;
  }

  /** @throws {GgufError} `memory-refused`; what `checkpoint` throws */
  static async take(core: Core, cache: KvCache, checkpoint: Checkpoint): Promise<ContextSnapshot> {
    const bytes = allocate(cache.bytes);
    for (let start = 0; start < bytes.length; start += pieceBytes) {
      const count = Math.min(pieceBytes, bytes.length - start);
      bytes.set(core.u8(cache.pointer + start, count), start);
      await checkpoint();
    }
    return new ContextSnapshot(core, cache.pointer, bytes);
  }

  restore(): void {
    this.#core.u8(this.#pointer, this.#bytes.length).set(this.#bytes);
  }
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
