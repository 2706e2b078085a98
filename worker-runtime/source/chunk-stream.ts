/** A kind of source: gives the bytes piece by piece, as they come. {@link ChunkReader} makes a reader of it. */
export interface ChunkStream {
  /** See `ByteReader.length`. */
  readonly length: number | null;
  readonly lengthIsExact: boolean;
  /** The next bytes, or `null` at the end. Nothing is fetched ahead without bound while nobody asks. */
  read(): Promise<Uint8Array | null>;
  /** Ends what is under way. Never fails. */
  cancel(): Promise<void>;
  /** The error for an end at byte `received` where more was needed. */
  truncated(received: number): Error;
}
