import type {Checkpoint} from '../checkpoint.ts';
import {StringArray} from '../gguf/string-array.ts';
import {inPieces} from './in-pieces.ts';
import {TextIndex} from './text-index.ts';
import type {PrefixTexts} from './text-prefixes.ts';
import {invalidVocabulary, tokenType} from './vocabulary.ts';
import type {Vocabulary} from './vocabulary.ts';

const tokensKey = 'tokenizer.ggml.tokens';
const backslash = 0x5c;

/** What one character behind a backslash stands for; other characters stand for themselves. */
const escapes: ReadonlyMap<number, number> = new Map(
  Object.entries({n: '\n', r: '\r', t: '\t'}).map(([name, character]) => [
    name.charCodeAt(0),
    character.charCodeAt(0),
  ]),
);
const hexadecimal = 'x'.charCodeAt(0);

/**
 * The bytes of a token whose text is written with escapes, as Python writes bytes: `\n`, `\r`, `\t`, `\xHH`, and a
 * backslash before a character that stands for itself.
 *
 * @returns `null` where an escape is not complete
 */
export function unescape(text: Uint8Array): Uint8Array | null {
  if (!text.includes(backslash)) return text;
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== backslash) {
      bytes.push(text[i] as number);
      continue;
    }
    const kind = text[++i];
    if (kind === undefined) return null;
    if (kind !== hexadecimal) {
      bytes.push(escapes.get(kind) ?? kind);
      continue;
    }
    const digits = String.fromCharCode(...text.subarray(i + 1, i + 3));
    if (!/^[0-9A-Fa-f]{2}$/.test(digits)) return null;
    bytes.push(parseInt(digits, 16));
    i += 2;
  }
  return Uint8Array.from(bytes);
}

/** The bytes of the tokens that text can become, by ID; the others have none. */
export class EscapedTexts implements PrefixTexts {
  readonly #bytes: StringArray;
  readonly #index: TextIndex;

  private constructor(bytes: StringArray) {
    this.#bytes = bytes;
    this.#index = new TextIndex(bytes);
  }

  /** @throws {GgufError} `tokenizer-invalid` where a token's text has an escape that is not complete */
  static async create(vocabulary: Vocabulary, checkpoint: Checkpoint): Promise<EscapedTexts> {
    const texts: Uint8Array[] = [];
    await inPieces(vocabulary.size, checkpoint, (id) => {
      texts.push(isText(vocabulary, id) ? unescaped(vocabulary, id) : new Uint8Array(0));
    });
    const escaped = new EscapedTexts(joined(texts));
    await inPieces(vocabulary.size, checkpoint, (id) => {
      if (escaped.textBytes(id).length > 0) escaped.#index.add(id);
    });
    return escaped;
  }

  get size(): number {
    return this.#bytes.length;
  }

  textBytes(id: number): Uint8Array {
    return this.#bytes.bytesAt(id);
  }

  idOfHashed(hash: number, bytes: Uint8Array, start: number, end: number): number {
    return this.#index.findHashed(hash, bytes, start, end);
  }
}

function isText(vocabulary: Vocabulary, id: number): boolean {
  return !vocabulary.isSpecial(id) && vocabulary.type(id) !== tokenType.unused;
}

function unescaped(vocabulary: Vocabulary, id: number): Uint8Array {
  const bytes = unescape(vocabulary.textBytes(id));
  if (bytes) return bytes;
  throw invalidVocabulary(
    tokensKey,
    `has an escape that is not complete in token ${id}, "${vocabulary.text(id)}"`,
  );
}

/** Texts one behind the other, each after room for its length, as in a file. */
function joined(texts: readonly Uint8Array[]): StringArray {
  const room = 8;
  const starts = new Uint32Array(texts.length + 1);
  let end = room;
  texts.forEach((text, id) => {
    starts[id] = end;
    end += text.length + room;
  });
  starts[texts.length] = end;
  const bytes = new Uint8Array(end);
  texts.forEach((text, id) => bytes.set(text, starts[id]));
  return new StringArray(bytes, starts);
}
