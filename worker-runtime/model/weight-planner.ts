import type {Arena} from '../core/arena.ts';
import {computeFormats, groupRows} from '../core/core-exports.ts';
import type {ComputeType, CoreExports} from '../core/core-exports.ts';
import {GgufError} from '../errors.ts';
import {ggmlTypes} from '../gguf/ggml-types.ts';
import type {GgufHeader, TensorInfo} from '../gguf/header.ts';
import type {NormSpec} from './decoder-spec.ts';
import {columnGroups} from './weights.ts';
import type {ActivationType, Destination, Linear, Matrix, NormWeights, Vector} from './weights.ts';

/** Gives tensors their places in the core's memory, from the header alone. Names are those of the file, without `.weight`. */
export class WeightPlanner {
  readonly destinations = new Map<TensorInfo, Destination>();
  readonly #header: GgufHeader;
  readonly #arena: Arena;
  readonly #calculator: CoreExports;
  readonly #activations: ActivationType;
  readonly #matrices: Matrix[] = [];

  constructor(
    header: GgufHeader,
    arena: Arena,
    calculator: CoreExports,
    activations: ActivationType = 'quantised',
  ) {
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

  /** @param units for a product that is divided by columns: see {@link columnGroups} */
  matrix(name: string, rows: number, columns: number, units?: number): Matrix {
    const tensor = this.#find(`${name}.weight`, [columns, rows]);
    const matrix = this.#allocate(tensor, rows, columns, units);
    this.destinations.set(tensor, [matrix]);
    return matrix;
  }

  /** A matrix, and a bias where the file has one. */
  linear(name: string, rows: number, columns: number, units?: number): Linear {
    const matrix = this.matrix(name, rows, columns, units);
    return {matrix, scale: this.optionalArray(`${name}.scale`, 1), bias: this.bias(name, rows)};
  }

  /** Matrices whose rows lie one after the other in one tensor. */
  stacked(name: string, rows: readonly number[], columns: number): Linear[] {
    const total = rows.reduce((sum, count) => sum + count, 0);
    const tensor = this.#find(`${name}.weight`, [columns, total]);
    const matrices = rows.map((count) => this.#allocate(tensor, count, columns));
    this.destinations.set(tensor, matrices);
    const scale = this.optionalArray(`${name}.scale`, 1);
    const bias = this.bias(name, total);
    let first = 0;
    return matrices.map((matrix) => {
      const part = bias && {pointer: bias.pointer + first * 4, length: matrix.rows};
      first += matrix.rows;
      return {matrix, scale, bias: part};
    });
  }

  /**
   * Two matrices whose rows alternate in one tensor, `length` of the first, as many of the second, `count` times.
   *
   * @throws {GgufError} `unsupported-feature` where they alternate within a group of rows
   */
  interleaved(name: string, count: number, length: number, columns: number): [Linear, Linear] {
    const tensor = this.#find(`${name}.weight`, [columns, 2 * count * length]);
    if (length % groupRows !== 0) {
      const why = `alternates every ${length} rows; only multiples of ${groupRows} are supported`;
      throw new GgufError('unsupported-feature', `Tensor ${tensor.name} ${why}`, {field: tensor.name});
    }
    const wholes = [0, 1].map(() => this.#allocate(tensor, count * length, columns));
    const pieces = Array.from({length: 2 * count}, (_, index): Matrix => {
      const whole = wholes[index % 2] as Matrix;
      const partBytes = whole.partBytes / count;
      const parts = whole.parts.map((part) => part + Math.floor(index / 2) * partBytes);
      return {...whole, rows: length, parts, partBytes};
    });
    this.destinations.set(tensor, pieces);
    const linear = (matrix: Matrix): Linear => ({matrix, scale: null, bias: null});
    return wholes.map(linear) as [Linear, Linear];
  }

  /**
   * Matrices of experts, that lie one after the other in one tensor; of each expert, `rows` of several that are stacked.
   *
   * @returns for each expert, its matrices
   */
  experts(name: string, count: number, rows: readonly number[], columns: number, units?: number): Linear[][] {
    const total = rows.reduce((sum, each) => sum + each, 0);
    const tensor = this.#find(`${name}.weight`, [columns, total, count]);
    const scales = this.optionalArray(`${name}.scale`, count);
    const biases = this.has(`${name}.bias`) ? this.vector(`${name}.bias`, [total, count]) : null;
    const matrices: Matrix[] = [];
    const experts = Array.from({length: count}, (_, expert) => {
      let first = expert * total;
      return rows.map((each): Linear => {
        const matrix = this.#allocate(tensor, each, columns, units);
        const bias = biases && {pointer: biases.pointer + first * 4, length: each};
        matrices.push(matrix);
        first += each;
        return {matrix, bias, scale: scales && scales.subarray(expert, expert + 1)};
      });
    });
    this.destinations.set(tensor, matrices);
    return experts;
  }

  norm(name: string, length: number, {plain = false}: NormSpec): NormWeights {
    if (plain) return {weight: null, bias: null};
    // Falcon H1 has norms of networks without an ending.
    const tensor = this.has(name) ? name : `${name}.weight`;
    return {weight: this.vector(tensor, [length]), bias: this.bias(name, length)};
  }

  /** A tensor of f32 by its whole name. */
  vector(tensor: string, dimensions: readonly number[]): Vector {
    const length = dimensions.reduce((product, dimension) => product * dimension, 1);
    const vector = {pointer: this.#arena.allocate(length * 4, 'weights:F32'), length};
    this.destinations.set(this.#findF32(tensor, dimensions), vector);
    return vector;
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

  #allocate(tensor: TensorInfo, rows: number, columns: number, units?: number): Matrix {
    const type = computeType(tensor);
    const {blockElements} = ggmlTypes[type];
    const groups = units === undefined ? 1 : columnGroups(columns, units, blockElements);
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
