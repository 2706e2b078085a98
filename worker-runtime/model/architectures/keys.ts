import {GgufError} from '../../errors.ts';
import type {Metadata} from '../../gguf/metadata.ts';

/** Beyond every real dimension, and small enough that products of two are exact. */
const largestDimension = 2 ** 24;

/**
 * A whole number from 1 to `largest` from the metadata.
 *
 * @throws {GgufError} `missing-key`, `gguf-metadata` naming the key
 */
export function positive(
  metadata: Metadata,
  key: string,
  {fallback, largest = largestDimension}: {fallback?: number; largest?: number} = {},
): number {
  const value = metadata.integer(key, fallback);
  if (Number.isSafeInteger(value) && value >= 1 && value <= largest) return value;
  throw new GgufError('gguf-metadata', `${key} must be a whole number from 1 to ${largest}, not ${value}`, {
    field: key,
  });
}

/** A finite number > 0 from the metadata. @throws {GgufError} `missing-key`, `gguf-metadata` naming the key */
export function positiveReal(metadata: Metadata, key: string, fallback?: number): number {
  const value = metadata.number(key, fallback);
  if (Number.isFinite(value) && value > 0) return value;
  throw new GgufError('gguf-metadata', `${key} must be finite and positive, not ${value}`, {field: key});
}

/** Refuses a file whose `key` has another value than the one that the decoder implements. */
export function refuseFeature(metadata: Metadata, key: string, supported: number): void {
  const value = metadata.number(key, supported);
  if (value === supported) return;
  throw new GgufError('unsupported-feature', `${key} = ${value} is not supported (only ${supported})`, {
    field: key,
  });
}
