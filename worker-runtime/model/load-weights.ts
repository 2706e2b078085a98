import type {Checkpoint} from '../checkpoint.ts';
import {computeFormats, groupRows} from '../core/core-exports.ts';
import type {CoreExports} from '../core/core-exports.ts';
import type {Core} from '../core/core.ts';
import {ggmlTypes} from '../gguf/ggml-types.ts';
import type {TensorInfo} from '../gguf/header.ts';
import type {ByteReader} from '../source/byte-reader.ts';
import type {Destination, Destinations, Matrix, Placement} from './weights.ts';

/** Rows are read in pieces of about this size: small enough to stay in cache, large enough to amortise a call. */
const pieceBytes = 512 * 1024;

/**
 * Bytes that {@link loadWeights} needs for rows on their way: whole groups of rows of the widest matrix, and what
 * dequantising one of them takes.
 */
export function stagingBytes(destinations: Destinations, calculator: CoreExports): number {
  let most = 0;
  for (const [tensor, destination] of destinations) {
    if (!isPlacements(destination)) continue;
    for (const {matrix} of destination) {
      most = Math.max(most, stagedBytes(tensor, matrix) + dequantisingBytes(matrix, calculator));
    }
  }
  return most;
}

/** Whole rows, or a range of their columns, on their way to a matrix of another shard. */
export interface RowsOnTheirWay {
  readonly tensor: string;
  /** Index among the placements of the tensor in that shard. */
  readonly placement: number;
  /** Of the matrix. */
  readonly firstRow: number;
  readonly rows: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The other shards, as far as loading is concerned. */
export interface OtherShards {
  readonly destinations: readonly Destinations[];
  /** @param shard index among `destinations`. Gives a promise where too much is on its way. */
  sendRows(shard: number, rows: RowsOnTheirWay): void | Promise<void>;
  /** The values of a vector, to all. */
  sendVector(tensor: string, bytes: Uint8Array<ArrayBuffer>): void;
}

/** What a load goes on with. */
export interface LoadingContext {
  readonly reader: ByteReader;
  readonly core: Core;
  /** {@link stagingBytes} of memory. */
  readonly staging: number;
  readonly checkpoint: Checkpoint;
  readonly others?: OtherShards;
}

/**
 * Streams the tensors, in the order of the file, through `staging` into their places, here and on other shards. Nothing but
 * one piece of rows is held beside the model.
 */
export async function loadWeights(destinations: Destinations, context: LoadingContext): Promise<void> {
  const {reader, core, others} = context;
  const inFileOrder = [...destinations].sort(([a], [b]) => a.offset - b.offset);
  for (const [tensor, destination] of inFileOrder) {
    await reader.skip(tensor.offset - reader.position);
    if (isPlacements(destination)) {
      for (const band of bandsOf(tensor, destination, others)) await loadBand(tensor, band, context);
    } else {
      const bytes = vectorBytes(destination, core);
      await reader.fill(bytes);
      others?.sendVector(tensor.name, bytes.slice());
    }
  }
}

/** Stores what {@link loadWeights} on the first shard has sent. */
export function storeRows(
  tensor: TensorInfo,
  placement: Placement,
  {firstRow, rows, bytes}: RowsOnTheirWay,
  core: Core,
  staging: number,
): void {
  core.u8(staging, bytes.length).set(bytes);
  const stride = columnBytes(tensor, placement.matrix.columns);
  repackRows(tensor, placement.matrix, core.exports, {staging, source: staging, stride, firstRow, rows});
}

/** The same for the values of a vector. */
export function storeVector(destination: Destination, bytes: Uint8Array, core: Core): void {
  if (isPlacements(destination)) throw new RangeError('a matrix is stored by rows');
  vectorBytes(destination, core).set(bytes);
}

/** Rows of a tensor that belong to the same matrices: several where these have different columns. */
interface Band {
  readonly firstRow: number;
  readonly rows: number;
  readonly own: Placement | null;
  readonly others: readonly {
    readonly shard: number;
    readonly index: number;
    readonly placement: Placement;
  }[];
}

function bandsOf(tensor: TensorInfo, own: readonly Placement[], others: OtherShards | undefined): Band[] {
  const bands = new Map<number, {own: Placement | null; others: Band['others'][number][]}>();
  const bandAt = (firstRow: number): {own: Placement | null; others: Band['others'][number][]} => {
    const found = bands.get(firstRow) ?? {own: null, others: []};
    bands.set(firstRow, found);
    return found;
  };
  for (const placement of own) if (placement.matrix.rows > 0) bandAt(placement.firstRow).own = placement;
  others?.destinations.forEach((destinations, shard) => {
    const placements = destinations.get(tensor);
    if (!placements || !isPlacements(placements)) throw new RangeError(`${tensor.name} is no matrix there`);
    placements.forEach((placement, index) => {
      if (placement.matrix.rows > 0) bandAt(placement.firstRow).others.push({shard, index, placement});
    });
  });
  return [...bands]
    .sort(([a], [b]) => a - b)
    .map(([firstRow, takers]) => {
      const {matrix} = takers.own ?? takers.others[0]?.placement ?? {matrix: {rows: 0}};
      return {firstRow, rows: matrix.rows, ...takers};
    });
}

async function loadBand(tensor: TensorInfo, band: Band, context: LoadingContext): Promise<void> {
  const {reader, core, staging, checkpoint} = context;
  const stride = rowBytes(tensor);
  const step = pieceRows(tensor, band.rows);
  for (let firstRow = 0; firstRow < band.rows; firstRow += step) {
    const rows = Math.min(step, band.rows - firstRow);
    // `fill` gives no promise where the bytes are buffered already.
    const filling = reader.fill(core.u8(staging, rows * stride));
    if (filling) await filling;
    if (band.own) {
      const {matrix, firstColumn} = band.own;
      const source = staging + columnBytes(tensor, firstColumn);
      repackRows(tensor, matrix, core.exports, {staging, source, stride, firstRow, rows});
    }
    if (band.others.length > 0) await sendRows(tensor, band, firstRow, rows, context);
    const pause = checkpoint();
    if (pause) await pause;
  }
}

async function sendRows(
  tensor: TensorInfo,
  {others: takers}: Band,
  firstRow: number,
  rows: number,
  {core, staging, others}: LoadingContext,
): Promise<void> {
  if (!others) return;
  const stride = rowBytes(tensor);
  const sent = takers.map(({shard, index, placement: {matrix, firstColumn}}) => {
    const width = columnBytes(tensor, matrix.columns);
    const bytes = new Uint8Array(rows * width);
    const source = staging + columnBytes(tensor, firstColumn);
    if (width === stride) bytes.set(core.u8(staging, bytes.length));
    else for (let row = 0; row < rows; row++) bytes.set(core.u8(source + row * stride, width), row * width);
    return others.sendRows(shard, {tensor: tensor.name, placement: index, firstRow, rows, bytes});
  });
  await Promise.all(sent);
}

/** Rows in the staging buffer. */
interface StagedRows {
  readonly staging: number;
  /** Address of the first row's first column that is wanted. */
  readonly source: number;
  readonly stride: number;
  /** Where they belong in the matrix: a multiple of 16. */
  readonly firstRow: number;
  readonly rows: number;
}

function repackRows(
  tensor: TensorInfo,
  matrix: Matrix,
  core: CoreExports,
  {staging, source, stride, firstRow, rows}: StagedRows,
): void {
  const groupBytes = matrix.partBytes / Math.ceil(matrix.rows / groupRows);
  const partWidth = columnBytes(tensor, partColumns(matrix));
  const repack = isDequantised(matrix) ? repackDequantised : repackStored;
  const scratch = staging + stagedBytes(tensor, matrix);
  for (let row = 0; row < rows; row += groupRows) {
    const group = (firstRow + row) / groupRows;
    matrix.parts.forEach((part, index) => {
      const count = Math.min(groupRows, rows - row);
      const from = source + row * stride + index * partWidth;
      repack(core, matrix, {source: from, stride, rows: count, target: part + group * groupBytes, scratch});
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

function isPlacements(destination: Destination): destination is readonly Placement[] {
  return Array.isArray(destination);
}

function vectorBytes(
  destination: Exclude<Destination, readonly Placement[]>,
  core: Core,
): Uint8Array<ArrayBuffer> {
  return destination instanceof Float32Array
    ? new Uint8Array(destination.buffer)
    : core.u8(destination.pointer, destination.length * 4);
}

function rowBytes(tensor: TensorInfo): number {
  return columnBytes(tensor, tensor.dimensions[0] ?? 1);
}

function columnBytes({type}: TensorInfo, columns: number): number {
  const {blockElements, blockBytes} = ggmlTypes[type];
  return (columns / blockElements) * blockBytes;
}

function partColumns({columns, parts}: Matrix): number {
  return columns / parts.length;
}

/** Bytes of a whole piece, up to the next multiple of 64. */
function stagedBytes(tensor: TensorInfo, {rows}: Matrix): number {
  return Math.ceil((pieceRows(tensor, rows) * rowBytes(tensor)) / 64) * 64;
}

function pieceRows(tensor: TensorInfo, rows: number): number {
  const groups = Math.max(1, Math.floor(pieceBytes / (rowBytes(tensor) * groupRows)));
  return Math.min(groups, Math.ceil(rows / groupRows)) * groupRows;
}
