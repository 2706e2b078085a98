import {GgufError} from '../../errors.ts';
import type {GgufHeader} from '../../gguf/header.ts';
import type {Metadata} from '../../gguf/metadata.ts';

/** Beyond every real dimension, and small enough that products of two are exact. */
const largestDimension = 2 ** 24;
const largestContextLength = 2 ** 32 - 1;
const largestLayerCount = 65536;

interface WholeOptions {
  readonly fallback?: number;
  readonly largest?: number;
}

/**
 * The keys of a file that begin with the name of its architecture, asked for without it: `embedding_length` is
 * `llama.embedding_length`.
 *
 * What it throws is a {@link GgufError} that names the key: `missing-key`, or `gguf-metadata` for a value of another type
 * or outside of its range.
 */
export class Hyperparameters {
  readonly architecture: string;
  readonly vocabularySize: number;
  /** Positions that the model will run with. */
  readonly contextLength: number;
  readonly #metadata: Metadata;
  readonly #tensors: GgufHeader['tensors'];

  constructor({metadata, tensors}: GgufHeader, vocabularySize: number, contextLength: number) {
    this.architecture = metadata.string('general.architecture');
    this.vocabularySize = vocabularySize;
    this.contextLength = contextLength;
    this.#metadata = metadata;
    this.#tensors = tensors;
  }

  /** The whole name of a key, for an error. */
  key(name: string): string {
    return `${this.architecture}.${name}`;
  }

  has(name: string): boolean {
    return this.#metadata.has(this.key(name));
  }

  /** Whether the file has a tensor, by its whole name. */
  hasTensor(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** Rows of a matrix, by its whole name; 0 where the file has none. */
  rowsOf(name: string): number {
    const tensor = this.#tensors.get(name);
    return tensor ? (tensor.dimensions[1] ?? 1) : 0;
  }

  /** Length of the context that the model was first trained with, before its rope was scaled. */
  get originalContextLength(): number {
    return this.positive('rope.scaling.original_context_length', {
      fallback: this.trainingContextLength,
      largest: largestContextLength,
    });
  }

  /** A whole number from 1 to `largest`. */
  positive(name: string, {fallback, largest = largestDimension}: WholeOptions = {}): number {
    return this.#whole(name, 1, largest, this.#metadata.integer(this.key(name), fallback));
  }

  /** A whole number from 0 on. */
  count(name: string, fallback?: number): number {
    return this.#whole(name, 0, largestDimension, this.#metadata.integer(this.key(name), fallback));
  }

  get layerCount(): number {
    return this.positive('block_count', {largest: largestLayerCount});
  }

  get trainingContextLength(): number {
    return this.positive('context_length', {largest: largestContextLength});
  }

  /** A whole number from 0 on for each layer: one for all, or an array. */
  countPerLayer(name: string, fallback?: number): readonly number[] {
    const {layerCount} = this;
    const type = this.#metadata.typeOf(this.key(name));
    if (!type?.startsWith('array')) return new Array<number>(layerCount).fill(this.count(name, fallback));
    const values = [...Array.from(this.#metadata.numbers(this.key(name)) ?? [])];
    if (values.length < layerCount) {
      throw this.refusal(name, `has ${values.length} values for ${layerCount} layers`);
    }
    return values.slice(0, layerCount).map((value) => this.#whole(name, 0, largestDimension, value));
  }

  /** A flag for each layer; `undefined` where the file has none. */
  flagPerLayer(name: string): readonly boolean[] | undefined {
    const key = this.key(name);
    const type = this.#metadata.typeOf(key);
    if (!type?.startsWith('array')) return undefined;
    const flags =
      type === 'array of bool'
        ? this.#metadata.booleans(key)
        : Array.from(this.#metadata.numbers(key) ?? [], (value) => value !== 0);
    if (!flags || flags.length < this.layerCount) {
      throw this.refusal(name, `has ${flags?.length ?? 0} values for ${this.layerCount} layers`);
    }
    return flags.slice(0, this.layerCount);
  }

  flag(name: string, fallback?: boolean): boolean {
    return this.#metadata.boolean(this.key(name), fallback);
  }

  /** A finite number. */
  real(name: string, fallback?: number): number {
    const value = this.#metadata.number(this.key(name), fallback);
    if (Number.isFinite(value)) return value;
    throw this.refusal(name, `must be finite, not ${value}`);
  }

  /** A finite number > 0. */
  positiveReal(name: string, fallback?: number): number {
    const value = this.real(name, fallback);
    if (value > 0) return value;
    throw this.refusal(name, `must be finite and positive, not ${value}`);
  }

  text(name: string, fallback?: string): string {
    return this.#metadata.string(this.key(name), fallback);
  }

  /** An array of numbers; empty where the file has none. */
  realList(name: string): readonly number[] {
    return Array.from(this.#metadata.numbers(this.key(name)) ?? []);
  }

  /** A finite value for each layer, one for all or an array, of a key that does not begin with the architecture. */
  sharedRealPerLayer(key: string): readonly number[] {
    const {layerCount} = this;
    const values = this.#metadata.typeOf(key)?.startsWith('array')
      ? Array.from(this.#metadata.numbers(key) ?? [])
      : new Array<number>(layerCount).fill(this.#metadata.number(key));
    if (values.length >= layerCount && values.every(Number.isFinite)) return values.slice(0, layerCount);
    throw new GgufError('gguf-metadata', `${key} must have ${layerCount} finite values`, {field: key});
  }

  /** Refuses a file whose key has another value than the one that the decoder implements. */
  require(name: string, supported: number): void {
    const value = this.#metadata.number(this.key(name), supported);
    if (value !== supported) throw this.unsupported(name, `= ${value} is not supported (only ${supported})`);
  }

  /** An error about a key: a value that cannot be. */
  refusal(name: string, what: string): GgufError {
    return new GgufError('gguf-metadata', `${this.key(name)} ${what}`, {field: this.key(name)});
  }

  /** An error about a key: a value that could be, but is not implemented. */
  unsupported(name: string, what: string): GgufError {
    return new GgufError('unsupported-feature', `${this.key(name)} ${what}`, {field: this.key(name)});
  }

  #whole(name: string, least: number, largest: number, value: number): number {
    if (Number.isSafeInteger(value) && value >= least && value <= largest) return value;
    throw this.refusal(name, `must be a whole number from ${least} to ${largest}, not ${value}`);
  }
}
