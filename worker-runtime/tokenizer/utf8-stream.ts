/** Text from bytes that come in pieces: an incomplete character is held back, what is no UTF-8 becomes U+FFFD. */
export class Utf8Stream {
  // U+FEFF at the beginning is a character of the answer, not a byte order mark.
  readonly #decoder = new TextDecoder('utf-8', {ignoreBOM: true});

  push(bytes: Uint8Array): string {
    return this.#decoder.decode(bytes, {stream: true});
  }

  /** U+FFFD if a character is still incomplete; the stream can be used again. */
  flush(): string {
    return this.#decoder.decode();
  }
}
