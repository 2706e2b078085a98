import type {Checkpoint} from '../checkpoint.ts';
import {EscapedTexts} from './escaped-texts.ts';
import {TextPrefixes} from './text-prefixes.ts';
import type {TokenModel} from './token-model.ts';
import type {Vocabulary} from './vocabulary.ts';

const utf8 = new TextEncoder();

/**
 * The `rwkv` kind (the World tokenizer of RWKV): of a text's bytes the longest token is taken that they begin with, then
 * that of the rest. Tokens are written with escapes, as any bytes may be one.
 */
export class RwkvWorld implements TokenModel {
  readonly addSpacePrefix = false;
  readonly closesUpPunctuation = false;
  readonly #vocabulary: Vocabulary;
  readonly #texts: EscapedTexts;
  readonly #prefixes: TextPrefixes;
  readonly #unknown: number | null;

  private constructor(
    vocabulary: Vocabulary,
    texts: EscapedTexts,
    prefixes: TextPrefixes,
    unknown: number | null,
  ) {
    this.#vocabulary = vocabulary;
    this.#texts = texts;
    this.#prefixes = prefixes;
    this.#unknown = unknown;
  }

  /**
   * @param unknown what stands for a byte that begins no token; `null`: nothing
   * @throws {GgufError} `tokenizer-invalid`
   */
  static async create(
    vocabulary: Vocabulary,
    unknown: number | null,
    checkpoint: Checkpoint,
  ): Promise<RwkvWorld> {
    const texts = await EscapedTexts.create(vocabulary, checkpoint);
    return new RwkvWorld(vocabulary, texts, await TextPrefixes.create(texts, checkpoint), unknown);
  }

  encode(text: string, _afterSpecial: boolean, output: number[]): void {
    const bytes = utf8.encode(text);
    for (let start = 0; start < bytes.length;) {
      let longest = this.#unknown;
      let end = start + 1;
      this.#prefixes.forEach(bytes, start, (id, tokenEnd) => {
        [longest, end] = [id, tokenEnd];
      });
      if (longest !== null) output.push(longest);
      start = end;
    }
  }

  bytes(id: number): Uint8Array {
    return this.#vocabulary.isSpecial(id) ? this.#vocabulary.textBytes(id) : this.#texts.textBytes(id);
  }
}
