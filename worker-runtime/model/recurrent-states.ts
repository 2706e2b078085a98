import type {Arena} from '../core/arena.ts';
import type {Core} from '../core/core.ts';

/** The states of one sequence, put aside. */
export interface StatesSnapshot {
  readonly current: Uint8Array;
  readonly kept: Uint8Array;
  readonly position: number;
  readonly keptPosition: number | null;
}

/**
 * The states of a sequence's recurrent layers, all in one region of memory. A step reads one region and writes another, so
 * that a cancelled step leaves the states as they were. They cannot be rolled back; a third region keeps those of one
 * position to come back to.
 */
export class RecurrentStates {
  readonly #bytes: number;
  #current: number;
  #next: number;
  readonly #kept: number;
  #position = 0;
  #keptPosition: number | null = null;

  /** @param bytes of the states of all layers */
  constructor(bytes: number, arena: Arena) {
    this.#bytes = bytes;
    this.#current = arena.allocate(bytes, 'kvCache');
    this.#next = arena.allocate(bytes, 'kvCache');
    this.#kept = arena.allocate(bytes, 'kvCache');
  }

  /** Where a step reads. */
  get current(): number {
    return this.#current;
  }

  /** Where a step writes. */
  get next(): number {
    return this.#next;
  }

  /** The last position, `position` or before it, that a sequence can go on from. */
  usablePosition(position: number): number {
    if (position === this.#position) return position;
    return this.#keptPosition !== null && this.#keptPosition <= position ? this.#keptPosition : 0;
  }

  /** Makes `current` the states before `position`, which is one that `usablePosition` gave. */
  goTo(position: number, core: Core): void {
    if (position === this.#position) return;
    if (position !== 0 && position !== this.#keptPosition) {
      throw new RangeError(`no state was kept before position ${position}`);
    }
    if (position === 0) core.u8(this.#current, this.#bytes).fill(0);
    else core.copy(this.#kept, this.#current, this.#bytes);
    this.#position = position;
  }

  /** Keeps the states before the present position, instead of those kept before. */
  keep(core: Core): void {
    core.copy(this.#current, this.#kept, this.#bytes);
    this.#keptPosition = this.#position;
  }

  snapshot(core: Core): StatesSnapshot {
    const copy = (pointer: number): Uint8Array => core.u8(pointer, this.#bytes).slice();
    return {
      current: copy(this.#current),
      kept: copy(this.#kept),
      position: this.#position,
      keptPosition: this.#keptPosition,
    };
  }

  restore({current, kept, position, keptPosition}: StatesSnapshot, core: Core): void {
    core.u8(this.#current, this.#bytes).set(current);
    core.u8(this.#kept, this.#bytes).set(kept);
    this.#position = position;
    this.#keptPosition = keptPosition;
  }

  /** For a sequence that has not begun. */
  clear(core: Core): void {
    core.u8(this.#current, this.#bytes).fill(0);
    this.#position = 0;
    this.#keptPosition = null;
  }

  /** A step of `tokens` has written `next`. */
  advance(tokens: number): void {
    [this.#current, this.#next] = [this.#next, this.#current];
    this.#position += tokens;
  }
}
