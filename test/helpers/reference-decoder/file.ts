import type {GgufHeader} from '../../../worker-runtime/gguf/header.ts';
import {readHeader} from '../../../worker-runtime/gguf/header.ts';
import {readPieces} from '../piece-stream.ts';
import {add, multiply} from './math.ts';
import type {Vector} from './math.ts';

/** What the reference reads of a file: keys without the name of the architecture, and tensors, all of them F32. */
export class ReferenceFile {
  readonly architecture: string;
  readonly #bytes: ArrayBuffer;
  readonly #header: GgufHeader;
  readonly #tensors = new Map<string, Float32Array>();

  private constructor(bytes: ArrayBuffer, header: GgufHeader) {
    this.#bytes = bytes;
    this.#header = header;
    this.architecture = header.metadata.string('general.architecture');
  }

  static async read(bytes: ArrayBuffer): Promise<ReferenceFile> {
    return new ReferenceFile(bytes, await readHeader(readPieces(bytes)));
  }

  is(...architectures: readonly string[]): boolean {
    return architectures.includes(this.architecture);
  }

  hasKey(key: string): boolean {
    return this.#header.metadata.has(`${this.architecture}.${key}`);
  }

  number(key: string, fallback?: number): number {
    return this.#header.metadata.number(`${this.architecture}.${key}`, fallback);
  }

  text(key: string): string | undefined {
    return this.hasKey(key) ? this.#header.metadata.string(`${this.architecture}.${key}`) : undefined;
  }

  flag(key: string, fallback?: boolean): boolean {
    return this.#header.metadata.boolean(`${this.architecture}.${key}`, fallback);
  }

  /** A number of a layer, by the key's whole name: one for all, or an array. */
  shared(key: string, layer: number): number {
    const {metadata} = this.#header;
    return metadata.typeOf(key)?.startsWith('array')
      ? (metadata.numbers(key)?.[layer] ?? NaN)
      : metadata.number(key);
  }

  /** The same by the key's name without the architecture. */
  perLayer(key: string, layer: number): number {
    return this.shared(`${this.architecture}.${key}`, layer);
  }

  /** A flag for each layer; `undefined` where the file has no such array. */
  flags(key: string): readonly boolean[] | undefined {
    const name = `${this.architecture}.${key}`;
    const {metadata} = this.#header;
    return metadata.typeOf(name) === 'array of bool' ? metadata.booleans(name) : undefined;
  }

  hasTensor(name: string): boolean {
    return this.#header.tensors.has(name);
  }

  /** All values, rows one after the other. */
  tensor(name: string): Float32Array {
    const known = this.#tensors.get(name);
    if (known) return known;
    const info = this.#header.tensors.get(name);
    if (info?.type !== 'F32') throw new Error(`${name} is not an F32 tensor`);
    const values = new Float32Array(this.#bytes.slice(info.offset, info.offset + info.bytes));
    this.#tensors.set(name, values);
    return values;
  }

  optional(name: string): Float32Array | undefined {
    return this.hasTensor(name) ? this.tensor(name) : undefined;
  }

  /** A row of a matrix of `length` columns. */
  row(name: string, index: number, length: number): number[] {
    return [...this.tensor(name).subarray(index * length, (index + 1) * length)];
  }

  /** W x · scale + bias, the last two where the file has them. */
  linear(name: string, x: Vector): Vector {
    const product = multiply(this.tensor(`${name}.weight`), x);
    const scale = this.optional(`${name}.scale`)?.[0] ?? 1;
    const scaled = scale === 1 ? product : product.map((value) => value * scale);
    const bias = this.optional(`${name}.bias`);
    return bias ? add(scaled, bias) : scaled;
  }

  /** The same with matrix `index` of `count` that lie one behind the other. */
  linearOf(name: string, index: number, count: number, x: Vector): Vector {
    const part = (tensor: Float32Array): Float32Array => {
      const length = tensor.length / count;
      return tensor.subarray(index * length, (index + 1) * length);
    };
    const scale = this.optional(`${name}.scale`)?.[index] ?? 1;
    const scaled = multiply(part(this.tensor(`${name}.weight`)), x).map((value) => value * scale);
    const bias = this.optional(`${name}.bias`);
    return bias ? add(scaled, part(bias)) : scaled;
  }
}
