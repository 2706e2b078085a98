import type {Metadata} from '../gguf/metadata.ts';
import {invalidVocabulary} from './vocabulary.ts';

const key = 'tokenizer.ggml.precompiled_charsmap';
const utf8 = new TextEncoder();
const toText = new TextDecoder();

/**
 * SentencePiece's normalisation as it stands in a file: a trie of sequences of bytes, each with what replaces it. The trie is
 * a double array (Kanda, 2018) of 32-bit units: bits 0–7 are the byte that leads to a unit, bit 8 says that a replacement is
 * one step further, bits 10–30, or 8 times as much where bit 9 is set, are the offset of its children.
 */
export class CharacterMap {
  readonly #units: Uint32Array;
  /** Ended by 0 each. */
  readonly #replacements: Uint8Array;

  private constructor(units: Uint32Array, replacements: Uint8Array) {
    this.#units = units;
    this.#replacements = replacements;
  }

  /** `null` where the file has none. @throws {GgufError} `tokenizer-invalid`, `gguf-metadata` */
  static read(metadata: Metadata): CharacterMap | null {
    const values = metadata.numbers(key);
    if (!values || values.length === 0) return null;
    // Writers use signed and unsigned bytes.
    const bytes = Uint8Array.from(values);
    const length = bytes.length < 4 ? -1 : new DataView(bytes.buffer).getUint32(0, true);
    if (length < 4 || length % 4 !== 0 || 4 + length > bytes.length) {
      throw invalidVocabulary(key, `has ${bytes.length} bytes, which hold no map`);
    }
    return new CharacterMap(new Uint32Array(bytes.slice(4, 4 + length).buffer), bytes.subarray(4 + length));
  }

  /** Replaces, from the left, the longest sequences that the map has. @throws {GgufError} `tokenizer-invalid` */
  apply(text: string): string {
    const bytes = utf8.encode(text);
    const output: number[] = [];
    for (let start = 0; start < bytes.length;) {
      const match = this.#longest(bytes, start);
      if (match) {
        this.#appendReplacement(match.replacement, output);
        start = match.end;
      } else {
        const end = characterEnd(bytes, start);
        while (start < end) output.push(bytes[start++] as number);
      }
    }
    return toText.decode(Uint8Array.from(output));
  }

  #longest(bytes: Uint8Array, start: number): {readonly end: number; readonly replacement: number} | null {
    let longest: {end: number; replacement: number} | null = null;
    let index = this.#childrenOf(0);
    for (let i = start; i < bytes.length; i++) {
      const byte = bytes[i] as number;
      index = (index ^ byte) >>> 0;
      if (byte === 0 || (this.#unit(index) & 0x8000_00ff) !== byte) break;
      const hasReplacement = (this.#unit(index) & 0x100) !== 0;
      index = (index ^ this.#childrenOf(index)) >>> 0;
      if (hasReplacement) longest = {end: i + 1, replacement: this.#unit(index) & 0x7fff_ffff};
    }
    return longest;
  }

  #childrenOf(index: number): number {
    const unit = this.#unit(index);
    return ((unit >>> 10) << ((unit & 0x200) >> 6)) >>> 0;
  }

  #unit(index: number): number {
    const unit = this.#units[index];
    if (unit === undefined) throw invalidVocabulary(key, `leads to unit ${index} of ${this.#units.length}`);
    return unit;
  }

  #appendReplacement(start: number, output: number[]): void {
    const end = this.#replacements.indexOf(0, start);
    if (end < 0 || start >= this.#replacements.length) {
      throw invalidVocabulary(key, `has a replacement at ${start} that does not end`);
    }
    for (let i = start; i < end; i++) output.push(this.#replacements[i] as number);
  }
}

function characterEnd(bytes: Uint8Array, start: number): number {
  let end = start + 1;
  while (end < bytes.length && ((bytes[end] as number) & 0xc0) === 0x80) end++;
  return end;
}
