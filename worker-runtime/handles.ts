import {GgufError} from './errors.ts';
import type {Handle} from './protocol.ts';

/**
 * Objects of the Worker under opaque names. An ID may be used again; the generation makes sure that an old name never
 * reaches a new object.
 */
export class HandleTable<Kind extends string, T> {
  readonly #kind: Kind;
  readonly #slots: {generation: number; value: T | undefined}[] = [];

  constructor(kind: Kind) {
    this.#kind = kind;
  }

  /** Adds what `create` makes of its new name. */
  add(create: (handle: Handle<Kind>) => T): T {
    const free = this.#slots.findIndex((slot) => slot.value === undefined);
    const id = free < 0 ? this.#slots.length : free;
    const generation = (this.#slots[id]?.generation ?? 0) + 1;
    const value = create({kind: this.#kind, id, generation});
    this.#slots[id] = {generation, value};
    return value;
  }

  /** @throws {GgufError} `stale-handle`, also for what was never a handle */
  get(handle: Handle<Kind>): T {
    // A message may hold anything.
    const {kind, id, generation}: Partial<Handle<Kind>> = Object(handle);
    const slot = id === undefined ? undefined : this.#slots[id];
    if (kind === this.#kind && slot?.generation === generation && slot?.value !== undefined) {
      return slot.value;
    }
    throw new GgufError('stale-handle', `This ${this.#kind} is gone`, {field: this.#kind});
  }

  remove({id, generation}: Handle<Kind>): void {
    const slot = this.#slots[id];
    if (slot?.generation === generation) slot.value = undefined;
  }
}
