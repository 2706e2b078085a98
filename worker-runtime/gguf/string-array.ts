// Tokens may begin with U+FEFF; a decoder would take it for a byte order mark.
const utf8 = new TextDecoder('utf-8', {ignoreBOM: true});

/**
 * An array of strings as it lies in the file: one buffer, no string made before it is asked for. A vocabulary of 256 000
 * tokens costs its bytes and an index.
 */
export class StringArray {
  readonly length: number;
  /** All strings, and what lies between them: not to be written to. */
  readonly bytes: Uint8Array;
  readonly #starts: Uint32Array;

  /**
   * @param bytes strings, each after its length as u64
   * @param starts where in `bytes` each string's characters begin, and where one more string's would; (length + 1)
   */
  constructor(bytes: Uint8Array, starts: Uint32Array) {
    this.length = starts.length - 1;
    this.bytes = bytes;
    this.#starts = starts;
  }

  /** The string, with U+FFFD for what is not UTF-8. */
  at(index: number): string {
    return utf8.decode(this.bytesAt(index));
  }

  /** The string's bytes: a view, not to be written to. */
  bytesAt(index: number): Uint8Array {
    return this.bytes.subarray(this.start(index), this.end(index));
  }

  /** Where a string begins in `bytes`. */
  start(index: number): number {
    const start = this.#starts[index];
    if (start === undefined || index >= this.length)
      throw new RangeError(`no string ${index} of ${this.length}`);
    return start;
  }

  /** Where it ends. */
  end(index: number): number {
    const next = this.#starts[index + 1];
    if (next === undefined) throw new RangeError(`no string ${index} of ${this.length}`);
    return next - 8;
  }
}
