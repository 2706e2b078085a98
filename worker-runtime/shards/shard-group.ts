/**
 * What a shard needs of the others. Every matrix is divided: some by rows (each shard computes some rows of the
 * result, then all gather the whole), some by columns (each computes partial sums of all rows, then the sums are
 * added). Both return nothing where there is nothing to wait for.
 *
 * The order of summation is a property of the model's shape (`columnGroups`), never of the number of shards.
 */
export interface ShardGroup {
  /** Number of shards, a power of two where column-divided matrices are shared out. */
  readonly count: number;
  readonly index: number;
  /** Completes `(tokens, columns)` f32 at `pointer`, of which this shard computed its rows' part. */
  gather(pointer: number, columns: number, tokens: number, stride: number): void | Promise<void>;
  /** Adds the shards' `(tokens, columns)` f32 at `pointer` in a fixed tree; each shard gets the sum. */
  sum(pointer: number, columns: number, tokens: number, stride: number): void | Promise<void>;
}

/** One shard that holds everything: nothing to exchange. */
export class SingleShard implements ShardGroup {
  readonly count = 1;
  readonly index = 0;
  gather(): void {}
  sum(): void {}
}
