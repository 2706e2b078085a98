/**
 * Small blocks: the compute formats of the types with one scale for 32 columns (Q2: 64), other than Q8_0 and Q4_0.
 *
 * Compute block, 16 rows × 32 columns (Q2: 64):
 *   16 × u16   scales d of the rows: f16; MXFP4: bf16; NVFP4: two ue4m3 codes, of columns 0 … 15 in the low byte
 *   codes      in planes, quads of 16 rows (codes.ts); Q2: those of 32 columns, then those of the next 32
 * Behind the blocks of a group, in Q4_MIN and Q5_MIN only:
 *   16 × f16   minima m of the rows, for every block
 *
 * Value of a weight: d × w + m; w is code - offset, or a table's entry (type-values.ts); in NVFP4 times 1/2.
 */
import {codeBits} from './codes';
import {loadBF16x4, loadF16x4, widenF16x4} from './f16';
import {Format, MXFP4, NVFP4, Q2, Q4_MIN, Q5_MIN} from './format';

/** Columns of a block of activations. */
export const SMALL_COLUMNS: i32 = 32;

/** 4 columns of 16 rows, a byte each. */
export const SMALL_QUAD: usize = 64;

/** Bytes of the scales of a block. */
export const SCALES_BYTES: usize = 32;

// @ts-ignore: decorator
@inline
export function hasMinimum(format: Format): bool {
  return format == Q4_MIN || format == Q5_MIN;
}

/** Bytes of the codes of 16 rows × 32 columns. */
// @ts-ignore: decorator
@inline
export function smallCodesBytes(format: Format): usize {
  return codeBits(format) * SMALL_QUAD;
}

/** Offset of the scales of block `block` of 32 columns in its group; two blocks of Q2 share them. */
// @ts-ignore: decorator
@inline
export function scalesAt(format: Format, block: usize): usize {
  if (format == Q2) return (block >> 1) * (SCALES_BYTES + 2 * smallCodesBytes(format));
  return block * (SCALES_BYTES + smallCodesBytes(format));
}

/** Offset of the codes of a block of 32 columns behind its scales. */
// @ts-ignore: decorator
@inline
export function codesAt(format: Format, block: usize): usize {
  return SCALES_BYTES + (format == Q2 ? (block & 1) * smallCodesBytes(format) : 0);
}

/** Bytes of the blocks of a group, without minima. */
// @ts-ignore: decorator
@inline
export function smallBlocksBytes(format: Format, blocks: usize): usize {
  return scalesAt(format, blocks);
}

// @ts-ignore: decorator
@inline
export function smallGroupBytes(format: Format, columns: i32): usize {
  const blocks = <usize>(columns / SMALL_COLUMNS);
  return smallBlocksBytes(format, blocks) + (hasMinimum(format) ? blocks * SCALES_BYTES : 0);
}

/** Whether sub-blocks of 16 columns have scales of their own. */
// @ts-ignore: decorator
@inline
export function hasTwoScales(format: Format): bool {
  return format == NVFP4;
}

/** 2^8, by which the exponents' biases of f16 and ue4m3 differ, times the unit of e2m1's doubled values. */
export const NVFP4_UNIT: f32 = 128;

/** The scales of 4 rows at `scales` as f32; of NVFP4 those of the first (`half` 0) or the second 16 columns / NVFP4_UNIT. */
// @ts-ignore: decorator
@inline
export function loadScales(format: Format, scales: usize, half: i32): v128 {
  if (format == MXFP4) return loadBF16x4(scales);
  if (format != NVFP4) return loadF16x4(scales);
  // The fields of ue4m3 are those of an f16 of a smaller exponent: see NVFP4_UNIT.
  const codes = v128.load16x4_u(scales);
  return widenF16x4(i32x4.shl(half ? i32x4.shr_u(codes, 8) : v128.and(codes, i32x4.splat(255)), 7));
}
