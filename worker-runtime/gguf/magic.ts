import {GgufError} from '../errors.ts';

const magic = 'GGUF';

/** What else arrives in place of a model, by its first bytes, and what to do about it. */
const lookalikes: readonly (readonly [RegExp, string])[] = [
  [/^\s*</, 'it looks like an HTML or XML page: check the URL, and whether the file needs a login'],
  [/^version https:\/\/git-lfs/, 'it is a Git LFS pointer: fetch the file itself (git lfs pull)'],
  [/^\s*[{[]/, 'it looks like JSON, perhaps an error of the server: check the URL'],
  [/^[\s\S]{8}\{/, 'it looks like a safetensors file, which must be converted to GGUF first'],
  [/^PK\x03\x04/, 'it is a zip archive, perhaps a PyTorch checkpoint: unpack it, or convert it to GGUF'],
  [/^\x1f\x8b/, 'it is compressed with gzip: unpack it, or serve it with Content-Encoding: gzip'],
  [/^FUGG/, 'its byte order is reversed (big endian): convert it to little endian'],
  [/^(lmgg|ggml|fmgg|ggmf|tjgg|ggjt|algg|ggla)/, 'it is a model from before GGUF: convert it'],
];

/**
 * Checks that a file of which `beginning` are the first bytes (64 or more, unless it is shorter) is GGUF.
 *
 * @throws {GgufError} `not-gguf`, saying what it seems to be instead
 */
export function checkMagic(beginning: Uint8Array): void {
  const text = String.fromCharCode(...beginning.subarray(0, 64));
  if (text.startsWith(magic)) return;
  throw new GgufError('not-gguf', `The file does not begin with the magic "${magic}": ${guess(text)}`, {
    field: 'magic',
  });
}

function guess(text: string): string {
  if (text === '') return 'it is empty';
  const known = lookalikes.find(([pattern]) => pattern.test(text));
  return known ? known[1] : `it begins with ${JSON.stringify(text.slice(0, 4))}`;
}

/** @throws {GgufError} `gguf-version` */
export function checkVersion(version: number): 2 | 3 {
  if (version === 2 || version === 3) return version;
  throw new GgufError('gguf-version', `GGUF version ${version} is not supported: ${explain(version)}`, {
    field: 'version',
  });
}

function explain(version: number): string {
  // Small numbers in reversed byte order have their low half empty.
  if (version !== 0 && (version & 0xffff) === 0)
    return 'the byte order is big endian; convert the file to little endian';
  if (version < 2) return 'it is too old; convert the model again';
  return 'only 2 and 3 are known';
}
