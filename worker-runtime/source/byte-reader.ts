/**
 * The bytes of a model, once, from first to last. One call at a time: the next one only after the promise of the one
 * before. After an abort every call fails with `load-aborted`.
 */
export interface ByteReader {
  /** Bytes consumed so far. */
  readonly position: number;
  /** Bytes of the whole, where the source says; see {@link lengthIsExact}. */
  readonly length: number | null;
  /**
   * Whether `length` can be relied on. What another origin's server declares may be the length of a compressed body
   * (browsers hide its `Content-Encoding`), so it may be shown, but nothing may be refused because of it.
   */
  readonly lengthIsExact: boolean;

  /**
   * Fills `target` entirely. Gives no promise where the bytes were buffered already.
   *
   * @throws {GgufError} `network-truncated` or `gguf-truncated` where the source ends before
   */
  fill(target: Uint8Array): void | Promise<void>;

  /** Passes over `bytes` bytes, with the same errors as {@link fill}. */
  skip(bytes: number): void | Promise<void>;

  /**
   * Bytes ahead, not consumed: at least `minimum`, fewer only where the source ends. The view stays valid, also after
   * later calls.
   *
   * @throws {GgufError} `network-truncated` where the source ends before the length that it promised
   */
  peek(minimum: number): Promise<Uint8Array>;

  /** Passes over what is left, so that whoever checks or stores all of it gets all. @throws {GgufError} as {@link fill} */
  finish(): Promise<void>;

  /** Says that the bytes are of no use, so that nobody keeps them. */
  discard(): Promise<void>;

  /** Cancels what is under way and lets go of the source. */
  close(): Promise<void>;
}
