import {createSHA256} from 'hash-wasm';
import {GgufError} from '../errors.ts';

/** Hashes bytes as they come. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** SHA-256 in hexadecimal. */
  digest(): string;
}

export async function createHasher(): Promise<Hasher> {
  const sha256 = await createSHA256();
  sha256.init();
  return {
    update: (bytes) => void sha256.update(bytes),
    digest: () => sha256.digest('hex'),
  };
}

/**
 * The SHA-256, in hexadecimal, that a file must have: `sha256-` and base64 as in HTML's `integrity`, or hexadecimal.
 *
 * @throws {GgufError} `invalid-setting`
 */
export function parseIntegrity(integrity: string): string {
  const text = integrity.trim().replace(/^sha256-/, '');
  if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
  const bytes = /^[\w+/-]{43}=?$/.test(text) ? decodeBase64(text) : '';
  if (bytes.length !== 32) {
    throw new GgufError(
      'invalid-setting',
      `integrity must be "sha256-" and 32 bytes in base64, not "${integrity}"`,
      {
        field: 'integrity',
      },
    );
  }
  return Array.from(bytes, (byte) => byte.charCodeAt(0).toString(16).padStart(2, '0')).join('');
}

function decodeBase64(text: string): string {
  return atob(text.replaceAll('-', '+').replaceAll('_', '/'));
}

export function mismatch(name: string, expected: string, actual: string): GgufError {
  return new GgufError('integrity-mismatch', `The SHA-256 of ${name} is ${actual}, not ${expected}`, {
    field: 'integrity',
  });
}
