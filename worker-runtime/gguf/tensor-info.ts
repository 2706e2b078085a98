import {GgufError} from '../errors.ts';
import {ggmlTypeById, ggmlTypes, isRemovedGgmlType} from './ggml-types.ts';
import type {GgmlType} from './ggml-types.ts';
import type {HeaderCursor} from './header-cursor.ts';
import {limits} from './limits.ts';

/** Where a tensor lies and what it is. */
export interface TensorInfo {
  readonly name: string;
  readonly type: GgmlType;
  /** ggml's order: `[columns, rows, …]`; a row is contiguous. */
  readonly dimensions: readonly number[];
  /** From the start of the file. */
  readonly offset: number;
  readonly bytes: number;
}

/**
 * Reads one entry of the tensor table. Its `offset` counts from the start of the data section, which is not known yet.
 *
 * @param index of the entry, and `count` of all, for messages
 * @throws {GgufError} `gguf-tensor-info`, `gguf-limit`, `unsupported-tensor-type`
 */
export function readTensorInfo(cursor: HeaderCursor, index: number, count: number): TensorInfo {
  const name = readName(cursor, `${index + 1} of ${count}`);
  const label = name === '' ? `"" (${index + 1} of ${count} by n_tensors)` : name;
  cursor.describe(`the tensor info of ${label}`, name);
  const dimensions = readDimensions(cursor, name, label);
  const type = readType(cursor, name, label);
  const bytes = byteSize(type, dimensions, name, label);
  const offset = cursor.count();
  if (!Number.isSafeInteger(offset + bytes)) {
    throw new GgufError('gguf-tensor-info', `Tensor ${label} has a tensor offset beyond 2^53`, {field: name});
  }
  return {name, type, dimensions, offset, bytes};
}

function readName(cursor: HeaderCursor, place: string): string {
  const length = cursor.count();
  if (length > limits.tensorNameBytes) {
    throw new GgufError(
      'gguf-tensor-info',
      `Tensor ${place} (tensor count n_tensors) has a tensor name of ${length} bytes; the format allows ${limits.tensorNameBytes}`,
      {field: 'tensor name'},
    );
  }
  const name = cursor.text(length);
  if (name !== null) return name;
  throw new GgufError(
    'gguf-tensor-info',
    `Tensor ${place} (tensor count n_tensors) has a tensor name that is not UTF-8`,
    {field: 'tensor name'},
  );
}

function readDimensions(cursor: HeaderCursor, field: string, label: string): number[] {
  const rank = cursor.u32();
  if (rank < 1 || rank > limits.dimensions) {
    throw new GgufError('gguf-tensor-info', `Tensor ${label} has ${rank} dimensions instead of 1 to 4`, {
      field,
    });
  }
  const dimensions = Array.from({length: rank}, () => cursor.count());
  let elements = 1;
  for (const dimension of dimensions) elements *= dimension;
  // Products of safe integers that are beyond 2^53 may be rounded, but never to below it.
  if (dimensions.every((dimension) => dimension >= 1) && Number.isSafeInteger(elements)) return dimensions;
  throw new GgufError(
    'gguf-tensor-info',
    `Tensor ${label} has the impossible shape [${dimensions.join(', ')}]: dimensions are at least 1, elements fewer than 2^53`,
    {field},
  );
}

function readType(cursor: HeaderCursor, field: string, label: string): GgmlType {
  const id = cursor.u32();
  const type = ggmlTypeById(id);
  if (type) return type;
  const why = isRemovedGgmlType(id)
    ? 'which ggml has removed; convert the model again'
    : 'which is not known';
  throw new GgufError('unsupported-tensor-type', `Tensor ${label} has the ggml type ${id}, ${why}`, {field});
}

function byteSize(type: GgmlType, dimensions: readonly number[], field: string, label: string): number {
  const {blockElements, blockBytes} = ggmlTypes[type];
  const [columns = 1, ...others] = dimensions;
  if (columns % blockElements !== 0) {
    throw new GgufError(
      'gguf-tensor-info',
      `Tensor ${label} has rows of ${columns} elements, which is no multiple of the ${blockElements} of a ${type} block`,
      {field},
    );
  }
  const bytes = others.reduce(
    (product, dimension) => product * dimension,
    (columns / blockElements) * blockBytes,
  );
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new GgufError('gguf-tensor-info', `Tensor ${label} has 2^53 bytes or more`, {field});
}
