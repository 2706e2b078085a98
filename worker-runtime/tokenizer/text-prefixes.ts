import type {Checkpoint} from '../checkpoint.ts';
import {inPieces} from './in-pieces.ts';
import {hashBasis, hashByte, spread} from './text-index.ts';

/** Bits for each beginning of a token: about one in ten that is none is taken for one. */
const bitsPerBeginning = 8;

/** Tokens by the bytes that they stand for: those of the file, or others that follow from them. */
export interface PrefixTexts {
  readonly size: number;
  textBytes(id: number): Uint8Array;
  /** The token with these bytes, whose `hashByte` hash is known, -1 where there is none. */
  idOfHashed(hash: number, bytes: Uint8Array, start: number, end: number): number;
}

/** Finds all tokens that a text begins with, byte by byte, until no token begins like that. */
export class TextPrefixes {
  readonly #texts: PrefixTexts;
  /** Bit h mod its length is set where a token begins with bytes of hash h. */
  readonly #beginnings: Uint32Array;
  readonly #mask: number;

  private constructor(texts: PrefixTexts, bits: number) {
    this.#texts = texts;
    this.#beginnings = new Uint32Array(bits / 32);
    this.#mask = bits - 1;
  }

  static async create(texts: PrefixTexts, checkpoint: Checkpoint): Promise<TextPrefixes> {
    let bytes = 0;
    await inPieces(texts.size, checkpoint, (id) => {
      bytes += texts.textBytes(id).length;
    });
    const prefixes = new TextPrefixes(texts, 2 ** Math.ceil(Math.log2(bitsPerBeginning * bytes + 32)));
    await inPieces(texts.size, checkpoint, (id) => prefixes.#add(texts.textBytes(id)));
    return prefixes;
  }

  /** Calls `visit` with each token that `bytes` have from `start` on, shorter ones first, and with where it ends. */
  forEach(bytes: Uint8Array, start: number, visit: (id: number, end: number) => void): void {
    let hash = hashBasis;
    for (let end = start; end < bytes.length;) {
      hash = hashByte(hash, bytes[end++] as number);
      const bit = spread(hash) & this.#mask;
      if ((((this.#beginnings[bit >>> 5] as number) >>> (bit & 31)) & 1) === 0) return;
      const id = this.#texts.idOfHashed(hash, bytes, start, end);
      if (id >= 0) visit(id, end);
    }
  }

  #add(text: Uint8Array): void {
    let hash = hashBasis;
    for (const byte of text) {
      hash = hashByte(hash, byte);
      const bit = spread(hash) & this.#mask;
      this.#beginnings[bit >>> 5] = (this.#beginnings[bit >>> 5] as number) | (1 << (bit & 31));
    }
  }
}
