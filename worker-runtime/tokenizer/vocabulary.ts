import type {Checkpoint} from '../checkpoint.ts';
import {GgufError} from '../errors.ts';
import type {Metadata} from '../gguf/metadata.ts';
import type {StringArray} from '../gguf/string-array.ts';
import {inPieces} from './in-pieces.ts';
import {knownControlTexts} from './known-tokens.ts';
import {TextIndex} from './text-index.ts';

/** Kinds of tokens, by their numbers in `tokenizer.ggml.token_type`. */
export const tokenType = {normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6} as const;

const tokensKey = 'tokenizer.ggml.tokens';
const typesKey = 'tokenizer.ggml.token_type';

const utf8 = new TextEncoder();

/** The tokens of a file: texts, kinds, and IDs by text. */
export class Vocabulary {
  readonly #tokens: StringArray;
  readonly #types: Uint8Array;
  readonly #index: TextIndex;

  private constructor(tokens: StringArray, types: Uint8Array, index: TextIndex) {
    this.#tokens = tokens;
    this.#types = types;
    this.#index = index;
  }

  /** @throws {GgufError} `tokenizer-invalid`, `missing-key`, `gguf-metadata` */
  static async create(metadata: Metadata, checkpoint: Checkpoint): Promise<Vocabulary> {
    const tokens = metadata.strings(tokensKey);
    if (!tokens)
      throw new GgufError('missing-key', `Metadata key ${tokensKey} is missing`, {field: tokensKey});
    if (tokens.length === 0) throw invalidVocabulary(tokensKey, 'is empty');
    const types = readTypes(metadata, tokens.length);
    const index = new TextIndex(tokens);
    await inPieces(tokens.length, checkpoint, (id) => {
      // Of two tokens with the same text the first one is found; one without text never is.
      if (tokens.end(id) > tokens.start(id)) index.add(id);
    });
    const vocabulary = new Vocabulary(tokens, types, index);
    for (const text of knownControlTexts) {
      const id = vocabulary.id(text);
      if (id !== undefined) types[id] = tokenType.control;
    }
    return vocabulary;
  }

  get size(): number {
    return this.#tokens.length;
  }

  has(id: number): boolean {
    return Number.isSafeInteger(id) && id >= 0 && id < this.size;
  }

  /** The ID of a token by its text in the vocabulary. */
  id(text: string): number | undefined {
    const bytes = utf8.encode(text);
    const id = this.#index.find(bytes, 0, bytes.length);
    return id < 0 ? undefined : id;
  }

  /** The token whose text two pieces of `bytes` make, one behind the other, -1 where there is none. */
  idOfBytes(bytes: Uint8Array, start: number, end: number, secondStart = end, secondEnd = end): number {
    return this.#index.findJoined(bytes, start, end, secondStart, secondEnd);
  }

  /** The token with these bytes, whose {@link TextIndex} hash is known, -1 where there is none. */
  idOfHashed(hash: number, bytes: Uint8Array, start: number, end: number): number {
    return this.#index.findHashed(hash, bytes, start, end);
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
}

function readTypes(metadata: Metadata, size: number): Uint8Array {
  const given = metadata.numbers(typesKey);
  if (!given) return new Uint8Array(size).fill(tokenType.normal);
  if (given.length === size) return Uint8Array.from(given);
  throw invalidVocabulary(typesKey, `has ${given.length} entries for ${size} tokens`);
}

/** @param problem continues the key's name, as in "has 3 entries for 5 tokens" */
export function invalidVocabulary(key: string, problem: string): GgufError {
  return new GgufError('tokenizer-invalid', `Metadata key ${key} ${problem}`, {field: key});
}
