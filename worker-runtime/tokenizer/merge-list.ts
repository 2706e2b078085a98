import type {Checkpoint} from '../checkpoint.ts';
import type {StringArray} from '../gguf/string-array.ts';
import type {Metadata} from '../gguf/metadata.ts';
import {inPieces} from './in-pieces.ts';
import type {Vocabulary} from './vocabulary.ts';
import {invalidVocabulary} from './vocabulary.ts';

const mergesKey = 'tokenizer.ggml.merges';
const space = 0x20;

/** The merges by the IDs of their parts: an open hash table of numbers. */
export class MergeList {
  /** Of each merge, in the order of their ranks. */
  readonly #lefts: Int32Array;
  readonly #rights: Int32Array;
  readonly #results: Int32Array;
  /** A rank in each slot, -1 where it is free. */
  readonly #slots: Int32Array;
  readonly #mask: number;

  private constructor(count: number) {
    const capacity = 2 ** Math.ceil(Math.log2(2 * count + 1));
    this.#lefts = new Int32Array(count);
    this.#rights = new Int32Array(count);
    this.#results = new Int32Array(count);
    this.#slots = new Int32Array(capacity).fill(-1);
    this.#mask = capacity - 1;
  }

  static async create(
    metadata: Metadata,
    vocabulary: Vocabulary,
    checkpoint: Checkpoint,
  ): Promise<MergeList> {
    const merges = metadata.strings(mergesKey);
    if (!merges) throw invalidVocabulary(mergesKey, 'is missing; this kind of tokenizer needs it');
    const list = new MergeList(merges.length);
    await inPieces(merges.length, checkpoint, (rank) => list.#add(rank, merges, vocabulary));
    return list;
  }

  #add(rank: number, merges: StringArray, vocabulary: Vocabulary): void {
    const {bytes} = merges;
    const [start, end] = [merges.start(rank), merges.end(rank)];
    // A part is never empty, so the first byte belongs to the left one even if it is a space.
    const middle = bytes.indexOf(space, start + 1);
    if (middle < 0 || middle >= end) {
      throw invalidVocabulary(mergesKey, `has "${merges.at(rank)}" (${rank}), which is not two parts`);
    }
    const idOf = (first: number, last: number, secondFirst = last, secondLast = last): number => {
      const id = vocabulary.idOfBytes(bytes, first, last, secondFirst, secondLast);
      if (id >= 0) return id;
      const text = [bytes.subarray(first, last), bytes.subarray(secondFirst, secondLast)]
        .map((part) => new TextDecoder().decode(part))
        .join('');
      throw invalidVocabulary(mergesKey, `has "${merges.at(rank)}" (${rank}), but "${text}" is no token`);
    };
    const [left, right] = [idOf(start, middle), idOf(middle + 1, end)];
    this.#lefts[rank] = left;
    this.#rights[rank] = right;
    this.#results[rank] = idOf(start, middle, middle + 1, end);
    const slot = this.#slotOf(left, right);
    if (this.#slots[slot] === -1) this.#slots[slot] = rank;
  }

  /** -1 where there is no such merge. */
  rank(left: number, right: number): number {
    return left < 0 || right < 0 ? -1 : (this.#slots[this.#slotOf(left, right)] as number);
  }

  result(rank: number): number {
    return this.#results[rank] ?? -1;
  }

  /** The slot of a pair, or the one where it would be. */
  #slotOf(left: number, right: number): number {
    let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    let slot = (hash ^ (hash >>> 13)) & this.#mask;
    for (;;) {
      const rank = this.#slots[slot] as number;
      if (rank < 0 || (this.#lefts[rank] === left && this.#rights[rank] === right)) return slot;
      slot = (slot + 1) & this.#mask;
    }
  }
}
