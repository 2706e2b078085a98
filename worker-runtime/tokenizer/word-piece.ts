import type {Checkpoint} from '../checkpoint.ts';
import {spaceMark} from './byte-tokens.ts';
import {TextPrefixes} from './text-prefixes.ts';
import type {TokenModel} from './token-model.ts';
import type {Vocabulary} from './vocabulary.ts';

const utf8 = new TextEncoder();
const whiteSpace = /\p{White_Space}/u;
const dropped = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{M}\ufffd]/u;
/** Characters that are words by themselves: punctuation, signs of ASCII, and what Chinese is written in. */
const standsAlone =
  /[\p{P}$+<=>^`|~\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/u;

/**
 * The `bert` kind (WordPiece, Schuster and Nakajima, 2012): text in lower case and without accents is divided at spaces
 * and punctuation, and of each word the longest token is taken that it begins with, then that of the rest. In these
 * files a mark (▁) stands before what begins a word, and nothing before what continues one.
 */
export class WordPiece implements TokenModel {
  readonly addSpacePrefix = false;
  readonly closesUpPunctuation = true;
  readonly #vocabulary: Vocabulary;
  readonly #prefixes: TextPrefixes;
  readonly #unknown: number | null;

  private constructor(vocabulary: Vocabulary, prefixes: TextPrefixes, unknown: number | null) {
    this.#vocabulary = vocabulary;
    this.#prefixes = prefixes;
    this.#unknown = unknown;
  }

  static async create(
    vocabulary: Vocabulary,
    unknown: number | null,
    checkpoint: Checkpoint,
  ): Promise<WordPiece> {
    return new WordPiece(vocabulary, await TextPrefixes.create(vocabulary, checkpoint), unknown);
  }

  encode(text: string, _afterSpecial: boolean, output: number[]): void {
    for (const word of normalisedWords(text)) {
      const tokens = this.#wordTokens(utf8.encode(spaceMark + word));
      if (tokens) for (const id of tokens) output.push(id);
      else if (this.#unknown !== null) output.push(this.#unknown);
    }
  }

  bytes(id: number): Uint8Array {
    if (this.#vocabulary.isSpecial(id)) return this.#vocabulary.textBytes(id);
    return utf8.encode(this.#vocabulary.text(id).replaceAll(spaceMark, ' '));
  }

  /** `null` where a part of the word is no token: the whole word is unknown then. */
  #wordTokens(word: Uint8Array): number[] | null {
    const tokens: number[] = [];
    for (let start = 0; start < word.length;) {
      let [longest, end] = [-1, start];
      this.#prefixes.forEach(word, start, (id, tokenEnd) => {
        [longest, end] = [id, tokenEnd];
      });
      if (longest < 0) return null;
      tokens.push(longest);
      start = end;
    }
    return tokens;
  }
}

/** In lower case, of each character what is left of it without accents. */
function normalisedWords(text: string): string[] {
  const words: string[] = [];
  let word = '';
  const end = (): void => {
    if (word !== '') words.push(word);
    word = '';
  };
  for (const character of text) {
    const base = firstCharacter(character.normalize('NFD'));
    if (whiteSpace.test(base)) {
      end();
    } else if (!dropped.test(base)) {
      const lower = firstCharacter(base.toLowerCase());
      if (standsAlone.test(base)) {
        end();
        words.push(lower);
      } else {
        word += lower;
      }
    }
  }
  end();
  return words;
}

function firstCharacter(text: string): string {
  return String.fromCodePoint(text.codePointAt(0) ?? 0);
}
