import {GgufError} from './errors.ts';
import {readHeader} from './gguf/header.ts';
import type {GgufHeader, TensorInfo} from './gguf/header.ts';
import type {ModelSource} from './protocol.ts';
import type {ByteReader} from './source/byte-reader.ts';
import {partUrls} from './store/resolve-source.ts';

/** One of the files of a model. */
export interface ModelFile {
  readonly source: ModelSource;
  /** Its tensors, of those of the whole model. */
  readonly tensors: ReadonlySet<TensorInfo>;
  readonly bytes: number | null;
}

/** A model's header: of its only file, or what the headers of its parts say together. */
export interface ModelHeader {
  readonly header: GgufHeader;
  readonly files: readonly [ModelFile, ...ModelFile[]];
}

/**
 * @param reader of the first file, at its beginning; afterwards behind its header
 * @param openHeader a reader of a further part, for its header
 * @throws {GgufError} as `readHeader`; `unsupported-feature` where the other parts cannot be found by its name
 */
export async function readModelHeader(
  source: ModelSource,
  reader: ByteReader,
  openHeader: (source: ModelSource) => Promise<ByteReader>,
): Promise<ModelHeader> {
  const header = await readHeader(reader);
  const first = {source, tensors: new Set(header.tensors.values()), bytes: reader.length};
  const count = header.metadata.number('split.count', 1);
  if (count <= 1) return {header, files: [first]};
  const tensors = new Map(header.tensors);
  const files: [ModelFile, ...ModelFile[]] = [first];
  for (const part of otherParts(source, count)) {
    const partReader = await openHeader(part);
    try {
      const own = (await readHeader(partReader)).tensors;
      for (const [name, info] of own) addTensor(tensors, name, info);
      files.push({source: part, tensors: new Set(own.values()), bytes: partReader.length});
    } finally {
      await partReader.close();
    }
  }
  return {header: {...header, tensors}, files};
}

/** Bytes of all files; `null` where one does not say. */
export function totalBytes(files: readonly ModelFile[]): number | null {
  return files.reduce<number | null>(
    (sum, {bytes}) => (sum === null || bytes === null ? null : sum + bytes),
    0,
  );
}

function otherParts(source: ModelSource, count: number): readonly ModelSource[] {
  const urls = typeof source === 'string' ? partUrls(source) : [];
  if (urls.length === count) return urls.slice(1);
  throw new GgufError(
    'unsupported-feature',
    `split.count is ${count}: this file is one of ${count} parts. The others are found by the name of the first one, ` +
      'which ends in -00001-of-0000N.gguf; merge files with other names, or on a disk, into one',
    {field: 'split.count'},
  );
}

function addTensor(tensors: Map<string, TensorInfo>, name: string, info: TensorInfo): void {
  if (tensors.has(name)) {
    throw new GgufError('gguf-tensor-info', `Tensor ${name} is in more than one part`, {field: name});
  }
  tensors.set(name, info);
}
