import type {Checkpoint} from '../checkpoint.ts';
import {computeFormats, groupRows} from '../core/core-exports.ts';
import type {CoreExports} from '../core/core-exports.ts';
import type {Core} from '../core/core.ts';
import {ggmlTypes} from '../gguf/ggml-types.ts';
import type {TensorInfo} from '../gguf/header.ts';
import type {ByteReader} from '../source/byte-reader.ts';
import type {Destination, Destinations, Matrix} from './weights.ts';

/** Rows are read in pieces of about this size: small enough to stay in cache, large enough to amortise a call. */
const pieceBytes = 512 * 1024;

/**
 * Bytes that {@link loadWeights} needs for rows on their way: whole groups of rows of the widest matrix, and what
 * dequantising one of them takes.
 */
export function stagingBytes(destinations: Destinations, calculator: CoreExports): number {
  const matrices = [...destinations].flatMap(([tensor, destination]) =>
    isMatrices(destination) ? destination.map((matrix) => [tensor, matrix] as const) : [],
  );
  // Not by spreading: a file with experts has too many matrices for arguments.
  return matrices.reduce(
    (most, [tensor, matrix]) =>
      Math.max(most, stagedBytes(tensor, matrix) + dequantisingBytes(matrix, calculator)),
    0,
  );
}

/**
 * Streams the tensors, in the order of the file, through `staging` into their places. Nothing but one piece of rows is
 * held beside the model.
 */
export async function loadWeights(
  destinations: Destinations,
  reader: ByteReader,
  core: Core,
  staging: number,
  checkpoint: Checkpoint,
): Promise<void> {
  const inFileOrder = [...destinations].sort(([a], [b]) => a.offset - b.offset);
  for (const [tensor, destination] of inFileOrder) {
    await reader.skip(tensor.offset - reader.position);
    if (isMatrices(destination)) {
      for (const matrix of destination) await loadMatrix(tensor, matrix, reader, core, staging, checkpoint);
    } else {
      await reader.fill(vectorBytes(destination, core));
    }
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
  const stride = rowBytes(tensor);
  const groupBytes = matrix.partBytes / Math.ceil(matrix.rows / groupRows);
  const repack = isDequantised(matrix) ? repackDequantised : repackStored;
  const scratch = staging + stagedBytes(tensor, matrix);
  for (let row = 0; row < rows; row += groupRows) {
    const group = (first + row) / groupRows;
    matrix.parts.forEach((part, index) => {
      const source = staging + row * stride + (index * stride) / matrix.parts.length;
      const count = Math.min(groupRows, rows - row);
      repack(core, matrix, {source, stride, rows: count, target: part + group * groupBytes, scratch});
    });
  }
}

/** Up to 16 staged rows of a part, the first at `source`, on their way to a group at `target`. */
interface StagedGroup {
  readonly source: number;
  readonly stride: number;
  readonly rows: number;
  readonly target: number;
  /** `dequantisingBytes` of memory. */
  readonly scratch: number;
}

function repackStored(core: CoreExports, matrix: Matrix, {source, stride, rows, target}: StagedGroup): void {
  const {id, blockBytes} = ggmlTypes[matrix.type];
  core.repack(matrix.format, id, blockBytes, source, stride, rows, partColumns(matrix), target);
}

/** By way of a group in the compute format of the stored type, whose rows dequantise exactly. */
function repackDequantised(core: CoreExports, matrix: Matrix, staged: StagedGroup): void {
  const {rows, target, scratch: group} = staged;
  const columns = partColumns(matrix);
  const format = computeFormats[matrix.type];
  repackStored(core, {...matrix, format}, {...staged, target: group});
  const floats = group + (core.groupBytes(format, columns) >>> 0);
  for (let row = 0; row < rows; row++) {
    core.dequantizeRow(format, group, row, columns, floats + row * columns * 4);
  }
  const {id, blockBytes} = ggmlTypes.F32;
  core.repack(matrix.format, id, blockBytes, floats, columns * 4, rows, columns, target);
}

/** Whether a matrix is kept as f32 instead of in the compute format of its type. */
function isDequantised({type, format}: Matrix): boolean {
  return format !== computeFormats[type];
}

/** A group in the compute format of the stored type, and its rows as f32. */
function dequantisingBytes(matrix: Matrix, calculator: CoreExports): number {
  if (!isDequantised(matrix)) return 0;
  const columns = partColumns(matrix);
  return (calculator.groupBytes(computeFormats[matrix.type], columns) >>> 0) + groupRows * columns * 4;
}

function isMatrices(destination: Destination): destination is readonly Matrix[] {
  return Array.isArray(destination);
}

function vectorBytes(destination: Exclude<Destination, readonly Matrix[]>, core: Core): Uint8Array {
  return destination instanceof Float32Array
    ? new Uint8Array(destination.buffer)
    : core.u8(destination.pointer, destination.length * 4);
}

function rowBytes({type, dimensions}: TensorInfo): number {
  const {blockElements, blockBytes} = ggmlTypes[type];
  return ((dimensions[0] ?? 1) / blockElements) * blockBytes;
}

function partColumns({columns, parts}: Matrix): number {
  return columns / parts.length;
}

/** Bytes of a whole piece, up to the next multiple of 64. */
function stagedBytes(tensor: TensorInfo, matrix: Matrix): number {
  return Math.ceil((pieceRows(tensor, matrix) * rowBytes(tensor)) / 64) * 64;
}

function pieceRows(tensor: TensorInfo, {rows}: Matrix): number {
  const groups = Math.max(1, Math.floor(pieceBytes / (rowBytes(tensor) * groupRows)));
  return Math.min(groups, Math.ceil(rows / groupRows)) * groupRows;
}
