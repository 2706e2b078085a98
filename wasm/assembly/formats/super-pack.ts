/** Stored blocks of 256 columns into super-blocks, and back to f32. Layout: super-block.ts. */
import {Format, GROUP_ROWS, Q2_K, Q4_K, Q5_K, TQ2, shapeOf} from './format';
import {PLANE_COLUMNS, codeAt, hasTable, packPlanes} from './codes';
import {f16ToF32} from './f16';
import {
  QUAD_BYTES,
  SUPER_COLUMNS,
  SUPER_ROWS,
  codesOffset,
  hasMinima,
  minimaOffset,
  planesBytes,
  scalesOffset,
  subCount,
  superBlockBytes,
} from './super-block';
import {offsetOf, tableOf, unitOf} from './type-values';
import {unpack} from './unpack/unpack';
import {UNPACKED_CODES, UNPACKED_MIN, UNPACKED_MINS, UNPACKED_SCALE, UNPACKED_SCALES} from './unpack/unpacked';

/**
 * One group: row r of up to 16 rows is at `source + r * sourceStride`, stored blocks of `blockBytes` of ggml's type
 * `type`. Rows that are missing become zero.
 */
export function repackSuper(
  format: Format,
  type: i32,
  blockBytes: usize,
  source: usize,
  sourceStride: usize,
  rows: i32,
  columns: i32,
  target: usize,
): void {
  const shape = shapeOf(format);
  const blocks = columns / SUPER_COLUMNS;
  memory.fill(target, 0, <usize>blocks * 2 * superBlockBytes(shape));
  for (let row: i32 = 0; row < rows; row++) {
    let from = source + <usize>row * sourceStride;
    let to = target + <usize>(row / SUPER_ROWS) * superBlockBytes(shape);
    for (let block: i32 = 0; block < blocks; block++) {
      unpack(type, from);
      packRow(shape, to, <usize>(row % SUPER_ROWS));
      from += blockBytes;
      to += 2 * superBlockBytes(shape);
    }
  }
}

/** The unpacked block into row `row` of the compute block `to`. */
function packRow(shape: Format, to: usize, row: usize): void {
  store<u16>(to + row * 2, load<u16>(UNPACKED_SCALE));
  if (hasMinima(shape)) store<u16>(to + row * 2, load<u16>(UNPACKED_MIN), 16);
  for (let sub: usize = 0; sub < subCount(shape); sub++) {
    const scale = load<u8>(UNPACKED_SCALES + sub), minimum = load<u8>(UNPACKED_MINS + sub);
    store<u8>(to + scalesOffset(shape) + sub * 8 + row, shape == Q2_K ? scale | (minimum << 4) : scale);
    if (shape == Q4_K || shape == Q5_K) {
      store<u8>(to + minimaOffset(shape) + (sub >> 1) * 16 + row * 2 + (sub & 1), minimum);
    }
  }
  let planes = to + codesOffset(shape) + row * 4;
  for (let codes = UNPACKED_CODES; codes < UNPACKED_CODES + <usize>SUPER_COLUMNS; codes += PLANE_COLUMNS) {
    packPlanes(shape, QUAD_BYTES, codes, planes);
    planes += planesBytes(shape);
  }
}

/** Row `row` of the matrix as `columns` f32 at `out`. Exact: ggml's bits. */
export function dequantizeSuper(format: Format, matrix: usize, row: i32, columns: i32, out: usize): void {
  const shape = shapeOf(format);
  const blocks = columns / SUPER_COLUMNS;
  const lane = <usize>(row % SUPER_ROWS);
  let block = matrix + <usize>(row / GROUP_ROWS) * <usize>blocks * 2 * superBlockBytes(shape);
  if (row % GROUP_ROWS >= SUPER_ROWS) block += superBlockBytes(shape);
  for (let i: i32 = 0; i < blocks; i++) {
    for (let column: usize = 0; column < 256; column++) {
      store<f32>(out + column * 4, valueAt(format, shape, block, lane, column));
    }
    block += 2 * superBlockBytes(shape);
    out += 1024;
  }
}

function valueAt(format: Format, shape: Format, block: usize, lane: usize, column: usize): f32 {
  const code = codeAt(shape, QUAD_BYTES, block + codesOffset(shape) + (column >> 5) * planesBytes(shape) + lane * 4, column & 31);
  const weight = hasTable(shape) ? <f32>load<i8>(tableOf(format) + code) : <f32>(<i32>code - offsetOf(format));
  const d = f16ToF32(load<u16>(block + lane * 2)) * unitOf(format);
  if (shape == TQ2) return d * weight;
  const sub = subCount(shape) == 16 ? column >> 4 : column >> 5;
  const at = block + scalesOffset(shape) + sub * 8 + lane;
  if (!hasMinima(shape)) return d * <f32>load<i8>(at) * weight;
  const dmin = f16ToF32(load<u16>(block + lane * 2, 16));
  if (shape == Q2_K) return d * <f32>(load<u8>(at) & 15) * weight - dmin * <f32>(load<u8>(at) >> 4);
  const minimum = load<u8>(block + minimaOffset(shape) + (sub >> 1) * 16 + lane * 2 + (sub & 1));
  return d * <f32>load<u8>(at) * weight - dmin * <f32>minimum;
}
