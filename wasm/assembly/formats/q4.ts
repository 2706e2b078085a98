/**
 * Q4: the compute format of Q4_0. 4.5 bits a weight.
 *
 * Source block (Q4_0), 18 bytes:   f16 scale · 16 bytes, byte j: column j in the low, 16 + j in the high nibble
 * Compute block, 288 bytes, 16 rows × 32 columns:
 *      0  16 × f16   scales of the rows
 *     32   4 × 64    part p: columns 4 p … 4 p + 3 in the low nibbles, 16 + 4 p … in the high ones;
 *                    in it 4 × 16 bytes: rows 0–3, 4–7, 8–11, 12–15;
 *                    16 bytes are 4 rows × 4 bytes, the row being the 32-bit lane
 *
 * Value of a weight: scale × (nibble - 8).
 */
import {GROUP_ROWS, BLOCK_COLUMNS, Q4_BLOCK_BYTES, Q4} from './format';
import {groupBytes} from './group';
import {f16ToF32} from './f16';

const SOURCE_BYTES: usize = 18;
const ZERO_WEIGHTS: u32 = 0x88888888;

/** One group: row r of up to 16 rows is at `source + r * sourceStride`, Q4_0 blocks of `columns` columns. */
export function repackQ4_0(source: usize, sourceStride: usize, rows: i32, columns: i32, target: usize): void {
  const blocks = columns / BLOCK_COLUMNS;
  for (let row: i32 = 0; row < GROUP_ROWS; row++) {
    let from = source + <usize>row * sourceStride;
    let to = target;
    for (let block: i32 = 0; block < blocks; block++) {
      store<u16>(to + <usize>(row * 2), row < rows ? load<u16>(from) : 0);
      const lanes = to + 32 + <usize>(row * 4);
      for (let part: usize = 0; part < 4; part++) {
        store<u32>(lanes + part * 64, row < rows ? load<u32>(from + part * 4, 2) : ZERO_WEIGHTS);
      }
      from += SOURCE_BYTES;
      to += Q4_BLOCK_BYTES;
    }
  }
}

/** Row `row` of the matrix as `columns` f32 at `out`. Exact. */
export function dequantizeQ4(matrix: usize, row: i32, columns: i32, out: usize): void {
  const lane = row % GROUP_ROWS;
  let block = matrix + <usize>(row / GROUP_ROWS) * groupBytes(Q4, columns);
  for (let column: i32 = 0; column < columns; column += BLOCK_COLUMNS) {
    const scale = f16ToF32(load<u16>(block + <usize>(lane * 2)));
    for (let i: usize = 0; i < 16; i++) {
      const pair = <i32>load<u8>(block + 32 + (i >> 2) * 64 + <usize>(lane * 4) + (i & 3));
      store<f32>(out + i * 4, scale * <f32>((pair & 15) - 8));
      store<f32>(out + i * 4, scale * <f32>((pair >> 4) - 8), 64);
    }
    block += Q4_BLOCK_BYTES;
    out += 128;
  }
}
