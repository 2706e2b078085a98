import type {CoreExports} from '../core/core-exports.ts';
import type {ShardGroup} from '../shards/shard-group.ts';
import type {Rows, Scratch, ScratchPlan} from './scratch.ts';
import type {Linear, Matrix} from './weights.ts';

/** Plans the scratch that {@link Products} needs for products with `matrices`, of rows of the residual stream. */
export function planProducts(
  matrices: readonly Matrix[],
  embeddingLength: number,
  scratch: ScratchPlan,
  calculator: CoreExports,
): void {
  for (const {format, columns, parts} of matrices) {
    const bytes = calculator.activationBytes(format, columns / parts.length, scratch.sliceLength) >>> 0;
    scratch.bytes('activations', bytes);
    // A tree over P parts needs log2 P sums beside the one that becomes the result.
    for (let level = 0; 2 ** level < parts.length; level++) scratch.rows(`partial ${level}`, embeddingLength);
  }
}

/** Products of activations with matrices, and the exchange that they need between shards. */
export class Products {
  readonly #exports: CoreExports;
  readonly #shards: ShardGroup;
  readonly #scratch: Scratch;
  /** Activations as the products want them. */
  readonly #activations: number;

  constructor(exports: CoreExports, shards: ShardGroup, scratch: Scratch) {
    this.#exports = exports;
    this.#shards = shards;
    this.#scratch = scratch;
    this.#activations = scratch.pointer('activations');
  }

  /**
   * y = x · W + b for a matrix divided by rows.
   *
   * @param prepared a product that x was prepared for just before
   */
  project({matrix, scale, bias}: Linear, x: Rows, y: Rows, tokens: number, prepared?: Linear): void {
    if (prepared?.matrix.format !== matrix.format) this.#prepare(matrix, x, tokens);
    this.#multiply(matrix, y, tokens);
    if (scale) this.#exports.scale(y.pointer, scale[0] ?? 1, (tokens * y.stride) / 4);
    if (bias) this.#exports.addBias(y.pointer, bias.pointer, bias.length, tokens, y.stride);
  }

  /**
   * y = x · W + b for a matrix divided by columns: the partial sums of P parts are added in the tree
   * ((0+1)+(2+3))+((4+5)+(6+7)). Shards hold whole subtrees, so their exchange finishes the same tree.
   */
  async projectDivided({matrix, scale, bias}: Linear, x: Rows, y: Rows, tokens: number): Promise<void> {
    this.#sumParts(matrix, x, tokens, 0, matrix.parts.length, y);
    await this.#shards.sum(y.pointer, y.columns, tokens, y.stride);
    if (scale) this.#exports.scale(y.pointer, scale[0] ?? 1, (tokens * y.stride) / 4);
    if (bias) this.#exports.addBias(y.pointer, bias.pointer, bias.length, tokens, y.stride);
  }

  /** y = the sum of parts [first, first + count), by halves. */
  #sumParts(matrix: Matrix, x: Rows, tokens: number, first: number, count: number, y: Rows): void {
    if (count === 1) {
      const columns = matrix.columns / matrix.parts.length;
      const part = {...x, pointer: x.pointer + first * columns * 4};
      this.#prepare(matrix, part, tokens);
      this.#multiply(matrix, y, tokens, first);
      return;
    }
    const half = count / 2;
    const right = this.#scratch.rows(`partial ${Math.log2(half)}`, y.columns);
    this.#sumParts(matrix, x, tokens, first, half, y);
    this.#sumParts(matrix, x, tokens, first + half, half, right);
    this.#exports.add(y.pointer, y.pointer, right.pointer, (tokens * y.stride) / 4);
  }

  #prepare({format, columns, parts}: Matrix, x: Rows, tokens: number): void {
    this.#exports.prepareActivations(
      format,
      x.pointer,
      columns / parts.length,
      tokens,
      x.stride,
      this.#activations,
    );
  }

  #multiply({format, rows, columns, parts}: Matrix, y: Rows, tokens: number, part = 0): void {
    this.#exports.matmul(
      format,
      parts[part] ?? 0,
      this.#activations,
      y.pointer,
      rows,
      columns / parts.length,
      tokens,
      y.stride,
    );
  }
}
