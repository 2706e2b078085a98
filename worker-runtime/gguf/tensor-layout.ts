import {GgufError} from '../errors.ts';
import type {TensorInfo} from './tensor-info.ts';

interface DataSection {
  /** Of the data section, from the start of the file. */
  readonly dataOffset: number;
  readonly alignment: number;
  /** Bytes of the file, `null` where they are not known for certain. */
  readonly fileLength: number | null;
}

/**
 * The tensors by name, with offsets from the start of the file, in the order of the table.
 *
 * @throws {GgufError} `gguf-tensor-info` for a name given twice, a misaligned offset or an overlap; `gguf-truncated`
 *   for a tensor outside the file
 */
export function placeTensors(infos: readonly TensorInfo[], section: DataSection): Map<string, TensorInfo> {
  const tensors = new Map<string, TensorInfo>();
  for (const info of infos) {
    const {name} = info;
    if (tensors.has(name)) {
      throw new GgufError('gguf-tensor-info', `There are two tensors named ${name}`, {field: name});
    }
    checkAlignment(info, section.alignment);
    const placed = {...info, offset: section.dataOffset + info.offset};
    checkRange(placed, section);
    tensors.set(name, placed);
  }
  checkOverlap([...tensors.values()]);
  return tensors;
}

function checkAlignment({name, offset}: TensorInfo, alignment: number): void {
  if (offset % alignment === 0) return;
  throw new GgufError(
    'gguf-tensor-info',
    `Tensor ${name} has the tensor offset ${offset}, which is no multiple of the alignment ${alignment}`,
    {field: name},
  );
}

function checkRange({name, offset, bytes}: TensorInfo, {dataOffset, fileLength}: DataSection): void {
  if (fileLength === null || offset + bytes <= fileLength) return;
  throw new GgufError(
    'gguf-truncated',
    `Tensor ${name} reaches to byte ${offset + bytes}, but the file, with tensor data from byte ${dataOffset}, ends at ${fileLength}`,
    {field: name},
  );
}

/** Two names for the same bytes: no writer does that, and streaming reads every byte once. */
function checkOverlap(tensors: TensorInfo[]): void {
  tensors.sort((a, b) => a.offset - b.offset);
  let previous: TensorInfo | undefined;
  for (const tensor of tensors) {
    if (previous && previous.offset + previous.bytes > tensor.offset) {
      throw new GgufError('gguf-tensor-info', `Tensor ${tensor.name} overlaps tensor ${previous.name}`, {
        field: tensor.name,
      });
    }
    previous = tensor;
  }
}
