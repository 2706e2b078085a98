import type {ComputeFormat, ComputeType} from '../core/core-exports.ts';
import type {TensorInfo} from '../gguf/header.ts';
import type {Range} from '../shards/share.ts';

/**
 * A matrix in compute format, or what a shard has of one, divided by columns into `parts` of equal width. Each part is a
 * matrix of its own; products with the parts are added in a fixed tree (see `Products`).
 */
export interface Matrix {
  /** As stored in the file. */
  readonly type: ComputeType;
  /** That of the type, or F32: see {@link ActivationType}. */
  readonly format: ComputeFormat;
  readonly rows: number;
  readonly columns: number;
  /** Addresses of the parts, columns ascending; each `(rows, columns / parts.length)`. */
  readonly parts: readonly number[];
  readonly partBytes: number;
}

/** A vector of f32. */
export interface Vector {
  readonly pointer: number;
  readonly length: number;
}

/** y = x · matrix · scale + bias */
export interface Linear {
  readonly matrix: Matrix;
  /** One number, filled while loading; `null` where the file has none. */
  readonly scale: Float32Array<ArrayBuffer> | null;
  /** `(rows)` */
  readonly bias: Vector | null;
}

/** A matrix of which each shard has some rows. */
export interface DividedMatrix {
  /** The rows of this shard. */
  readonly matrix: Matrix;
  /** Of all shards. */
  readonly rows: number;
  readonly ranges: readonly Range[];
}

/** y = x · matrix · scale + bias, of which each shard computes some columns. */
export interface DividedLinear {
  /** The rows of this shard, and their bias. */
  readonly linear: Linear;
  /** Of all shards. */
  readonly rows: number;
  readonly ranges: readonly Range[];
}

/**
 * y = x · matrix · scale + bias, where each shard has computed some columns of x.
 *
 * - `columns`: each shard has the columns of the matrix that belong to them; the sums are added.
 * - `rows`: the shards complete x first, and each computes some of the sums.
 */
export type Contraction =
  | {readonly by: 'columns'; readonly linear: Linear; readonly columns: Range}
  | {readonly by: 'rows'; readonly divided: DividedLinear; readonly ranges: readonly Range[]};

export interface NormWeights {
  readonly weight: Vector | null;
  readonly bias: Vector | null;
}

/**
 * What matrices are multiplied with.
 *
 * - `quantised`: activations as the compute format of the matrix's own type takes them, in 8 bits or in f32.
 * - `f32`: every matrix is dequantised to the compute format F32, so that no activation is quantised. Four bytes a
 *   weight: for comparing with exact arithmetic, not for use.
 */
export type ActivationType = 'quantised' | 'f32';

/** Where a matrix, or what a shard has of it, comes from in a tensor. */
export interface Placement {
  readonly matrix: Matrix;
  readonly firstRow: number;
  readonly firstColumn: number;
}

/** Where a tensor's values go: pieces of it to matrices, or all to one vector. */
export type Destination = readonly Placement[] | Vector | Float32Array<ArrayBuffer>;

export type Destinations = ReadonlyMap<TensorInfo, Destination>;

/** Partial sums of a divided product are cut at multiples of at least this, the block length of most activations. */
const leastBlockColumns = 32;

/**
 * In how many groups the columns of a product are summed: 8, 4, 2 or 1, from the shape alone and never from the number
 * of shards, so that results are the same bits for any number.
 *
 * @param units what must not be cut: key/value heads, or 1
 * @param blockElements elements of a block of the weights, which must not be cut either
 */
export function columnGroups(columns: number, units: number, blockElements: number): number {
  const block = Math.max(blockElements, leastBlockColumns);
  return [8, 4, 2].find((groups) => units % groups === 0 && columns % (groups * block) === 0) ?? 1;
}
