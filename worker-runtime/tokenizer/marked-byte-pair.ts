import type {Checkpoint} from '../checkpoint.ts';
import type {Metadata} from '../gguf/metadata.ts';
import {byteName, parseByteName, spaceMark} from './byte-tokens.ts';
import {MergeList} from './merge-list.ts';
import {mergeSymbols} from './merge-symbols.ts';
import type {PreTokenizer} from './pre-tokenizers.ts';
import type {TokenModel} from './token-model.ts';
import type {Vocabulary} from './vocabulary.ts';
import {tokenType} from './vocabulary.ts';
import {divide} from './word-patterns.ts';

const utf8 = new TextEncoder();

/**
 * BPE over characters instead of bytes (Gemma 4): a mark stands for each space, lines are merged as wholes, and characters
 * that are no token become the tokens of their bytes.
 */
export class MarkedBytePair implements TokenModel {
  readonly addSpacePrefix = false;
  readonly closesUpPunctuation: boolean;
  readonly #vocabulary: Vocabulary;
  readonly #preTokenizer: PreTokenizer;
  readonly #unknown: number | null;
  readonly #merges: MergeList;
  readonly #byteTokens: readonly (number | undefined)[];

  private constructor(
    vocabulary: Vocabulary,
    preTokenizer: PreTokenizer,
    unknown: number | null,
    merges: MergeList,
  ) {
    this.closesUpPunctuation = preTokenizer.closesUpPunctuation;
    this.#vocabulary = vocabulary;
    this.#preTokenizer = preTokenizer;
    this.#unknown = unknown;
    this.#merges = merges;
    this.#byteTokens = Array.from({length: 256}, (_, byte) => vocabulary.id(byteName(byte)));
  }

  /** @throws {GgufError} `tokenizer-invalid`, `gguf-metadata` naming the key */
  static async create(
    metadata: Metadata,
    vocabulary: Vocabulary,
    preTokenizer: PreTokenizer,
    unknown: number | null,
    checkpoint: Checkpoint,
  ): Promise<MarkedBytePair> {
    const merges = await MergeList.create(metadata, vocabulary, checkpoint);
    return new MarkedBytePair(vocabulary, preTokenizer, unknown, merges);
  }

  encode(text: string, _afterSpecial: boolean, output: number[]): void {
    for (const piece of divide(text.replaceAll(' ', spaceMark), this.#preTokenizer.patterns)) {
      this.#merge(piece, output);
    }
  }

  bytes(id: number): Uint8Array {
    const type = this.#vocabulary.type(id);
    if (type === tokenType.byte) {
      const byte = parseByteName(this.#vocabulary.text(id));
      if (byte !== null) return Uint8Array.of(byte);
    }
    if (type === tokenType.userDefined || this.#vocabulary.isSpecial(id)) {
      return this.#vocabulary.textBytes(id);
    }
    return utf8.encode(this.#vocabulary.text(id).replaceAll(spaceMark, ' '));
  }

  #merge(piece: string, output: number[]): void {
    const characters = [...piece];
    const ids = Int32Array.from(characters, (character) => this.#vocabulary.id(character) ?? -1);
    const next = mergeSymbols(ids.length, {
      rank: (left, right) => this.#merges.rank(ids[left] as number, ids[right] as number),
      join: (left, _right, rank) => (ids[left] = this.#merges.result(rank)),
    });
    for (let i = 0; i < ids.length; i = next[i] as number) {
      const id = ids[i] as number;
      if (id >= 0) output.push(id);
      else this.#encodeBytes(characters[i] as string, output);
    }
  }

  #encodeBytes(character: string, output: number[]): void {
    for (const byte of utf8.encode(character)) {
      const id = this.#byteTokens[byte] ?? this.#unknown;
      if (id !== null) output.push(id);
    }
  }
}
