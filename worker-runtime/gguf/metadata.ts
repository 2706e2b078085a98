import {GgufError} from '../errors.ts';
import type {MetadataValue} from './metadata-value.ts';
import type {StringArray} from './string-array.ts';

/**
 * The metadata of a file, by key. A key of another type than asked for is an error that names the key and both types:
 * guessing would run a model on wrong settings.
 */
export class Metadata {
  readonly #values: ReadonlyMap<string, MetadataValue>;

  constructor(values: ReadonlyMap<string, MetadataValue>) {
    this.#values = values;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  /** In the order of the file. */
  keys(): IterableIterator<string> {
    return this.#values.keys();
  }

  /** What type the value of `key` has, as in `u32` or `array of string`. */
  typeOf(key: string): string | undefined {
    const value = this.#values.get(key);
    return value && nameType(value);
  }

  /** @throws {GgufError} `missing-key` without `fallback`, `gguf-metadata` */
  string(key: string, fallback?: string): string {
    const entry = this.#values.get(key);
    if (!entry) return orMissing(key, fallback);
    if (entry.type === 'string') return entry.value;
    throw wrongType(key, 'a string', entry);
  }

  /** @throws {GgufError} `missing-key` without `fallback`, `gguf-metadata` */
  boolean(key: string, fallback?: boolean): boolean {
    const entry = this.#values.get(key);
    if (!entry) return orMissing(key, fallback);
    if (entry.type === 'bool') return entry.value;
    throw wrongType(key, 'a bool', entry);
  }

  /**
   * A number of any type.
   *
   * @throws {GgufError} `missing-key` without `fallback`, `gguf-metadata`, also for integers that a double does not hold
   */
  number(key: string, fallback?: number): number {
    const entry = this.#values.get(key);
    if (!entry) return orMissing(key, fallback);
    if (entry.type === 'bool' || entry.type === 'string' || entry.type === 'array') {
      throw wrongType(key, 'a number', entry);
    }
    return exact(key, entry.value);
  }

  /** A number of an integer type; the same errors as {@link number}. */
  integer(key: string, fallback?: number): number {
    const entry = this.#values.get(key);
    if (entry?.type === 'f32' || entry?.type === 'f64') throw wrongType(key, 'an integer', entry);
    return this.number(key, fallback);
  }

  /** @throws {GgufError} `gguf-metadata` */
  strings(key: string): StringArray | undefined {
    const entry = this.#values.get(key);
    if (!entry) return undefined;
    if (entry.type === 'array' && entry.elementType === 'string') return entry.value;
    throw wrongType(key, 'an array of string', entry);
  }

  /**
   * A typed array of any element type, as it lies in the file.
   *
   * @throws {GgufError} `gguf-metadata`, also for integers that a double does not hold
   */
  numbers(key: string): ArrayLike<number> | undefined {
    const entry = this.#values.get(key);
    if (!entry) return undefined;
    if (
      entry.type !== 'array' ||
      entry.value === null ||
      entry.elementType === 'bool' ||
      entry.elementType === 'string'
    ) {
      throw wrongType(key, 'an array of numbers', entry);
    }
    const {value} = entry;
    if (!(value instanceof BigUint64Array || value instanceof BigInt64Array)) return value;
    return Float64Array.from(value, (element) => exact(key, element));
  }

  /** @throws {GgufError} `gguf-metadata` */
  booleans(key: string): readonly boolean[] | undefined {
    const entry = this.#values.get(key);
    if (!entry) return undefined;
    if (entry.type !== 'array' || entry.elementType !== 'bool')
      throw wrongType(key, 'an array of bool', entry);
    return Array.from(entry.value, (byte) => byte !== 0);
  }
}

function orMissing<T>(key: string, fallback: T | undefined): T {
  if (fallback !== undefined) return fallback;
  throw new GgufError('missing-key', `Metadata key ${key} is missing`, {field: key});
}

function exact(key: string, value: number | bigint): number {
  if (typeof value === 'number') return value;
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new GgufError('gguf-metadata', `Metadata key ${key} holds ${value}, which is beyond 2^53`, {
    field: key,
  });
}

function wrongType(key: string, expected: string, entry: MetadataValue): GgufError {
  const message = `Metadata key ${key} must be ${expected}, not ${nameType(entry)}`;
  return new GgufError('gguf-metadata', message, {field: key});
}

function nameType(entry: MetadataValue): string {
  return entry.type === 'array' ? `array of ${entry.elementType}` : entry.type;
}
