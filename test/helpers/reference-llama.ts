/**
 * The forward pass of a llama in plain f64, written from the formulas and slow on purpose: nothing here is shared with
 * the decoder that it checks. Every token is computed with the whole text before it; there is no cache and no batch.
 */
import type {GgufHeader} from '../../worker-runtime/gguf/header.ts';

/** (rows, columns), row-major. */
interface DenseMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

type Vector = readonly number[];

export interface ReferenceOptions {
  /** Radians a position for rope pair `pair`; by default `base^(-2·pair/dimensions)`. */
  readonly frequency?: (pair: number) => number;
  /** Factor of cosine and sine. */
  readonly ropeScale?: number;
  /** How many positions each layer's attention sees, the token's own included; 0, and where it is left out: all. */
  readonly attentionWindows?: readonly number[];
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? NaN) * (b[i] ?? NaN);
  return sum;
};
const add = (a: Vector, b: Vector): Vector => a.map((value, i) => value + (b[i] ?? NaN));
const multiply = ({rows, columns, values}: DenseMatrix, x: Vector): Vector =>
  Array.from({length: rows}, (_, row) => dot(values.subarray(row * columns, (row + 1) * columns), x));
const silu = (x: number): number => x / (1 + Math.exp(-x));

/** A llama whose tensors are all F32. */
export class ReferenceLlama {
  readonly #bytes: ArrayBuffer;
  readonly #header: GgufHeader;
  readonly #options: ReferenceOptions;

  constructor(bytes: ArrayBuffer, header: GgufHeader, options: ReferenceOptions = {}) {
    this.#bytes = bytes;
    this.#header = header;
    this.#options = options;
  }

  /** Logits after each token: `(tokens, vocabulary)`. */
  logits(tokens: readonly number[]): readonly Vector[] {
    const embedding = this.#matrix('token_embd');
    const {columns, values} = embedding;
    let hidden = tokens.map((id): Vector => [...values.subarray(id * columns, (id + 1) * columns)]);
    const layers = this.#header.metadata.number('llama.block_count');
    for (let layer = 0; layer < layers; layer++) hidden = this.#layer(layer, hidden);
    const output = this.#header.tensors.has('output.weight') ? this.#matrix('output') : embedding;
    return hidden.map((x) => multiply(output, this.#norm('output_norm', x)));
  }

  #layer(index: number, hidden: readonly Vector[]): Vector[] {
    const name = `blk.${index}`;
    const attended = this.#attention(
      name,
      this.#options.attentionWindows?.[index] ?? 0,
      hidden.map((x) => this.#norm(`${name}.attn_norm`, x)),
    );
    const between = hidden.map((x, i) => add(x, attended[i] ?? []));
    const gate = this.#matrix(`${name}.ffn_gate`);
    const up = this.#matrix(`${name}.ffn_up`);
    const down = this.#matrix(`${name}.ffn_down`);
    return between.map((x) => {
      const normed = this.#norm(`${name}.ffn_norm`, x);
      const lifted = multiply(up, normed);
      const gated = multiply(gate, normed).map((value, i) => silu(value) * (lifted[i] ?? NaN));
      return add(x, multiply(down, gated));
    });
  }

  #attention(name: string, window: number, inputs: readonly Vector[]): Vector[] {
    const {metadata} = this.#header;
    const heads = metadata.number('llama.attention.head_count');
    const group = heads / metadata.number('llama.attention.head_count_kv', heads);
    const [q, k, v] = ['q', 'k', 'v'].map((part) => {
      const matrix = this.#matrix(`${name}.attn_${part}`);
      return inputs.map((x) => multiply(matrix, x));
    }) as [Vector[], Vector[], Vector[]];
    const length = (q[0]?.length ?? 0) / heads;
    const head = (x: Vector | undefined, index: number): Vector =>
      (x ?? []).slice(index * length, (index + 1) * length);
    const output = this.#matrix(`${name}.attn_output`);
    return inputs.map((_, position) => {
      const first = window === 0 ? 0 : Math.max(0, position - window + 1);
      const joined = Array.from({length: heads}, (_, h) => {
        const query = this.#rotate(head(q[position], h), position);
        const shared = Math.floor(h / group);
        const scores = Array.from(
          {length: position + 1 - first},
          (_, i) => dot(query, this.#rotate(head(k[first + i], shared), first + i)) / Math.sqrt(length),
        );
        const weights = scores.map((score) => Math.exp(score - Math.max(...scores)));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        return Array.from({length}, (_, d) =>
          weights.reduce(
            (sum, weight, i) => sum + (weight / total) * (head(v[first + i], shared)[d] ?? NaN),
            0,
          ),
        );
      });
      return multiply(output, joined.flat());
    });
  }

  /** Turns the pairs (2i, 2i + 1) of a head. */
  #rotate(x: Vector, position: number): Vector {
    const {metadata} = this.#header;
    const dimensions = metadata.number('llama.rope.dimension_count', x.length);
    const base = metadata.number('llama.rope.freq_base', 10000);
    const {frequency = (pair) => base ** ((-2 * pair) / dimensions), ropeScale = 1} = this.#options;
    return x.map((value, i) => {
      if (i >= dimensions) return value;
      const angle = position * frequency(i >> 1);
      const other = x[i ^ 1] ?? NaN;
      return ropeScale * (value * Math.cos(angle) + (i % 2 === 0 ? -other : other) * Math.sin(angle));
    });
  }

  #norm(name: string, x: Vector): Vector {
    const {values} = this.#matrix(name);
    const epsilon = this.#header.metadata.number('llama.attention.layer_norm_rms_epsilon');
    const scale = 1 / Math.sqrt(dot(x, x) / x.length + epsilon);
    return x.map((value, i) => value * scale * (values[i] ?? NaN));
  }

  #matrix(name: string): DenseMatrix {
    const tensor = this.#header.tensors.get(`${name}.weight`);
    if (tensor?.type !== 'F32') throw new Error(`${name} is not an F32 tensor`);
    const [columns = 1, rows = 1] = tensor.dimensions;
    const bytes = this.#bytes.slice(tensor.offset, tensor.offset + tensor.bytes);
    return {rows, columns, values: new Float32Array(bytes)};
  }
}
