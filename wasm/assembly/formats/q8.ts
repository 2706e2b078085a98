/**
 * Q8: the compute format of Q8_0. 8.5 bits a weight.
 *
 * Source block (Q8_0), 34 bytes:   f16 scale · 32 × i8
 * Compute block, 544 bytes, 16 rows × 32 columns:
 *      0  16 × f16   scales of the rows
 *     32   8 × 64    one part for every 4 columns, in it 4 × 16 bytes: rows 0–3, 4–7, 8–11, 12–15;
 *                    16 bytes are 4 rows × 4 columns, the row being the 32-bit lane
 *
 * Value of a weight: scale × i8. The bytes are stored as i8, or as i8 + 128 where the engine's relaxed dot
 * product reads them as unsigned (see matmul/dot-mode.ts).
 */
import {GROUP_ROWS, BLOCK_COLUMNS, Q8_BLOCK_BYTES, Q8} from './format';
import {groupBytes} from './group';
import {f16ToF32} from './f16';
import {q8SignMask} from '../matmul/dot-mode';

const SOURCE_BYTES: usize = 34;

/** One group: row r of up to 16 rows is at `source + r * sourceStride`, Q8_0 blocks of `columns` columns. */
export function repackQ8_0(source: usize, sourceStride: usize, rows: i32, columns: i32, target: usize): void {
  const flip = q8SignMask();
  const blocks = columns / BLOCK_COLUMNS;
  for (let row: i32 = 0; row < GROUP_ROWS; row++) {
    let from = source + <usize>row * sourceStride;
    let to = target;
    for (let block: i32 = 0; block < blocks; block++) {
      store<u16>(to + <usize>(row * 2), row < rows ? load<u16>(from) : 0);
      const lanes = to + 32 + <usize>(row * 4);
      for (let part: usize = 0; part < 8; part++) {
        store<u32>(lanes + part * 64, (row < rows ? load<u32>(from + part * 4, 2) : 0) ^ flip);
      }
      from += SOURCE_BYTES;
      to += Q8_BLOCK_BYTES;
    }
  }
}

/** Row `row` of the matrix as `columns` f32 at `out`. Exact. */
export function dequantizeQ8(matrix: usize, row: i32, columns: i32, out: usize): void {
  const flip = <u8>q8SignMask();
  const lane = row % GROUP_ROWS;
  let block = matrix + <usize>(row / GROUP_ROWS) * groupBytes(Q8, columns);
  for (let column: i32 = 0; column < columns; column += BLOCK_COLUMNS) {
    const scale = f16ToF32(load<u16>(block + <usize>(lane * 2)));
    for (let i: usize = 0; i < 32; i++) {
      const weight = <i8>(load<u8>(block + 32 + (i >> 2) * 64 + <usize>(lane * 4) + (i & 3)) ^ flip);
      store<f32>(out + i * 4, scale * <f32>weight);
    }
    block += Q8_BLOCK_BYTES;
    out += 128;
  }
}
