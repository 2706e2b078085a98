/**
 * The compute formats: how weights lie in memory while they are used.
 *
 * All formats interleave 16 rows of a matrix, a *group*, so that every lane of a vector belongs to another
 * row: products need no horizontal sums. A matrix is `ceil(rows / 16)` groups one after the other; missing
 * rows of the last group are zero.
 */

export type Format = i32;

export const F32: Format = 0;
export const F16: Format = 1;
export const BF16: Format = 2;
export const Q8: Format = 3;
export const Q4: Format = 4;

/** Formats of small blocks (small-block.ts). */
export const Q4_MIN: Format = 5;
export const Q5: Format = 6;
export const Q5_MIN: Format = 7;
export const IQ4_NL: Format = 8;
export const MXFP4: Format = 9;
export const NVFP4: Format = 10;
export const Q2: Format = 11;

/** Formats of super-blocks (super-block.ts). */
export const Q2_K: Format = 12;
export const Q3_K: Format = 13;
export const Q4_K: Format = 14;
export const Q5_K: Format = 15;
export const Q6_K: Format = 16;
export const TQ2: Format = 17;
export const IQ4_XS: Format = 18;
export const IQ3_S: Format = 19;
export const IQ3_XXS: Format = 20;
export const IQ2_XXS: Format = 21;
export const IQ1_S: Format = 22;
export const IQ2_XS: Format = 23;
export const IQ1_M: Format = 24;
/** Shapes that some of these share. */
export const TABLE: Format = 32;
export const TABLE_SHORT: Format = 33;

/** Rows interleaved in a group. */
export const GROUP_ROWS: i32 = 16;

/** Columns that share one scale in Q8 and Q4. */
export const BLOCK_COLUMNS: i32 = 32;

/** Bytes of one block of 16 rows × 32 columns: 16 f16 scales, then the weights. */
export const Q8_BLOCK_BYTES: usize = 32 + 16 * 32;
export const Q4_BLOCK_BYTES: usize = 32 + 16 * 16;

// @ts-ignore: decorator
@inline
export function isQuantised(format: Format): bool {
  return format >= Q8;
}

/** Whether a format has small blocks. */
// @ts-ignore: decorator
@inline
export function isSmall(format: Format): bool {
  return format > Q4 && format < Q2_K;
}

/** Whether a format has super-blocks. */
// @ts-ignore: decorator
@inline
export function isSuper(format: Format): bool {
  return format >= Q2_K;
}

/** The shape of a format of super-blocks: see super-block.ts. */
// @ts-ignore: decorator
@inline
export function shapeOf(format: Format): Format {
  if (format <= TQ2) return format;
  return format == IQ2_XS || format == IQ1_M ? TABLE_SHORT : TABLE;
}
