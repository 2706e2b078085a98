import type {Checkpoint} from '../checkpoint.ts';
import type {Metadata} from '../gguf/metadata.ts';
import {alphabetBytes, alphabetText, byteToCharacter} from './byte-alphabet.ts';
import {MergeList} from './merge-list.ts';
import {mergeSymbols} from './merge-symbols.ts';
import type {PreTokenizer} from './pre-tokenizers.ts';
import type {TokenModel} from './token-model.ts';
import type {Vocabulary} from './vocabulary.ts';
import {tokenType} from './vocabulary.ts';
import {divide} from './word-patterns.ts';

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
    for (const word of divide(text, this.#preTokenizer.patterns)) {
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
