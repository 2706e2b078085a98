/**
 * F32, F16 and BF16: the weights as they are in the file, 16 rows interleaved.
 *
 * A group is `(columns, 16 rows)`, of 4 or 2 bytes each; missing rows are zero.
 */
import {Format, F32, F16, GROUP_ROWS} from './format';
import {groupBytes} from './group';
import {f16ToF32} from './f16';

// @ts-ignore: decorator
@inline
function repack<T>(source: usize, sourceStride: usize, rows: i32, columns: i32, target: usize): void {
  const rowBytes = <usize>GROUP_ROWS * sizeof<T>();
  for (let row: i32 = 0; row < GROUP_ROWS; row++) {
    const from = source + <usize>row * sourceStride;
    let to = target + <usize>row * sizeof<T>();
    for (let column: i32 = 0; column < columns; column++) {
      store<T>(to, row < rows ? load<T>(from + <usize>column * sizeof<T>()) : <T>0);
      to += rowBytes;
    }
  }
}

/** One group: row r of up to 16 rows is at `source + r * sourceStride`, `columns` f32. */
export function repackF32(source: usize, sourceStride: usize, rows: i32, columns: i32, target: usize): void {
  repack<u32>(source, sourceStride, rows, columns, target);
}

/** The same for F16 and BF16. */
export function repack16(source: usize, sourceStride: usize, rows: i32, columns: i32, target: usize): void {
  repack<u16>(source, sourceStride, rows, columns, target);
}

/** Row `row` of the matrix as `columns` f32 at `out`. Exact. */
export function dequantizeFloats(format: Format, matrix: usize, row: i32, columns: i32, out: usize): void {
  const group = matrix + <usize>(row / GROUP_ROWS) * groupBytes(format, columns);
  const lane = row % GROUP_ROWS;
  for (let column: i32 = 0; column < columns; column++) {
    const index = <usize>(column * GROUP_ROWS + lane);
    let bits: u32;
    if (format == F32) bits = load<u32>(group + index * 4);
    else if (format == F16) bits = reinterpret<u32>(f16ToF32(load<u16>(group + index * 2)));
    else bits = <u32>load<u16>(group + index * 2) << 16;
    store<u32>(out + <usize>column * 4, bits);
  }
}
