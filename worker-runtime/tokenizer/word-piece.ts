import type {Checkpoint} from '../checkpoint.ts';
import {spaceMark} from './byte-tokens.ts';
import {inPieces} from './in-pieces.ts';
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
  readonly #ids: ReadonlyMap<string, number>;
  readonly #unknown: number | null;
  /** Length of the longest token, in UTF-16 units: no longer text needs to be looked up. */
  readonly #longest: number;

  private constructor(
    vocabulary: Vocabulary,
    ids: ReadonlyMap<string, number>,
    unknown: number | null,
    longest: number,
  ) {
    this.#vocabulary = vocabulary;
    this.#ids = ids;
    this.#unknown = unknown;
    this.#longest = longest;
  }

  static async create(
    vocabulary: Vocabulary,
    unknown: number | null,
    checkpoint: Checkpoint,
  ): Promise<WordPiece> {
    let longest = 0;
    await inPieces(vocabulary.size, checkpoint, (id) => {
      // No text has more UTF-16 units than bytes.
      longest = Math.max(longest, vocabulary.textBytes(id).length);
    });
    return new WordPiece(vocabulary, await vocabulary.textMap(checkpoint), unknown, longest);
  }

  encode(text: string, _afterSpecial: boolean, output: number[]): void {
    for (const word of normalisedWords(text)) {
      const tokens = this.#wordTokens(spaceMark + word);
      if (tokens) for (const id of tokens) output.push(id);
      else if (this.#unknown !== null) output.push(this.#unknown);
    }
  }

  bytes(id: number): Uint8Array {
    if (this.#vocabulary.isSpecial(id)) return this.#vocabulary.textBytes(id);
    return utf8.encode(this.#vocabulary.text(id).replaceAll(spaceMark, ' '));
  }

  /** `null` where a part of the word is no token: the whole word is unknown then. */
  #wordTokens(word: string): number[] | null {
    const tokens: number[] = [];
    for (let start = 0; start < word.length;) {
      let end = Math.min(word.length, start + this.#longest);
      let id: number | undefined;
      for (; end > start; end--) {
        id = this.#ids.get(word.slice(start, end));
        if (id !== undefined) break;
      }
      if (id === undefined) return null;
      tokens.push(id);
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
