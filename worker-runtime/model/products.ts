import type {Checkpoint} from '../checkpoint.ts';
import type {CoreExports} from '../core/core-exports.ts';
import {groupRows} from '../core/core-exports.ts';
import type {Core} from '../core/core.ts';
import type {DividedRows, ShardGroup} from '../shards/shard-group.ts';
import type {Range, Share} from '../shards/share.ts';
import type {Pass} from './blocks/kernels.ts';
import {rowStride} from './scratch.ts';
import type {Rows, Scratch, ScratchPlan} from './scratch.ts';
import type {Contraction, DividedLinear, DividedMatrix, Linear, Matrix} from './weights.ts';

/** Products of numbers between two checkpoints: a few milliseconds. */
const pieceProducts = 1e8;

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
  readonly #core: Core;
  readonly #exports: CoreExports;
  readonly #shards: ShardGroup;
  readonly #scratch: Scratch;
  /** Activations as the products want them. */
  readonly #activations: number;

  constructor(core: Core, shards: ShardGroup, scratch: Scratch) {
    this.#core = core;
    this.#exports = core.exports;
    this.#shards = shards;
    this.#scratch = scratch;
    this.#activations = scratch.pointer('activations');
  }

  get share(): Share {
    return this.#shards.share;
  }

  /** Gives all shards what each has computed of rows. */
  async complete(divided: readonly DividedRows[], tokens: number): Promise<void> {
    await this.#shards.complete(divided, tokens);
  }

  /** y = the rows of a matrix, from the shards that have them. */
  async lookUp({matrix, ranges}: DividedMatrix, rows: readonly number[], y: Rows): Promise<void> {
    const own = this.share.own(ranges);
    const {format, columns, parts} = matrix;
    rows.forEach((row, index) => {
      const local = row - own.first;
      if (local < 0 || local >= own.count) return;
      this.#exports.dequantizeRow(format, parts[0] ?? 0, local, columns, y.pointer + index * y.stride);
    });
    if (this.share.count === 1) return;
    const owners = rows.map((row) =>
      ranges.findIndex(({first, count}) => row >= first && row < first + count),
    );
    await this.#shards.distribute(y, owners);
  }

  /** The first shard gets what the others have computed of rows. */
  async collect(divided: DividedRows, tokens: number): Promise<void> {
    await this.#shards.collect(divided, tokens);
  }

  /**
   * y = x · W + b, of the rows of W that are here.
   *
   * @param prepared a product that x was prepared for just before
   */
  project({matrix, scale, bias}: Linear, x: Rows, y: Rows, tokens: number, prepared?: Linear): void {
    if (matrix.rows === 0) return;
    if (matrix.parts.length > 1) {
      this.#sumParts(matrix, x, tokens, 0, matrix.parts.length, y);
    } else {
      if (!isPreparedFor(matrix, prepared?.matrix)) this.#prepare(matrix, x, tokens);
      this.#multiply(matrix, y, tokens);
    }
    this.#finish(y, scale, bias, tokens);
  }

  /** The same, with checkpoints in between where it takes long: slices of a prompt need not be short for that. */
  async projectPaced(
    linear: Linear,
    x: Rows,
    y: Rows,
    {tokens, checkpoint}: Pick<Pass, 'tokens' | 'checkpoint'>,
    prepared?: Linear,
  ): Promise<void> {
    const {matrix, scale, bias} = linear;
    const {rows, columns, parts, partBytes} = matrix;
    const step = Math.max(1, Math.floor(pieceProducts / (columns * tokens * groupRows))) * groupRows;
    if (step >= rows || parts.length > 1) {
      this.project(linear, x, y, tokens, prepared);
      return;
    }
    if (!isPreparedFor(matrix, prepared?.matrix)) this.#prepare(matrix, x, tokens);
    const groupBytes = partBytes / Math.ceil(rows / groupRows);
    for (let row = 0; row < rows; row += step) {
      const part = (parts[0] ?? 0) + (row / groupRows) * groupBytes;
      const piece = {...matrix, rows: Math.min(step, rows - row), parts: [part]};
      this.#multiply(piece, {...y, pointer: y.pointer + row * 4}, tokens);
      await checkpoint();
    }
    this.#finish(y, scale, bias, tokens);
  }

  /** y = x · W + b for several W of the same x; all shards get the whole of each y. */
  async projectWhole(
    products: readonly {readonly product: DividedLinear; readonly y: Rows}[],
    x: Rows,
    tokens: number,
  ): Promise<void> {
    let prepared: Linear | undefined;
    for (const {product, y} of products) {
      this.projectOwn(product, x, y, tokens, prepared);
      prepared = product.linear;
    }
    await this.#shards.complete(
      products.map(({product: {ranges}, y}) => ({rows: y, ranges})),
      tokens,
    );
  }

  /** y = x · W + b, of which only the columns of this shard are computed: `complete` brings the others. */
  projectOwn(product: DividedLinear, x: Rows, y: Rows, tokens: number, prepared?: Linear): void {
    this.project(product.linear, x, this.#ownColumns(product, y), tokens, prepared);
  }

  /**
   * y = x · W + b: the partial sums of P groups of columns are added in the tree ((0+1)+(2+3))+((4+5)+(6+7)). Shards hold
   * whole subtrees or compute whole trees, so their exchange finishes the same tree.
   *
   * @param x the columns of this shard, or all of them
   * @param whole where x is completed if all shards need all of it; x itself, if it is whole already
   */
  async contract(
    contraction: Contraction,
    x: Rows,
    whole: Rows,
    y: Rows,
    {tokens, checkpoint}: Pick<Pass, 'tokens' | 'checkpoint'>,
  ): Promise<void> {
    if (contraction.by === 'columns') {
      const {linear, columns} = contraction;
      const {matrix, scale, bias} = linear;
      const own = x === whole ? {...x, pointer: x.pointer + columns.first * 4} : x;
      await this.#sumAllParts(matrix, own, y, tokens, checkpoint);
      await this.#shards.sum(y, tokens);
      this.#finish(y, scale, bias, tokens);
      return;
    }
    if (x !== whole) await this.assemble(x, whole, contraction.ranges, tokens);
    await this.projectWhole([{product: contraction.divided, y}], whole, tokens);
  }

  /** whole = the columns of all shards, of which this one has `own`. */
  async assemble(own: Rows, whole: Rows, ranges: readonly Range[], tokens: number): Promise<void> {
    const range = this.#shards.share.own(ranges);
    const bytes = range.count * 4;
    for (let token = 0; token < tokens && bytes > 0; token++) {
      const target = whole.pointer + token * whole.stride + range.first * 4;
      this.#core.copy(own.pointer + token * own.stride, target, bytes);
    }
    await this.#shards.complete([{rows: whole, ranges}], tokens);
  }

  /** own = the columns of this shard: the other way of `assemble`. */
  takeOwn(whole: Rows, own: Rows, ranges: readonly Range[], tokens: number): void {
    const {first, count} = this.#shards.share.own(ranges);
    const bytes = count * 4;
    for (let token = 0; token < tokens && bytes > 0; token++) {
      const source = whole.pointer + token * whole.stride + first * 4;
      this.#core.copy(source, own.pointer + token * own.stride, bytes);
    }
  }

  /** y = the sum of all parts, with a checkpoint between the halves where they take long. */
  async #sumAllParts(
    matrix: Matrix,
    x: Rows,
    y: Rows,
    tokens: number,
    checkpoint: Checkpoint,
  ): Promise<void> {
    const {length} = matrix.parts;
    if (length === 1 || matrix.rows * matrix.columns * tokens < pieceProducts) {
      this.#sumParts(matrix, x, tokens, 0, length, y);
      return;
    }
    const right = this.#partial(length / 2, y);
    this.#sumParts(matrix, x, tokens, 0, length / 2, y);
    await checkpoint();
    this.#sumParts(matrix, x, tokens, length / 2, length / 2, right);
    this.#add(y, right, tokens);
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
    const right = this.#partial(half, y);
    this.#sumParts(matrix, x, tokens, first, half, y);
    this.#sumParts(matrix, x, tokens, first + half, half, right);
    this.#add(y, right, tokens);
  }

  /** Where the sum of `count` parts stands beside y. */
  #partial(count: number, y: Rows): Rows {
    return {...y, pointer: this.#scratch.pointer(`partial ${Math.log2(count)}`)};
  }

  /** y += x, whose rows begin as far apart */
  #add(y: Rows, x: Rows, tokens: number): void {
    eachRun(y, tokens, (offset, values) =>
      this.#exports.add(y.pointer + offset, y.pointer + offset, x.pointer + offset, values),
    );
  }

  /** y = y · scale + bias */
  #finish(y: Rows, scale: Linear['scale'], bias: Linear['bias'], tokens: number): void {
    if (scale) {
      const [factor = 1] = scale;
      eachRun(y, tokens, (offset, values) => this.#exports.scale(y.pointer + offset, factor, values));
    }
    if (bias) this.#exports.addBias(y.pointer, bias.pointer, bias.length, tokens, y.stride);
  }

  #ownColumns({ranges}: DividedLinear, y: Rows): Rows {
    const {first, count} = this.#shards.share.own(ranges);
    return {pointer: y.pointer + first * 4, columns: count, stride: y.stride};
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

function isPreparedFor(matrix: Matrix, prepared: Matrix | undefined): boolean {
  return (
    prepared !== undefined &&
    prepared.rows > 0 &&
    prepared.parts.length === 1 &&
    prepared.format === matrix.format
  );
}

/** Calls `run` for values that lie side by side: all at once where rows have nothing else between them. */
function eachRun(
  {columns, stride}: Rows,
  tokens: number,
  run: (offset: number, values: number) => void,
): void {
  const own = rowStride(columns);
  if (own === stride) run(0, (tokens * stride) / 4);
  else for (let token = 0; token < tokens; token++) run(token * stride, own / 4);
}
