import type {Checkpoint} from '../checkpoint.ts';
import type {Metadata} from '../gguf/metadata.ts';
import {alphabetBytes, alphabetText, byteToCharacter} from './byte-alphabet.ts';
import {inPieces} from './in-pieces.ts';
import {mergeSymbols} from './merge-symbols.ts';
import type {PreTokenizer} from './pre-tokenizers.ts';
import type {TokenModel} from './token-model.ts';
import type {Vocabulary} from './vocabulary.ts';
import {invalidVocabulary, tokenType} from './vocabulary.ts';

const mergesKey = 'tokenizer.ggml.merges';
const utf8 = new TextEncoder();

/** Most words of a text occur again and again, and are short. */
const longestCachedWord = 32;
const mostCachedWords = 50_000;

/**
 * The `gpt2` kind (byte-level BPE, Radford et al., 2019): text is divided into words, a word into bytes, and neighbours
 * are joined in the order of the list of merges.
 */
export class BytePair implements TokenModel {
  readonly addSpacePrefix = false;
  readonly closesUpPunctuation: boolean;
  readonly #vocabulary: Vocabulary;
  readonly #preTokenizer: PreTokenizer;
  readonly #unknown: number | null;
  readonly #merges: MergeList;
  /** The token of each single byte, -1 where there is none. */
  readonly #byteTokens: Int32Array;
  readonly #cache = new Map<string, readonly number[]>();

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
    this.#byteTokens = Int32Array.from(byteToCharacter, (character) => vocabulary.id(character) ?? -1);
  }

  /** @throws {GgufError} `tokenizer-invalid`, `gguf-metadata` naming the key */
  static async create(
    metadata: Metadata,
    vocabulary: Vocabulary,
    preTokenizer: PreTokenizer,
    unknown: number | null,
    checkpoint: Checkpoint,
  ): Promise<BytePair> {
    const merges = await MergeList.create(metadata, vocabulary, checkpoint);
    return new BytePair(vocabulary, preTokenizer, unknown, merges);
  }

  encode(text: string, _afterSpecial: boolean, output: number[]): void {
    for (const [word] of text.matchAll(this.#preTokenizer.words)) {
      // Not push(...): a single word may have more tokens than a call takes arguments.
      for (const id of this.#wordTokens(word)) output.push(id);
    }
  }

  bytes(id: number): Uint8Array {
    const asWritten = this.#vocabulary.type(id) === tokenType.userDefined || this.#vocabulary.isSpecial(id);
    return asWritten ? this.#vocabulary.textBytes(id) : alphabetBytes(this.#vocabulary.text(id));
  }

  #wordTokens(word: string): readonly number[] {
    if (word.length > longestCachedWord) return this.#merge(word);
    const cached = this.#cache.get(word);
    if (cached) return cached;
    const tokens = this.#merge(word);
    if (this.#cache.size === mostCachedWords) this.#cache.clear();
    this.#cache.set(word, tokens);
    return tokens;
  }

  #merge(word: string): number[] {
    const bytes = utf8.encode(word);
    if (this.#preTokenizer.ignoreMerges && word.length <= longestCachedWord * 8) {
      const whole = this.#vocabulary.id(alphabetText(bytes));
      if (whole !== undefined && !this.#vocabulary.isSpecial(whole)) return [whole];
    }
    const ids = Int32Array.from(bytes, (byte) => this.#byteTokens[byte] ?? -1);
    const next = mergeSymbols(ids.length, {
      rank: (left, right) => this.#merges.rank(ids[left] as number, ids[right] as number),
      join: (left, _right, rank) => (ids[left] = this.#merges.result(rank)),
    });
    const tokens: number[] = [];
    for (let i = 0; i < ids.length; i = next[i] as number) {
      const id = ids[i] as number;
      if (id >= 0) tokens.push(id);
      else if (this.#unknown !== null) tokens.push(this.#unknown);
    }
    return tokens;
  }
}

/** The merges by the IDs of their parts. */
class MergeList {
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
