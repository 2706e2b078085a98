/** A kind of source: gives the bytes piece by piece, as they come. {@link ChunkReader} makes a reader of it. */
export interface ChunkStream {
  /** See `ByteReader.length`. */
  readonly length: number | null;
  readonly lengthIsExact: boolean;
  /**
   * The next bytes, or `null` at the end. Nothing is fetched ahead without bound while nobody asks.
   *
   * @param spare the buffer of an earlier chunk of this stream, which may be filled again
   */
  read(spare?: ArrayBuffer): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Told that all of it was read and is what it should be. */
  commit?(): Promise<void>;
  /** Told that nobody will ever want these bytes. */
  discard?(): Promise<void>;
  /** Ends what is under way. Never fails. */
  cancel(): Promise<void>;
  /** The error for an end at byte `received` where more was needed. */
  truncated(received: number): Error;
}
