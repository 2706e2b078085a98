import {GgufError} from '../../errors.ts';
import type {Metadata} from '../../gguf/metadata.ts';

/** A whole number ≥ 1 from the metadata. @throws {GgufError} `missing-key`, `gguf-metadata` naming the key */
export function positive(metadata: Metadata, key: string, fallback?: number): number {
  const value = metadata.number(key, fallback);
  if (Number.isSafeInteger(value) && value >= 1 && value <= 2 ** 31 - 1) return value;
  throw new GgufError('gguf-metadata', `${key} must be a whole number from 1 to 2^31 - 1, not ${value}`, {
    field: key,
  });
}

/** Refuses a file whose `key` has another value than the one that the decoder implements. */
export function refuseFeature(metadata: Metadata, key: string, supported: number): void {
  const value = metadata.number(key, supported);
  if (value === supported) return;
  throw new GgufError('unsupported-feature', `${key} = ${value} is not supported (only ${supported})`, {
    field: key,
  });
}
