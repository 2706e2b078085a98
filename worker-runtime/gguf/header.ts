import {GgufError} from '../errors.ts';
import type {ByteReader} from '../source/byte-reader.ts';
import {HeaderCursor} from './header-cursor.ts';
import {limits} from './limits.ts';
import {checkMagic, checkVersion} from './magic.ts';
import {Metadata} from './metadata.ts';
import {readValue} from './metadata-value.ts';
import type {MetadataValue} from './metadata-value.ts';
import {readTensorInfo} from './tensor-info.ts';
import type {TensorInfo} from './tensor-info.ts';
import {placeTensors} from './tensor-layout.ts';

export type {TensorInfo} from './tensor-info.ts';

/** All that a GGUF file says before its tensor data. */
export interface GgufHeader {
  readonly version: 2 | 3;
  readonly metadata: Metadata;
  /** By name, in the order of the file's table. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Where the tensor data begin, from the start of the file. */
  readonly dataOffset: number;
  readonly alignment: number;
}

const alignmentKey = 'general.alignment';
const defaultAlignment = 32;

/**
 * Reads the header while its bytes arrive:
 *
 *     magic "GGUF" · version u32 · tensor count u64 · metadata count u64
 *     metadata:  key string · type u32 · value                                            (metadata count times)
 *     tensors:   name string · rank u32 · dimensions u64… · type u32 · offset u64         (tensor count times)
 *     padding to the alignment, then tensor data
 *
 * A string is its length as u64 and UTF-8. Exactly the header is consumed: `reader.position` is the end of the table.
 *
 * @throws {GgufError} `not-gguf`, `gguf-version`, `gguf-truncated`, `gguf-limit`, `gguf-metadata`, `gguf-tensor-info`,
 *   `unsupported-tensor-type`, naming the key or tensor; what the reader throws
 */
export async function readHeader(reader: ByteReader): Promise<GgufHeader> {
  checkMagic(await reader.peek(64));
  const cursor = new HeaderCursor(reader);
  await cursor.item('the magic', () => cursor.skip(4));
  const version = checkVersion(await cursor.item('the version', () => cursor.u32()));
  const tensorCount = await readCount(cursor, 'tensor count', 'n_tensors', limits.tensorCount);
  const metadataCount = await readCount(cursor, 'metadata count', 'n_kv', limits.metadataCount);

  const metadata = new Metadata(await readMetadata(cursor, metadataCount));
  const alignment = readAlignment(metadata);
  const infos = await readTensorInfos(cursor, tensorCount, metadataCount);
  await cursor.finish();

  const dataOffset = Math.ceil(reader.position / alignment) * alignment;
  const fileLength = reader.lengthIsExact ? reader.length : null;
  const tensors = placeTensors(infos, {dataOffset, alignment, fileLength});
  return {version, metadata, tensors, dataOffset, alignment};
}

/** @param name as people say it, `field` as the format's reference code does */
async function readCount(cursor: HeaderCursor, name: string, field: string, limit: number): Promise<number> {
  const count = await cursor.item(`the ${name} (${field})`, () => cursor.count());
  if (count <= limit) return count;
  throw new GgufError(
    'gguf-limit',
    `The ${name} (${field}) is ${count}, more than any model has (${limit})`,
    {field},
  );
}

async function readMetadata(cursor: HeaderCursor, count: number): Promise<Map<string, MetadataValue>> {
  const values = new Map<string, MetadataValue>();
  for (let i = 0; i < count; i++) {
    const [key, value] = await cursor.item(`metadata key ${i + 1} of ${count} (n_kv)`, () => {
      const key = readKey(cursor);
      cursor.describe(`the value of metadata key ${key}`, key);
      return [key, readValue(cursor, key)] as const;
    });
    if (values.has(key))
      throw new GgufError('gguf-metadata', `Metadata key ${key} is given twice`, {field: key});
    values.set(key, value);
  }
  return values;
}

function readKey(cursor: HeaderCursor): string {
  const length = cursor.count();
  if (length > limits.keyBytes || length === 0) {
    throw new GgufError(
      'gguf-metadata',
      `A metadata key has a key length of ${length}; the format allows 1 to ${limits.keyBytes}`,
      {field: 'key length'},
    );
  }
  const key = cursor.text(length);
  if (key !== null) return key;
  throw new GgufError('gguf-metadata', 'A metadata key is not UTF-8', {field: 'key'});
}

/** @throws {GgufError} `gguf-metadata` for all but a u32 that is a power of two from 8 on */
function readAlignment(metadata: Metadata): number {
  if (!metadata.has(alignmentKey)) return defaultAlignment;
  const type = metadata.typeOf(alignmentKey);
  const alignment = type === 'u32' ? metadata.number(alignmentKey) : 0;
  // From the format's text a multiple of 8; a power of two, as ggml demands, that is at least 8 is one.
  const isPowerOfTwo = (alignment & (alignment - 1)) === 0;
  if (isPowerOfTwo && alignment >= 8 && alignment <= limits.alignment) return alignment;
  const found = type === 'u32' ? alignment : `of type ${type}`;
  throw new GgufError(
    'gguf-metadata',
    `Metadata key ${alignmentKey} must be a u32, a power of two from 8 to ${limits.alignment}, not ${found}`,
    {field: alignmentKey},
  );
}

async function readTensorInfos(
  cursor: HeaderCursor,
  count: number,
  metadataCount: number,
): Promise<TensorInfo[]> {
  const infos: TensorInfo[] = [];
  for (let i = 0; i < count; i++) {
    try {
      infos.push(
        await cursor.item(`tensor info ${i + 1} of ${count} (n_tensors)`, () =>
          readTensorInfo(cursor, i, count),
        ),
      );
    } catch (thrown) {
      throw i === 0 ? blameMetadataCount(thrown, metadataCount) : thrown;
    }
  }
  return infos;
}

/** A first entry that makes no sense is often no entry: the table begins where the metadata count makes it begin. */
function blameMetadataCount(thrown: unknown, metadataCount: number): unknown {
  if (!(thrown instanceof GgufError) || thrown.name !== 'gguf-tensor-info') return thrown;
  const hint = `or the metadata count (n_kv = ${metadataCount}) is wrong and this is no tensor`;
  return new GgufError(thrown.name, `${thrown.message}; ${hint}`, {field: thrown.field, cause: thrown});
}
