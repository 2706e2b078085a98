import type {Checkpoint} from '../checkpoint.ts';
import {groupRows} from '../core/core-exports.ts';
import type {CoreExports} from '../core/core-exports.ts';
import type {Core} from '../core/core.ts';
import {ggmlTypes} from '../gguf/ggml-types.ts';
import type {TensorInfo} from '../gguf/header.ts';
import type {ByteReader} from '../source/byte-reader.ts';
import type {Destination, Matrix, WeightLayout} from './weights.ts';

/** Rows are read in pieces of about this size: small enough to stay in cache, large enough to amortise a call. */
const pieceBytes = 512 * 1024;

/** Bytes that {@link loadWeights} needs for rows on their way: whole groups of rows of the widest matrix. */
export function stagingBytes({destinations}: WeightLayout): number {
  return Math.max(
    ...[...destinations].map(([tensor, destination]) =>
      'parts' in destination ? pieceRows(tensor, destination) * rowBytes(tensor) : 0,
    ),
  );
}

/**
 * Streams the tensors, in the order of the file, through `staging` into their places. Nothing but one piece of rows is
 * held beside the model.
 */
export async function loadWeights(
  {destinations}: WeightLayout,
  reader: ByteReader,
  core: Core,
  staging: number,
  checkpoint: Checkpoint,
): Promise<void> {
  const inFileOrder = [...destinations].sort(([a], [b]) => a.offset - b.offset);
  for (const [tensor, destination] of inFileOrder) {
    await reader.skip(tensor.offset - reader.position);
    if ('parts' in destination) await loadMatrix(tensor, destination, reader, core, staging, checkpoint);
    else await reader.fill(vectorBytes(destination, core));
  }
}

async function loadMatrix(
  tensor: TensorInfo,
  matrix: Matrix,
  reader: ByteReader,
  core: Core,
  staging: number,
  checkpoint: Checkpoint,
): Promise<void> {
  const step = pieceRows(tensor, matrix);
  for (let row = 0; row < matrix.rows; row += step) {
    const rows = Math.min(step, matrix.rows - row);
    // `fill` gives no promise where the bytes are buffered already.
    const filling = reader.fill(core.u8(staging, rows * rowBytes(tensor)));
    if (filling) await filling;
    repackRows(tensor, matrix, core.exports, staging, row, rows);
    const pause = checkpoint();
    if (pause) await pause;
  }
}

/** Repacks `rows` staged rows, of which the first is row `first` of the matrix, a multiple of 16. */
function repackRows(
  tensor: TensorInfo,
  matrix: Matrix,
  core: CoreExports,
  staging: number,
  first: number,
  rows: number,
): void {
  const {id, blockBytes} = ggmlTypes[tensor.type];
  const stride = rowBytes(tensor);
  const columns = matrix.columns / matrix.parts.length;
  const groupBytes = matrix.partBytes / Math.ceil(matrix.rows / groupRows);
  for (let row = 0; row < rows; row += groupRows) {
    const source = staging + row * stride;
    const group = (first + row) / groupRows;
    matrix.parts.forEach((part, index) => {
      const offset = (index * stride) / matrix.parts.length;
      const count = Math.min(groupRows, rows - row);
      const target = part + group * groupBytes;
      core.repack(matrix.format, id, blockBytes, source + offset, stride, count, columns, target);
    });
  }
}

function vectorBytes(destination: Exclude<Destination, Matrix>, core: Core): Uint8Array {
  return destination instanceof Float32Array
    ? new Uint8Array(destination.buffer)
    : core.u8(destination.pointer, destination.length * 4);
}

function rowBytes({type, dimensions}: TensorInfo): number {
  const {blockElements, blockBytes} = ggmlTypes[type];
  return ((dimensions[0] ?? 1) / blockElements) * blockBytes;
}

function pieceRows(tensor: TensorInfo, {rows}: Matrix): number {
  const groups = Math.max(1, Math.floor(pieceBytes / (rowBytes(tensor) * groupRows)));
  return Math.min(groups, Math.ceil(rows / groupRows)) * groupRows;
}
