/**
 * The canonical form of one block: what `unpack` writes, the same for every quantised type.
 *
 * All integers stand alone in a byte, in order of columns. What they mean, and how the value of a weight is
 * computed from them, is in values.ts. One record, in static memory: the next block overwrites it.
 */

/**
 * 256 bytes, one a column: the code of the weight.
 *
 *   Q8_0                        the i8 itself
 *   Q4_0, Q4_1, Q4_K            0 … 15
 *   Q5_0, Q5_1, Q5_K            0 … 31
 *   Q2_K, Q2_0, TQ2_0           0 … 3
 *   Q3_K                        0 … 7
 *   Q6_K                        0 … 63
 *   TQ1_0                       0 … 2
 *   Q1_0                        0 or 2
 *   MXFP4, NVFP4, IQ4_*         0 … 15, an index into the type's value table
 *   IQ1_*, IQ2_*, IQ3_*         the same; bit 3 is the sign
 */
export const UNPACKED_CODES: usize = memory.data(256, 16);

/**
 * 16 bytes, one a sub-block: its integer scale.
 *
 *   Q2_K              16 × u8   0 … 15
 *   Q3_K              16 × i8   -32 … 31
 *   Q4_K, Q5_K         8 × u8   0 … 63
 *   Q6_K              16 × i8
 *   IQ4_XS             8 × i8   -32 … 31
 *   IQ2_XXS, IQ3_*     8 × u8   odd, 1 … 31
 *   IQ2_XS, IQ2_S     16 × u8   odd, 1 … 31
 *   IQ1_S              8 × u8   odd, 1 … 15
 *   IQ1_M             16 × u8   odd, 1 … 15
 *   NVFP4              4 × u8   ue4m3 codes
 *
 * Types without sub-blocks, and bytes beyond the type's count, leave it as it was.
 */
export const UNPACKED_SCALES: usize = memory.data(16, 16);

/** 16 bytes, one a sub-block: its integer minimum. Q2_K: 16 × u8, 0 … 15; Q4_K, Q5_K: 8 × u8, 0 … 63. */
export const UNPACKED_MINS: usize = memory.data(16, 16);

/** u16: the block's scale as f16 bits, as stored. MXFP4: as bf16 bits; NVFP4 has none: 0. */
export const UNPACKED_SCALE: usize = memory.data(2, 2);

/** u16: the f16 bits of the second scale: `m` of Q4_1 and Q5_1, `dmin` of Q2_K, Q4_K and Q5_K. Else 0. */
export const UNPACKED_MIN: usize = memory.data(2, 2);

// @ts-ignore: decorator
@inline
export function setScale(bits: u16): void {
  store<u16>(UNPACKED_SCALE, bits);
}

// @ts-ignore: decorator
@inline
export function setMin(bits: u16): void {
  store<u16>(UNPACKED_MIN, bits);
}

// @ts-ignore: decorator
@inline
export function setSubScale(subBlock: usize, scale: u32): void {
  store<u8>(UNPACKED_SCALES + subBlock, <u8>scale);
}

// @ts-ignore: decorator
@inline
export function setSubMin(subBlock: usize, min: u32): void {
  store<u8>(UNPACKED_MINS + subBlock, <u8>min);
}

/** 16 codes, of `column` and the next ones. */
// @ts-ignore: decorator
@inline
export function setCodes(column: usize, codes: v128): void {
  v128.store(UNPACKED_CODES + column, codes);
}
