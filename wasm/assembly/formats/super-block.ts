/**
 * Super-blocks: the compute formats of the types that give 256 columns one scale and smaller blocks an integer one.
 *
 * Compute block, 8 rows × 256 columns (rows 0 to 7 of a group, then its rows 8 to 15, then the next 256 columns):
 *   8 × f16          scales d of the rows
 *   8 × f16          scales dmin of the minima; shapes with minima only
 *   subs × 8 × i8    integer scales; a sub-block has 32 columns, or 16 (`hasShortSubs`)
 *                    Q2_K: the scale in the low, the minimum in the high nibble
 *   subs / 2 × 16    integer minima (Q4_K, Q5_K): for every pair of sub-blocks 8 rows × 2 × u8
 *   8 × codes        32 columns each, in planes (codes.ts)
 *
 * Value of a weight: d × unit × scale × w - dmin × minimum; w is code - offset, or a table's entry (type-values.ts).
 *
 * Functions here take a *shape*: a format of its own, or TABLE and TABLE_SHORT, which several formats share.
 */
import {codeBits} from './codes';
import {Format, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, TABLE_SHORT, TQ2} from './format';

/** Columns of a super-block. */
export const SUPER_COLUMNS: i32 = 256;

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
