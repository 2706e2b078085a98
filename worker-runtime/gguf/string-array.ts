// Tokens may begin with U+FEFF; a decoder would take it for a byte order mark.
const utf8 = new TextDecoder('utf-8', {ignoreBOM: true});

/**
 * An array of strings as it lies in the file: one buffer, no string made before it is asked for. A vocabulary of 256 000
 * tokens costs its bytes and an index.
 */
export class StringArray {
  readonly length: number;
  readonly #bytes: Uint8Array;
  readonly #starts: Uint32Array;

  /**
   * @param bytes strings, each after its length as u64
   * @param starts where in `bytes` each string's characters begin, and where one more string's would; (length + 1)
   */
  constructor(bytes: Uint8Array, starts: Uint32Array) {
    this.length = starts.length - 1;
    this.#bytes = bytes;
    this.#starts = starts;
  }

  /** The string, with U+FFFD for what is not UTF-8. */
  at(index: number): string {
    return utf8.decode(this.bytesAt(index));
  }

  /** The string's bytes: a view, not to be written to. */
  bytesAt(index: number): Uint8Array {
    const start = this.#starts[index];
    const next = this.#starts[index + 1];
    if (start === undefined || next === undefined)
      throw new RangeError(`no string ${index} of ${this.length}`);
    return this.#bytes.subarray(start, next - 8);
  }
}
