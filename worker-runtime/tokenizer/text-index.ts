import type {StringArray} from '../gguf/string-array.ts';

/** FNV-1a's: one byte after the other, so that a hash can go on behind another text. */
export const hashBasis = 0x811c9dc5 | 0;
const prime = 0x01000193;

export function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, prime);
}

/** Places of strings by their bytes: an open hash table of numbers, without a string in it. */
export class TextIndex {
  readonly #strings: StringArray;
  /** Index of a string in each slot, -1 where it is free. */
  readonly #slots: Int32Array;
  readonly #mask: number;

  /** @param strings of which at most so many as there are can be added */
  constructor(strings: StringArray) {
    this.#strings = strings;
    const capacity = 2 ** Math.ceil(Math.log2(2 * strings.length + 1));
    this.#slots = new Int32Array(capacity).fill(-1);
    this.#mask = capacity - 1;
  }

  /** Adds a string unless there is one with the same bytes. */
  add(index: number): void {
    const {bytes} = this.#strings;
    const [start, end] = [this.#strings.start(index), this.#strings.end(index)];
    const slot = this.#find(bytes, start, end, end, end);
    if (this.#slots[slot] === -1) this.#slots[slot] = index;
  }

  /** The string with these bytes, -1 where there is none. */
  find(bytes: Uint8Array, start: number, end: number): number {
    return this.findJoined(bytes, start, end, end, end);
  }

  /** The string that two pieces of `bytes`, one behind the other, make. */
  findJoined(bytes: Uint8Array, start: number, end: number, secondStart: number, secondEnd: number): number {
    return this.#slots[this.#find(bytes, start, end, secondStart, secondEnd)] ?? -1;
  }

  /** The string with these bytes, whose hash is known. */
  findHashed(hash: number, bytes: Uint8Array, start: number, end: number): number {
    return this.#slots[this.#findHashed(hash, bytes, start, end, end, end)] ?? -1;
  }

  /** The slot of a text, or the one where it would be. */
  #find(bytes: Uint8Array, start: number, end: number, secondStart: number, secondEnd: number): number {
    const hash = hashOf(bytes, secondStart, secondEnd, hashOf(bytes, start, end, hashBasis));
    return this.#findHashed(hash, bytes, start, end, secondStart, secondEnd);
  }

  #findHashed(
    hash: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    secondStart: number,
    secondEnd: number,
  ): number {
    let slot = spread(hash) & this.#mask;
    for (;;) {
      const index = this.#slots[slot] as number;
      if (index < 0 || this.#isSame(index, bytes, start, end, secondStart, secondEnd)) return slot;
      slot = (slot + 1) & this.#mask;
    }
  }

  #isSame(
    index: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    secondStart: number,
    secondEnd: number,
  ): boolean {
    const {bytes: own} = this.#strings;
    let place = this.#strings.start(index);
    if (this.#strings.end(index) - place !== end - start + secondEnd - secondStart) return false;
    for (let other = start; other < end; other++) if (own[place++] !== bytes[other]) return false;
    for (let other = secondStart; other < secondEnd; other++) if (own[place++] !== bytes[other]) return false;
    return true;
  }
}

function hashOf(bytes: Uint8Array, start: number, end: number, before: number): number {
  let hash = before;
  for (let place = start; place < end; place++) hash = hashByte(hash, bytes[place] as number);
  return hash;
}

/** FNV's low bits depend on few bits of the text. */
export function spread(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 13);
}
