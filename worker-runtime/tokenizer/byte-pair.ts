import type {Metadata} from '../gguf/metadata.ts';
import {alphabetBytes, alphabetText, byteToCharacter} from './byte-alphabet.ts';
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

  /** @throws {GgufError} `tokenizer-invalid`, `gguf-metadata` naming the key */
  constructor(
    metadata: Metadata,
    vocabulary: Vocabulary,
    preTokenizer: PreTokenizer,
    unknown: number | null,
  ) {
    this.closesUpPunctuation = preTokenizer.closesUpPunctuation;
    this.#vocabulary = vocabulary;
    this.#preTokenizer = preTokenizer;
    this.#unknown = unknown;
    this.#merges = new MergeList(metadata, vocabulary);
    this.#byteTokens = Int32Array.from(byteToCharacter, (character) => vocabulary.id(character) ?? -1);
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

  constructor(metadata: Metadata, vocabulary: Vocabulary) {
    const merges = metadata.strings(mergesKey);
    if (!merges) throw invalidVocabulary(mergesKey, 'is missing; this kind of tokenizer needs it');
    this.#size = vocabulary.size;
    this.#results = new Int32Array(merges.length);
    for (let rank = 0; rank < merges.length; rank++) {
      const merge = merges.at(rank);
      // A part is never empty, so the first character belongs to the left one even if it is a space.
      const space = merge.indexOf(' ', 1);
      if (space < 0) throw invalidVocabulary(mergesKey, `has "${merge}" (${rank}), which is not two parts`);
      const [left, right] = [merge.slice(0, space), merge.slice(space + 1)];
      const [leftId, rightId, result] = [left, right, left + right].map((text) => {
        const id = vocabulary.id(text);
        if (id !== undefined) return id;
        throw invalidVocabulary(mergesKey, `has "${merge}" (${rank}), but "${text}" is no token`);
      }) as [number, number, number];
      const pair = leftId * this.#size + rightId;
      if (!this.#ranks.has(pair)) this.#ranks.set(pair, rank);
      this.#results[rank] = result;
    }
  }

  /** -1 where there is no such merge. */
  rank(left: number, right: number): number {
    return left < 0 || right < 0 ? -1 : (this.#ranks.get(left * this.#size + right) ?? -1);
  }

  result(rank: number): number {
    return this.#results[rank] ?? -1;
  }
}
