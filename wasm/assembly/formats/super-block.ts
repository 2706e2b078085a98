/**
 * Super-blocks: the compute formats of the types that give 256 columns one scale and smaller blocks an integer one.
 *
 * Compute block, 8 rows × 256 columns (rows 0 to 7 of a group, then its rows 8 to 15, then the next 256 columns):
 *   8 × f16          scales d of the rows
 *   8 × f16          scales dmin of the minima; shapes with minima only
 *   subs × 8 × i8    integer scales; a sub-block has 32 columns, or 16 (`hasShortSubs`)
 *                    Q2_K: the scale in the low, the minimum in the high nibble
 *   subs / 2 × 16    integer minima (Q4_K, Q5_K): for every pair of sub-blocks 8 rows × 2 × u8
 *   8 × codes        32 columns each, in planes (below)
 *
 * Columns in fours are *quads*: quads 0 … 7 of 32 columns. 32 bytes are 8 rows × 4 columns of a quad, the row being the
 * 32-bit lane. Planes of the codes of 32 columns:
 *   4 bits   4 × 32   part p: quad p in the low, quad 4 + p in the high nibbles
 *   2 bits   2 × 32   part h: quads 2 h, 2 h + 1, 4 + 2 h, 5 + 2 h, from the lowest bits up
 *   1 bit    1 × 32   bit q: quad q
 * Codes of 5 and 6 bits: the plane of the 4 low bits, then that of the high ones; of 3 bits: 2 low, then 1 high.
 *
 * Value of a weight: d × unit × scale × w - dmin × minimum; w is code - offset, or a table's entry (super-types.ts).
 *
 * Functions here take a *shape*: a format of its own, or TABLE and TABLE_SHORT, which several formats share.
 */
import {Format, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, TABLE, TABLE_SHORT, TQ2} from './format';

/** Columns of a super-block, and of what one set of planes holds. */
export const SUPER_COLUMNS: i32 = 256;
export const PLANE_COLUMNS: i32 = 32;

/** Rows of a compute block. */
export const SUPER_ROWS: i32 = 8;

/** 4 columns of 8 rows, a byte each. */
export const QUAD_BYTES: usize = 32;

// @ts-ignore: decorator
@inline
export function hasMinima(shape: Format): bool {
  return shape == Q2_K || shape == Q4_K || shape == Q5_K;
}

/** Whether sub-blocks have 16 columns instead of 32. */
// @ts-ignore: decorator
@inline
export function hasShortSubs(shape: Format): bool {
  return shape == Q2_K || shape == Q3_K || shape == Q6_K || shape == TABLE_SHORT;
}

/** Whether codes are indices into a table of 16 values. */
// @ts-ignore: decorator
@inline
export function hasTable(shape: Format): bool {
  return shape == TABLE || shape == TABLE_SHORT;
}

// @ts-ignore: decorator
@inline
export function codeBits(shape: Format): usize {
  if (shape == Q2_K || shape == TQ2) return 2;
  if (shape == Q3_K) return 3;
  if (shape == Q5_K) return 5;
  return shape == Q6_K ? 6 : 4;
}

/** Sub-blocks with an integer scale. */
// @ts-ignore: decorator
@inline
export function subCount(shape: Format): usize {
  if (shape == TQ2) return 0;
  return hasShortSubs(shape) ? 16 : 8;
}

// @ts-ignore: decorator
@inline
export function scalesOffset(shape: Format): usize {
  return hasMinima(shape) ? 32 : 16;
}

// @ts-ignore: decorator
@inline
export function minimaOffset(shape: Format): usize {
  return scalesOffset(shape) + subCount(shape) * 8;
}

// @ts-ignore: decorator
@inline
export function codesOffset(shape: Format): usize {
  return minimaOffset(shape) + (shape == Q4_K || shape == Q5_K ? subCount(shape) * 8 : 0);
}

/** Bytes of the codes of 8 rows × 32 columns. */
// @ts-ignore: decorator
@inline
export function planesBytes(shape: Format): usize {
  return codeBits(shape) * 32;
}

/** Bytes of a compute block. */
// @ts-ignore: decorator
@inline
export function superBlockBytes(shape: Format): usize {
  return codesOffset(shape) + 8 * planesBytes(shape);
}
