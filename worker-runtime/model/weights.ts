import type {Arena} from '../core/arena.ts';
import {computeFormats, groupRows} from '../core/core-exports.ts';
import type {ComputeFormat, ComputeType, CoreExports} from '../core/core-exports.ts';
import {GgufError} from '../errors.ts';
import {ggmlTypes} from '../gguf/ggml-types.ts';
import type {GgufHeader, TensorInfo} from '../gguf/header.ts';
import type {DecoderSpec} from './decoder-spec.ts';

/**
 * A matrix in compute format, divided by columns into `parts` of equal width. Each part is a matrix of its own, so
 * that a shard can hold some of them; products with the parts are added in a fixed tree (see `sumParts`).
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

export interface LayerWeights {
  readonly attentionNorm: Vector;
  readonly query: Matrix;
  readonly key: Matrix;
  readonly value: Matrix;
  readonly attentionOutput: Matrix;
  readonly feedForwardNorm: Vector;
  readonly gate: Matrix;
  readonly up: Matrix;
  readonly down: Matrix;
}

export interface DecoderWeights {
  readonly embedding: Matrix;
  readonly layers: readonly LayerWeights[];
  readonly outputNorm: Vector;
  /** The embedding again where the file has no output matrix. */
  readonly output: Matrix;
  /** Divisors of the rope frequencies `(dimensions / 2)`, filled while loading; `null` where the file has none. */
  readonly ropeFactors: Float32Array<ArrayBuffer> | null;
}

/**
 * What matrices are multiplied with.
 *
 * - `quantised`: activations as the compute format of the matrix's own type takes them, in 8 bits or in f32.
 * - `f32`: every matrix is dequantised to the compute format F32, so that no activation is quantised. Four bytes a
 *   weight: for comparing with exact arithmetic, not for use.
 */
export type ActivationType = 'quantised' | 'f32';

/** Where a tensor's bytes go. */
export type Destination = Matrix | Vector | Float32Array<ArrayBuffer>;

export interface WeightLayout {
  readonly weights: DecoderWeights;
  readonly destinations: ReadonlyMap<TensorInfo, Destination>;
}

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

/** Gives every tensor that `spec` needs its place, and refuses files that lack one or have others. */
export function layoutWeights(
  spec: DecoderSpec,
  header: GgufHeader,
  arena: Arena,
  calculator: CoreExports,
  activations: ActivationType = 'quantised',
): WeightLayout {
  const {embeddingLength, feedForwardLength, vocabularySize, headCount, headCountKv, headLength} = spec;
  const queryLength = headCount * headLength;
  const keyLength = headCountKv * headLength;
  const planner = new WeightPlanner(header, arena, calculator, activations);

  const embedding = planner.matrix('token_embd.weight', vocabularySize, embeddingLength);
  const layers = Array.from({length: spec.layerCount}, (_, index): LayerWeights => {
    const name = (part: string): string => `blk.${index}.${part}.weight`;
    return {
      attentionNorm: planner.vector(name('attn_norm'), embeddingLength),
      query: planner.matrix(name('attn_q'), queryLength, embeddingLength),
      key: planner.matrix(name('attn_k'), keyLength, embeddingLength),
      value: planner.matrix(name('attn_v'), keyLength, embeddingLength),
      attentionOutput: planner.matrix(name('attn_output'), embeddingLength, queryLength, headCountKv),
      feedForwardNorm: planner.vector(name('ffn_norm'), embeddingLength),
      gate: planner.matrix(name('ffn_gate'), feedForwardLength, embeddingLength),
      up: planner.matrix(name('ffn_up'), feedForwardLength, embeddingLength),
      down: planner.matrix(name('ffn_down'), embeddingLength, feedForwardLength, feedForwardLength),
    };
  });
  const outputNorm = planner.vector('output_norm.weight', embeddingLength);
  const output = header.tensors.has('output.weight')
    ? planner.matrix('output.weight', vocabularySize, embeddingLength)
    : embedding;
  const ropeFactors = planner.optionalArray(spec.rope.factorsTensor, spec.rope.dimensions / 2);
  planner.refuseUnused();
  return {weights: {embedding, layers, outputNorm, output, ropeFactors}, destinations: planner.destinations};
}

class WeightPlanner {
  readonly destinations = new Map<TensorInfo, Destination>();
  readonly #header: GgufHeader;
  readonly #arena: Arena;
  readonly #calculator: CoreExports;
  readonly #activations: ActivationType;

  constructor(header: GgufHeader, arena: Arena, calculator: CoreExports, activations: ActivationType) {
    this.#header = header;
    this.#arena = arena;
    this.#calculator = calculator;
    this.#activations = activations;
  }

  /** @param units for a product that is divided by columns: see {@link columnGroups} */
  matrix(name: string, rows: number, columns: number, units?: number): Matrix {
    const tensor = this.#find(name, [columns, rows]);
    const type = computeType(tensor);
    const {blockElements} = ggmlTypes[type];
    const groups = units === undefined ? 1 : columnGroups(columns, units, blockElements);
    const format = computeFormats[this.#activations === 'f32' ? 'F32' : type];
    const groupBytes = this.#calculator.groupBytes(format, columns / groups) >>> 0;
    const partBytes = Math.ceil(rows / groupRows) * groupBytes;
    const parts = Array.from({length: groups}, () => this.#arena.allocate(partBytes, `weights:${type}`));
    return this.#place(tensor, {type, format, rows, columns, parts, partBytes});
  }

  vector(name: string, length: number): Vector {
    const tensor = this.#findF32(name, length);
    return this.#place(tensor, {pointer: this.#arena.allocate(length * 4, 'weights:F32'), length});
  }

  optionalArray(name: string, length: number): Float32Array<ArrayBuffer> | null {
    if (!this.#header.tensors.has(name)) return null;
    return this.#place(this.#findF32(name, length), new Float32Array(length));
  }

  /** A tensor that would be ignored means that the architecture computes something else: never guess. */
  refuseUnused(): void {
    for (const tensor of this.#header.tensors.values()) {
      if (this.destinations.has(tensor)) continue;
      throw new GgufError('unsupported-feature', `Tensor ${tensor.name} is not known to this architecture`, {
        field: tensor.name,
      });
    }
  }

  #place<T extends Destination>(tensor: TensorInfo, destination: T): T {
    this.destinations.set(tensor, destination);
    return destination;
  }

  #findF32(name: string, length: number): TensorInfo {
    const tensor = this.#find(name, [length]);
    if (tensor.type === 'F32') return tensor;
    throw new GgufError(
      'unsupported-tensor-type',
      `Tensor ${name} has type ${tensor.type}; vectors must be F32`,
      {
        field: name,
      },
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
