/** Stored blocks of 32, 64 or 128 columns into small blocks, and back to f32. Layout: small-block.ts. */
import {PLANE_COLUMNS, codeAt, hasTable, packPlanes} from './codes';
import {f16ToF32} from './f16';
import {Format, GROUP_ROWS, MXFP4, NVFP4} from './format';
import {
  SMALL_COLUMNS,
  SMALL_QUAD,
  codesAt,
  hasMinimum,
  scalesAt,
  smallBlocksBytes,
  smallGroupBytes,
} from './small-block';
import {offsetOf, tableOf, unitOf} from './type-values';
import * as types from './unpack/types';
import {unpack} from './unpack/unpack';
import {UNPACKED_CODES, UNPACKED_MIN, UNPACKED_SCALE, UNPACKED_SCALES} from './unpack/unpacked';

/** Blocks of 32 columns in a stored block. */
function blocksOf(type: i32): usize {
  if (type == types.Q1_0) return 4;
  return type == types.Q2_0 || type == types.NVFP4 ? 2 : 1;
}

/** See `repack`: one group, from stored blocks of `blockBytes` of ggml's type `type`. */
export function repackSmall(
  format: Format,
  type: i32,
  blockBytes: usize,
  source: usize,
  sourceStride: usize,
  rows: i32,
  columns: i32,
  target: usize,
): void {
  const blocks = <usize>(columns / SMALL_COLUMNS);
  const minima = target + smallBlocksBytes(format, blocks);
  memory.fill(target, 0, smallGroupBytes(format, columns));
  for (let row: i32 = 0; row < rows; row++) {
    let from = source + <usize>row * sourceStride;
    for (let block: usize = 0; block < blocks; block += blocksOf(type)) {
      unpack(type, from);
      for (let i: usize = 0; i < blocksOf(type); i++) packRow(format, target, block + i, i, <usize>row);
      if (hasMinimum(format)) store<u16>(minima + block * 32 + <usize>row * 2, load<u16>(UNPACKED_MIN));
      from += blockBytes;
    }
  }
}

/** Part `part` of the unpacked block into row `row` of block `block` of the group. */
function packRow(format: Format, group: usize, block: usize, part: usize, row: usize): void {
  const scales = group + scalesAt(format, block);
  store<u16>(scales + row * 2, format == NVFP4 ? pairOfCodes(part) : load<u16>(UNPACKED_SCALE));
  const codes = UNPACKED_CODES + part * <usize>PLANE_COLUMNS;
  packPlanes(format, SMALL_QUAD, codes, scales + codesAt(format, block) + row * 4);
}

/** The ue4m3 codes of 32 columns; the one that means 0 beside 0 becomes 0, and the bit that means nothing goes. */
function pairOfCodes(part: usize): u16 {
  let pair: u32 = 0;
  for (let i: usize = 0; i < 2; i++) {
    const code = <u32>load<u8>(UNPACKED_SCALES + part * 2 + i);
    pair |= (code == 0x7f ? 0 : code & 0x7f) << <u32>(i * 8);
  }
  return <u16>pair;
}

/** Row `row` of the matrix as `columns` f32 at `out`. Exact: ggml's bits. */
export function dequantizeSmall(format: Format, matrix: usize, row: i32, columns: i32, out: usize): void {
  const group = matrix + <usize>(row / GROUP_ROWS) * smallGroupBytes(format, columns);
  const lane = <usize>(row % GROUP_ROWS);
  const blocks = <usize>(columns / SMALL_COLUMNS);
  const minima = group + smallBlocksBytes(format, blocks);
  for (let block: usize = 0; block < blocks; block++) {
    const scales = group + scalesAt(format, block);
    const planes = scales + codesAt(format, block) + lane * 4;
    const m = hasMinimum(format) ? f16ToF32(load<u16>(minima + block * 32 + lane * 2)) : 0;
    for (let column: usize = 0; column < <usize>SMALL_COLUMNS; column++) {
      const code = codeAt(format, SMALL_QUAD, planes, column);
      const weight = hasTable(format) ? <f32>load<i8>(tableOf(format) + code) : <f32>(<i32>code - offsetOf(format));
      const value = scaleOf(format, load<u16>(scales + lane * 2), column >> 4) * weight;
      store<f32>(out, hasMinimum(format) ? value + m : value);
      out += 4;
    }
  }
}

/** The scale that `bits` mean for the first or the second 16 columns, times the type's unit. */
function scaleOf(format: Format, bits: u32, half: usize): f32 {
  if (format == MXFP4) return reinterpret<f32>(bits << 16);
  // The fields of ue4m3 are those of an f16, whose exponent has a bias that is larger by 8.
  if (format == NVFP4) return f16ToF32((half ? bits >> 8 : bits & 0xff) << 7) * 256 * unitOf(format);
  return f16ToF32(bits);
}
