import type {Checkpoint} from '../checkpoint.ts';
import type {Metadata} from '../gguf/metadata.ts';
import {inPieces} from './in-pieces.ts';
import type {Vocabulary} from './vocabulary.ts';
import {invalidVocabulary} from './vocabulary.ts';

const mergesKey = 'tokenizer.ggml.merges';

/** The merges by the IDs of their parts. */
export class MergeList {
  readonly #size: number;
  readonly #ranks = new Map<number, number>();
  readonly #results: Int32Array;

  private constructor(vocabularySize: number, count: number) {
    this.#size = vocabularySize;
    this.#results = new Int32Array(count);
  }

  static async create(
    metadata: Metadata,
    vocabulary: Vocabulary,
    checkpoint: Checkpoint,
  ): Promise<MergeList> {
    const merges = metadata.strings(mergesKey);
    if (!merges) throw invalidVocabulary(mergesKey, 'is missing; this kind of tokenizer needs it');
    const list = new MergeList(vocabulary.size, merges.length);
    await inPieces(merges.length, checkpoint, (rank) => list.#add(rank, merges.at(rank), vocabulary));
    return list;
  }

  #add(rank: number, merge: string, vocabulary: Vocabulary): void {
    // A part is never empty, so the first character belongs to the left one even if it is a space.
    const space = merge.indexOf(' ', 1);
    if (space < 0) throw invalidVocabulary(mergesKey, `has "${merge}" (${rank}), which is not two parts`);
    const idOf = (text: string): number => {
      const id = vocabulary.id(text);
      if (id !== undefined) return id;
      throw invalidVocabulary(mergesKey, `has "${merge}" (${rank}), but "${text}" is no token`);
    };
    const [left, right] = [merge.slice(0, space), merge.slice(space + 1)];
    const pair = idOf(left) * this.#size + idOf(right);
    this.#results[rank] = idOf(left + right);
    if (!this.#ranks.has(pair)) this.#ranks.set(pair, rank);
  }

  /** -1 where there is no such merge. */
  rank(left: number, right: number): number {
    return left < 0 || right < 0 ? -1 : (this.#ranks.get(left * this.#size + right) ?? -1);
  }

  result(rank: number): number {
    return this.#results[rank] ?? -1;
  }
}
