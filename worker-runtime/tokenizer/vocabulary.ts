import type {Checkpoint} from '../checkpoint.ts';
import {GgufError} from '../errors.ts';
import type {Metadata} from '../gguf/metadata.ts';
import type {StringArray} from '../gguf/string-array.ts';
import {inPieces} from './in-pieces.ts';
import {isKnownControlText} from './known-tokens.ts';

/** Kinds of tokens, by their numbers in `tokenizer.ggml.token_type`. */
export const tokenType = {normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6} as const;

const tokensKey = 'tokenizer.ggml.tokens';
const typesKey = 'tokenizer.ggml.token_type';

/** The tokens of a file: texts, kinds, and IDs by text. */
export class Vocabulary {
  readonly #tokens: StringArray;
  readonly #types: Uint8Array;
  readonly #ids: ReadonlyMap<string, number>;

  private constructor(tokens: StringArray, types: Uint8Array, ids: ReadonlyMap<string, number>) {
    this.#tokens = tokens;
    this.#types = types;
    this.#ids = ids;
  }

  /** @throws {GgufError} `tokenizer-invalid`, `missing-key`, `gguf-metadata` */
  static async create(metadata: Metadata, checkpoint: Checkpoint): Promise<Vocabulary> {
    const tokens = metadata.strings(tokensKey);
    if (!tokens)
      throw new GgufError('missing-key', `Metadata key ${tokensKey} is missing`, {field: tokensKey});
    if (tokens.length === 0) throw invalidVocabulary(tokensKey, 'is empty');
    const types = readTypes(metadata, tokens.length);
    const ids = new Map<string, number>();
    await inPieces(tokens.length, checkpoint, (id) => {
      const text = tokens.at(id);
      // Of two tokens with the same text the first one is found; one without text never is.
      if (text === '' || ids.has(text)) return;
      ids.set(text, id);
      if (isKnownControlText(text)) types[id] = tokenType.control;
    });
    return new Vocabulary(tokens, types, ids);
  }

  get size(): number {
    return this.#tokens.length;
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
