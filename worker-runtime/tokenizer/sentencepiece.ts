import type {Checkpoint} from '../checkpoint.ts';
import type {Metadata} from '../gguf/metadata.ts';
import {byteName, parseByteName, spaceMark} from './byte-tokens.ts';
import {inPieces} from './in-pieces.ts';
import {mergeSymbols} from './merge-symbols.ts';
import {readScores} from './scores.ts';
import type {TokenModel} from './token-model.ts';
import type {Vocabulary} from './vocabulary.ts';
import {tokenType} from './vocabulary.ts';

const utf8 = new TextEncoder();

/**
 * The `llama` kind (SentencePiece in its BPE mode, Kudo and Richardson, 2018): of all neighbours that make a token, those
 * with the best score are joined first. Characters that are no token become their bytes.
 */
export class SentencePiece implements TokenModel {
  readonly addSpacePrefix: boolean;
  readonly closesUpPunctuation = false;
  readonly #vocabulary: Vocabulary;
  readonly #unknown: number | null;
  /** Place of each token by falling score; equal scores share a place. -1: text never becomes this token. */
  readonly #ranks: Int32Array;
  readonly #byteTokens: readonly (number | undefined)[];
  /** Length of the longest token, in bytes: no longer text needs to be looked up. */
  readonly #longest: number;

  private constructor(
    addSpacePrefix: boolean,
    vocabulary: Vocabulary,
    unknown: number | null,
    ranks: Int32Array,
    longest: number,
  ) {
    this.addSpacePrefix = addSpacePrefix;
    this.#vocabulary = vocabulary;
    this.#unknown = unknown;
    this.#ranks = ranks;
    this.#longest = longest;
    this.#byteTokens = Array.from({length: 256}, (_, byte) => vocabulary.id(byteName(byte)));
  }

  /** @throws {GgufError} `tokenizer-invalid`, `gguf-metadata` naming the key */
  static async create(
    metadata: Metadata,
    vocabulary: Vocabulary,
    unknown: number | null,
    checkpoint: Checkpoint,
  ): Promise<SentencePiece> {
    const addSpacePrefix = metadata.boolean('tokenizer.ggml.add_space_prefix', true);
    const ranks = await rankByScore(readScores(metadata, vocabulary.size), vocabulary, checkpoint);
    let longest = 0;
    await inPieces(vocabulary.size, checkpoint, (id) => {
      longest = Math.max(longest, vocabulary.textBytes(id).length);
    });
    return new SentencePiece(addSpacePrefix, vocabulary, unknown, ranks, longest);
  }

  encode(text: string, afterSpecial: boolean, output: number[]): void {
    const prefixed = this.addSpacePrefix && afterSpecial ? ` ${text}` : text;
    const bytes = utf8.encode(prefixed.replaceAll(' ', spaceMark));
    const starts = characterStarts(bytes);
    const count = starts.length - 1;
    const ends = starts.slice(1);
    const tokenBetween = (start: number, end: number): number => {
      if (end - start > this.#longest) return -1;
      return this.#vocabulary.idOfBytes(bytes, start, end);
    };
    const next = mergeSymbols(count, {
      rank: (left, right) => this.#ranks[tokenBetween(starts[left] as number, ends[right] as number)] ?? -1,
      join: (left, right) => (ends[left] = ends[right] as number),
    });
    for (let i = 0; i < count; i = next[i] as number) {
      const [start, end] = [starts[i] as number, ends[i] as number];
      const id = tokenBetween(start, end);
      if (id >= 0 && (this.#ranks[id] as number) >= 0) output.push(id);
      else this.#encodeBytes(bytes.subarray(start, end), output);
    }
  }

  bytes(id: number): Uint8Array {
    const type = this.#vocabulary.type(id);
    if (type === tokenType.byte) {
      const byte = parseByteName(this.#vocabulary.text(id));
      if (byte !== null) return Uint8Array.of(byte);
    }
    if (type === tokenType.userDefined || this.#vocabulary.isSpecial(id))
      return this.#vocabulary.textBytes(id);
    return utf8.encode(this.#vocabulary.text(id).replaceAll(spaceMark, ' '));
  }

  #encodeBytes(character: Uint8Array, output: number[]): void {
    for (const byte of character) {
      const id = this.#byteTokens[byte] ?? this.#unknown;
      if (id !== null) output.push(id);
    }
  }
}

async function rankByScore(
  scores: ArrayLike<number>,
  vocabulary: Vocabulary,
  checkpoint: Checkpoint,
): Promise<Int32Array> {
  // Numbers alone sort an order of magnitude faster than tokens by their numbers.
  const sorted = Float64Array.from(scores).sort();
  const ranks = new Map<number, number>();
  await inPieces(sorted.length, checkpoint, (index) => {
    const score = sorted[sorted.length - 1 - index] as number;
    if (!ranks.has(score)) ranks.set(score, ranks.size);
  });
  const places = new Int32Array(vocabulary.size).fill(-1);
  await inPieces(vocabulary.size, checkpoint, (id) => {
    const isText = !vocabulary.isSpecial(id) && vocabulary.type(id) !== tokenType.byte;
    if (isText) places[id] = ranks.get(scores[id] as number) as number;
  });
  return places;
}

/** Where each character begins in UTF-8, and where the text ends. */
export function characterStarts(bytes: Uint8Array): Int32Array {
  const starts = new Int32Array(bytes.length + 1);
  let count = 0;
  for (let i = 0; i < bytes.length; i++) if (((bytes[i] as number) & 0xc0) !== 0x80) starts[count++] = i;
  starts[count] = bytes.length;
  return starts.subarray(0, count + 1);
}
