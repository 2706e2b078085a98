/** A piece of a shard's memory. */
export interface Segment {
  readonly pointer: number;
  readonly bytes: number;
}

/**
 * How shards give each other pieces of their memories. All shards call the same methods in the same order, with segments
 * of the same lengths; addresses are each shard's own.
 */
export interface Exchange {
  /**
   * Sends the segments of this shard to all others and writes what they send to its place.
   *
   * @param segments of each shard
   * @throws {Cancelled} where the run was cancelled
   * @throws {GgufError} `shard-failed` where a shard has ended
   */
  swap(segments: readonly (readonly Segment[])[]): void | Promise<void>;
  /** The same, but the first shard alone gets something, and the others do not wait. */
  collect(segments: readonly (readonly Segment[])[]): void | Promise<void>;
}

/** An exchange that runs follow each other on. */
export interface RunExchange extends Exchange {
  /** Messages of this shard so far, counted on over all runs. */
  readonly step: number;
  /**
   * From here on, what is sent and received belongs to the run `epoch`, larger than those before.
   *
   * @param firstStep what all shards count on from
   */
  begin(epoch: number, firstStep: number): void;
  /** Ends the run: what waits, or is called before the next one begins, throws `error`. */
  fail(error: Error): void;
  close(): void;
}

export function byteCount(segments: readonly Segment[]): number {
  return segments.reduce((sum, {bytes}) => sum + bytes, 0);
}
