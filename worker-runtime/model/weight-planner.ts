import type {Arena} from '../core/arena.ts';
import {computeFormats, groupRows} from '../core/core-exports.ts';
import type {ComputeType, CoreExports} from '../core/core-exports.ts';
import {GgufError} from '../errors.ts';
import {ggmlTypes} from '../gguf/ggml-types.ts';
import type {GgufHeader, TensorInfo} from '../gguf/header.ts';
import type {Range, Share} from '../shards/share.ts';
import type {NormSpec} from './decoder-spec.ts';
import {columnGroups} from './weights.ts';
import type {
  ActivationType,
  Contraction,
  Destination,
  DividedLinear,
  DividedMatrix,
  Linear,
  Matrix,
  NormWeights,
  Placement,
  Vector,
} from './weights.ts';

/** Gives tensors their places in the core's memory, from the header alone. Names are those of the file, without `.weight`. */
export class WeightPlanner {
  readonly destinations = new Map<TensorInfo, Destination>();
  /** Whose places they are. */
  readonly share: Share;
  readonly #header: Pick<GgufHeader, 'tensors'>;
  readonly #arena: Arena;
  readonly #calculator: CoreExports;
  readonly #activations: ActivationType;
  readonly #matrices: Matrix[] = [];
  #exchanges = 0;
  readonly #matrixPlacements = new Map<TensorInfo, Placement[]>();

  constructor(
    header: Pick<GgufHeader, 'tensors'>,
    arena: Arena,
    calculator: CoreExports,
    share: Share,
    activations: ActivationType = 'quantised',
  ) {
    this.share = share;
    this.#header = header;
    this.#arena = arena;
    this.#calculator = calculator;
    this.#activations = activations;
  }

  /** Every matrix that was placed. */
  get matrices(): readonly Matrix[] {
    return this.#matrices;
  }

  has(tensor: string): boolean {
    return this.#header.tensors.has(tensor);
  }

  /** How often the shards exchange something for a token, with what was placed so far. */
  get exchanges(): number {
    return this.#exchanges;
  }

  /** Counts exchanges that are not those of a single product. */
  addExchanges(count: number): void {
    this.#exchanges += count;
  }

  /** A matrix of whose rows each shard has some; for looking up rows. */
  table(name: string, rows: number, columns: number): DividedMatrix {
    const tensor = this.#find(`${name}.weight`, [columns, rows]);
    const ranges = this.share.ranges(rows, groupRows);
    this.#exchanges++;
    return {matrix: this.#rows(tensor, this.share.own(ranges), columns), rows, ranges};
  }

  /** Rows `range` of a matrix, and of its bias where the file has one. */
  linear(name: string, rows: number, columns: number, range: Range = {first: 0, count: rows}): Linear {
    const matrix = this.#rows(this.#find(`${name}.weight`, [columns, rows]), range, columns);
    const bias = this.bias(name, rows);
    return {matrix, scale: this.optionalArray(`${name}.scale`, 1), bias: bias && elements(bias, range)};
  }

  /** A product whose result all shards need. */
  divided(
    name: string,
    rows: number,
    columns: number,
    ranges: readonly Range[] = this.share.ranges(rows, groupRows),
  ): DividedLinear {
    this.#exchanges++;
    return {linear: this.linear(name, rows, columns, this.share.own(ranges)), rows, ranges};
  }

  /** Products whose rows lie one after the other in one tensor; of each, this shard has the rows of its range. */
  stacked(name: string, rows: readonly number[], columns: number, ranges: readonly Range[]): Linear[] {
    const total = rows.reduce((sum, count) => sum + count, 0);
    const tensor = this.#find(`${name}.weight`, [columns, total]);
    const scale = this.optionalArray(`${name}.scale`, 1);
    const bias = this.bias(name, total);
    let first = 0;
    return rows.map((count, index): Linear => {
      const range = ranges[index] ?? {first: 0, count};
      const place = {first: first + range.first, count: range.count};
      first += count;
      return {matrix: this.#rows(tensor, place, columns), scale, bias: bias && elements(bias, place)};
    });
  }

  /** The same for products whose results all shards need. */
  stackedDivided(name: string, rows: readonly number[], columns: number): DividedLinear[] {
    this.#exchanges++;
    const ranges = rows.map((count) => this.share.ranges(count, groupRows));
    const own = ranges.map((each) => this.share.own(each));
    return this.stacked(name, rows, columns, own).map((linear, index) => ({
      linear,
      rows: rows[index] ?? 0,
      ranges: ranges[index] ?? [],
    }));
  }

  /**
   * Two matrices whose rows alternate in one tensor, `length` of the first, as many of the second, `count` times; of these,
   * this shard has `range`.
   *
   * @throws {GgufError} `unsupported-feature` where they alternate within a group of rows
   */
  interleaved(name: string, count: number, length: number, columns: number, range: Range): [Linear, Linear] {
    const tensor = this.#find(`${name}.weight`, [columns, 2 * count * length]);
    if (length % groupRows !== 0) {
      const why = `alternates every ${length} rows; only multiples of ${groupRows} are supported`;
      throw new GgufError('unsupported-feature', `Tensor ${tensor.name} ${why}`, {field: tensor.name});
    }
    const wholes = [0, 1].map(() => this.#allocate(tensor, range.count * length, columns));
    for (let index = 0; index < 2 * range.count; index++) {
      const whole = wholes[index % 2] as Matrix;
      const partBytes = whole.partBytes / range.count;
      const parts = whole.parts.map((part) => part + Math.floor(index / 2) * partBytes);
      const matrix = {...whole, rows: length, parts, partBytes};
      this.#place(tensor, matrix, (2 * range.first + index) * length);
    }
    if (range.count === 0) this.#placeNothing(tensor);
    const linear = (matrix: Matrix): Linear => ({matrix, scale: null, bias: null});
    return wholes.map(linear) as [Linear, Linear];
  }

  /**
   * Matrices of experts, that lie one after the other in one tensor; of each expert, `rows` of several that are stacked, of
   * which this shard has the rows of its range.
   *
   * @param units where the sums are cut by columns: see {@link columnGroups}
   * @returns for each expert, its matrices
   */
  experts(
    name: string,
    count: number,
    rows: readonly number[],
    columns: number,
    ranges: readonly Range[],
    units?: number,
  ): Linear[][] {
    const total = rows.reduce((sum, each) => sum + each, 0);
    const tensor = this.#find(`${name}.weight`, [columns, total, count]);
    this.#exchanges++;
    const scales = this.optionalArray(`${name}.scale`, count);
    const biases = this.has(`${name}.bias`) ? this.vector(`${name}.bias`, [total, count]) : null;
    const groups = units === undefined ? 1 : this.#columnGroups(tensor, columns, units);
    return Array.from({length: count}, (_, expert) => {
      let first = expert * total;
      return rows.map((each, index): Linear => {
        const range = ranges[index] ?? {first: 0, count: each};
        const place = {first: first + range.first, count: range.count};
        first += each;
        return {
          matrix: this.#rows(tensor, place, columns, groups),
          bias: biases && elements(biases, place),
          scale: scales && scales.subarray(expert, expert + 1),
        };
      });
    });
  }

  /**
   * What each shard has of a hidden layer of `length` that `name` sums over: whole groups of columns where there are enough,
   * else whole groups of rows of what computes it.
   */
  hiddenRanges(name: string, length: number): readonly Range[] {
    const tensor = this.#header.tensors.get(`${name}.weight`);
    const groups = tensor ? this.#columnGroups(tensor, length, length) : 1;
    return this.share.ranges(length, groups % this.share.count === 0 ? length / groups : groupRows);
  }

  /**
   * A product with columns that the shards have computed.
   *
   * @param units what the sums must not cut: see {@link columnGroups}
   * @param ranges of the columns
   * @param needsWhole whether all shards need the columns for something else, too
   */
  contraction(
    name: string,
    rows: number,
    columns: number,
    {units, ranges, needsWhole = false}: {units: number; ranges: readonly Range[]; needsWhole?: boolean},
  ): Contraction {
    const tensor = this.#find(`${name}.weight`, [columns, rows]);
    const scale = this.optionalArray(`${name}.scale`, 1);
    const bias = this.bias(name, rows);
    const groups = this.#columnGroups(tensor, columns, units);
    const {share} = this;
    if (share.count === 1 || (!needsWhole && groups % share.count === 0)) {
      const own = share.own(ranges);
      const matrix = this.#allocate(tensor, rows, own.count, groups / share.count);
      this.#place(tensor, matrix, 0, own.first);
      this.#exchanges++;
      return {by: 'columns', linear: {matrix, scale, bias}, columns: own};
    }
    // Its columns have to be completed first.
    this.#exchanges += 2;
    const rowRanges = share.ranges(rows, groupRows);
    const own = share.own(rowRanges);
    const matrix = this.#rows(tensor, own, columns, groups);
    const linear = {matrix, scale, bias: bias && elements(bias, own)};
    return {by: 'rows', divided: {linear, rows, ranges: rowRanges}, ranges};
  }

  /** A product with columns that all shards have. */
  contractionOfWhole(name: string, rows: number, columns: number, units: number): Contraction {
    const tensor = this.#header.tensors.get(`${name}.weight`);
    const groups = tensor ? this.#columnGroups(tensor, columns, units) : 1;
    const ranges = this.share.ranges(columns, columns / groups);
    return this.contraction(name, rows, columns, {units, ranges});
  }

  norm(name: string, length: number, {plain = false}: NormSpec): NormWeights {
    if (plain) return {weight: null, bias: null};
    // Falcon H1 has norms of networks without an ending.
    const tensor = this.has(name) ? name : `${name}.weight`;
    return {weight: this.vector(tensor, [length]), bias: this.bias(name, length)};
  }

  /** A tensor of f32 by its whole name; its elements in `range`, by default all. */
  vector(tensor: string, dimensions: readonly number[], range?: Range): Vector {
    const length = dimensions.reduce((product, dimension) => product * dimension, 1);
    const vector = {pointer: this.#arena.allocate(length * 4, 'weights:F32'), length};
    this.destinations.set(this.#findF32(tensor, dimensions), vector);
    return range ? elements(vector, range) : vector;
  }

  /** Values for the graph itself rather than for the core; `null` where the file has none. */
  optionalArray(tensor: string, length: number): Float32Array<ArrayBuffer> | null {
    if (!this.has(tensor)) return null;
    const values = new Float32Array(length);
    this.destinations.set(this.#findF32(tensor, [length]), values);
    return values;
  }

  /**
   * A tensor that would be ignored means that the architecture computes something else: never guess.
   *
   * @param ignored beginnings of names that the architecture has no use for
   * @throws {GgufError} `unsupported-feature` naming the tensor
   */
  refuseUnknown(ignored: readonly string[]): void {
    for (const tensor of this.#header.tensors.values()) {
      if (this.destinations.has(tensor) || ignored.some((start) => tensor.name.startsWith(start))) continue;
      throw new GgufError('unsupported-feature', `Tensor ${tensor.name} is not known to this architecture`, {
        field: tensor.name,
      });
    }
  }

  /** `null` where the file has none. */
  bias(name: string, length: number): Vector | null {
    return this.has(`${name}.bias`) ? this.vector(`${name}.bias`, [length]) : null;
  }

  /** Rows `range` of a tensor as a matrix, its columns in so many groups. */
  #rows(tensor: TensorInfo, {first, count}: Range, columns: number, groups = 1): Matrix {
    const matrix = this.#allocate(tensor, count, columns, groups);
    this.#place(tensor, matrix, first);
    return matrix;
  }

  #place(tensor: TensorInfo, matrix: Matrix, firstRow: number, firstColumn = 0): void {
    this.#placements(tensor).push({matrix, firstRow, firstColumn});
  }

  /** A shard may have nothing of a tensor. */
  #placeNothing(tensor: TensorInfo): void {
    this.#placements(tensor);
  }

  #placements(tensor: TensorInfo): Placement[] {
    const placements = this.#matrixPlacements.get(tensor) ?? [];
    this.#matrixPlacements.set(tensor, placements);
    this.destinations.set(tensor, placements);
    return placements;
  }

  #columnGroups(tensor: TensorInfo, columns: number, units: number): number {
    return columnGroups(columns, units, ggmlTypes[computeType(tensor)].blockElements);
  }

  #allocate(tensor: TensorInfo, rows: number, columns: number, groups = 1): Matrix {
    const type = computeType(tensor);
    const format = computeFormats[this.#activations === 'f32' ? 'F32' : type];
    const groupBytes = this.#calculator.groupBytes(format, columns / groups) >>> 0;
    const partBytes = Math.ceil(rows / groupRows) * groupBytes;
    const parts = Array.from({length: groups}, () => this.#arena.allocate(partBytes, `weights:${type}`));
    const matrix = {type, format, rows, columns, parts, partBytes};
    this.#matrices.push(matrix);
    return matrix;
  }

  #findF32(name: string, dimensions: readonly number[]): TensorInfo {
    const tensor = this.#find(name, dimensions);
    if (tensor.type === 'F32') return tensor;
    throw new GgufError(
      'unsupported-tensor-type',
      `Tensor ${name} has type ${tensor.type}; vectors must be F32`,
      {field: name},
    );
  }

  #find(name: string, dimensions: readonly number[]): TensorInfo {
    const tensor = this.#header.tensors.get(name);
    if (!tensor) throw new GgufError('missing-tensor', `Tensor ${name} is missing`, {field: name});
    // Trailing dimensions of 1 mean nothing in ggml's shapes.
    const rank = Math.max(tensor.dimensions.length, dimensions.length);
    const same = Array.from({length: rank}, (_, i) => (tensor.dimensions[i] ?? 1) === (dimensions[i] ?? 1));
    if (same.every(Boolean)) return tensor;
    throw new GgufError(
      'tensor-shape',
      `Tensor ${name} has shape [${tensor.dimensions.join(', ')}]; the metadata demand [${dimensions.join(', ')}]`,
      {field: name},
    );
  }
}

function computeType({name, type}: TensorInfo): ComputeType {
  if (Object.hasOwn(computeFormats, type)) return type as ComputeType;
  throw new GgufError(
    'unsupported-tensor-type',
    `Tensor ${name} has type ${type}; supported are ${Object.keys(computeFormats).join(', ')}`,
    {field: name},
  );
}

function elements({pointer}: Vector, {first, count}: Range): Vector {
  return {pointer: pointer + first * 4, length: count};
}
