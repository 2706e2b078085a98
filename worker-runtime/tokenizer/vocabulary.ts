import {GgufError} from '../errors.ts';
import type {Metadata} from '../gguf/metadata.ts';
import type {StringArray} from '../gguf/string-array.ts';
import {isKnownControlText} from './known-tokens.ts';

/** Kinds of tokens, by their numbers in `tokenizer.ggml.token_type`. */
export const tokenType = {normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6} as const;

const tokensKey = 'tokenizer.ggml.tokens';
const typesKey = 'tokenizer.ggml.token_type';

/** The tokens of a file: texts, kinds, and IDs by text. */
export class Vocabulary {
  readonly size: number;
  readonly #tokens: StringArray;
  readonly #types: Uint8Array;
  readonly #ids = new Map<string, number>();

  /** @throws {GgufError} `tokenizer-invalid`, `missing-key`, `gguf-metadata` */
  constructor(metadata: Metadata) {
    const tokens = metadata.strings(tokensKey);
    if (!tokens)
      throw new GgufError('missing-key', `Metadata key ${tokensKey} is missing`, {field: tokensKey});
    if (tokens.length === 0) throw invalidVocabulary(tokensKey, 'is empty');
    this.size = tokens.length;
    this.#tokens = tokens;
    for (let id = 0; id < tokens.length; id++) {
      const text = tokens.at(id);
      // Of two tokens with the same text the first one is found; one without text never is.
      if (text !== '' && !this.#ids.has(text)) this.#ids.set(text, id);
    }
    this.#types = this.#readTypes(metadata);
  }

  has(id: number): boolean {
    return Number.isSafeInteger(id) && id >= 0 && id < this.size;
  }

  /** The ID of a token by its text in the vocabulary. */
  id(text: string): number | undefined {
    return this.#ids.get(text);
  }

  /** @param id one of the vocabulary */
  text(id: number): string {
    return this.#tokens.at(id);
  }

  /** The text's bytes as they lie in the file: a view. */
  textBytes(id: number): Uint8Array {
    return this.#tokens.bytesAt(id);
  }

  /** A number of {@link tokenType}. */
  type(id: number): number {
    return this.#types[id] ?? tokenType.normal;
  }

  /** Whether a token is part of the text at all; control and unknown tokens are not. */
  isSpecial(id: number): boolean {
    const type = this.type(id);
    return type === tokenType.control || type === tokenType.unknown;
  }

  #readTypes(metadata: Metadata): Uint8Array {
    const given = metadata.numbers(typesKey);
    if (given && given.length !== this.size) {
      throw invalidVocabulary(typesKey, `has ${given.length} entries for ${this.size} tokens`);
    }
    const types = given ? Uint8Array.from(given) : new Uint8Array(this.size).fill(tokenType.normal);
    for (const [text, id] of this.#ids) if (isKnownControlText(text)) types[id] = tokenType.control;
    return types;
  }
}

/** @param problem continues the key's name, as in "has 3 entries for 5 tokens" */
export function invalidVocabulary(key: string, problem: string): GgufError {
  return new GgufError('tokenizer-invalid', `Metadata key ${key} ${problem}`, {field: key});
}
