/**
 * What the canonical form means: the value of a weight in f32, with the bits that ggml's conversion gives.
 *
 *   linear types:        weight = code - codeOffset(type)
 *   types with a table:  weight = valueTable(type)[code]
 *   no sub-blocks:       value = d · weight                                 (+ m for Q4_1, Q5_1)
 *   sub-blocks:          value = d · unit(type) · scale · weight            (- dmin · min for Q2_K, Q4_K, Q5_K)
 *   NVFP4:               value = ue4m3(scale) · unit(type) · weight
 *
 * d and dmin, m are the f16 (MXFP4: bf16) values of UNPACKED_SCALE and UNPACKED_MIN.
 *
 * No product is rounded, so their order does not matter, and neither does a fused multiply-add. An f16 has 11
 * significant bits (subnormal ones have fewer and lie far above f32's own limit), an f32 24; units are powers of two:
 *
 *   type            bits of d · scale · weight            so the product has at most
 *   Q4_0, Q4_1      11 + 0 + 4                            15
 *   Q5_0, Q5_1      11 + 0 + 5                            16
 *   Q8_0            11 + 0 + 7 (-128 is a power of two)   18
 *   Q2_K            11 + 4 + 2, dmin · min: 11 + 4        17
 *   Q3_K            11 + 5 (-32 too) + 2 (-4 too)         18
 *   Q4_K            11 + 6 + 4, dmin · min: 11 + 6        21
 *   Q5_K            11 + 6 + 5, dmin · min: 11 + 6        22
 *   Q6_K            11 + 7 (-128 too) + 5 (-32 too)       23
 *   IQ2_*           11 + 5 + 6                            22
 *   IQ3_XXS         11 + 5 + 5 (62 is 2 · 31)             21
 *   IQ3_S           11 + 5 + 4                            20
 *   IQ1_*           11 + 4 + 4                            19
 *   IQ4_NL          11 + 0 + 7                            18
 *   IQ4_XS          11 + 5 (-32 too) + 7                  23
 *   TQ*, Q1_0       11 + 0 + 1                            12
 *   Q2_0            11 + 0 + 1 (2 is a power of two)      12
 *   MXFP4           1 + 0 + 2                             3, and 2^-128 · weight is a multiple of 2^-149
 *   NVFP4           0 + 4 + 2                             6
 *
 * MXFP4 with scale code 253 … 255 may pass f32's largest number: the one multiplication then gives infinity. The
 * types with a minimum round once: the two exact products are added or subtracted.
 */
import {
  IQ1_M,
  IQ1_S,
  IQ2_S,
  IQ2_XS,
  IQ2_XXS,
  IQ3_S,
  IQ3_XXS,
  IQ4_NL,
  IQ4_XS,
  MXFP4,
  NVFP4,
  Q1_0,
  Q2_0,
  Q3_K,
  Q4_0,
  Q5_0,
  Q6_K,
  TQ1_0,
  TQ2_0,
} from './types';

// Tables of 16 × i8, aligned for a vector load.

/** Twice the values of e2m1: 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives. */
const e2m1 = memory.data<i8>([0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12], 16);

const iq4 = memory.data<i8>(
  [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113],
  16,
);

const iq3xxs = memory.data<i8>([4, 12, 20, 28, 36, 44, 52, 62, -4, -12, -20, -28, -36, -44, -52, -62], 16);

const iq3s = memory.data<i8>([1, 3, 5, 7, 9, 11, 13, 15, -1, -3, -5, -7, -9, -11, -13, -15], 16);

/** Codes with bit 2 do not occur, nor do 3 and 11; the same for IQ1. */
const iq2 = memory.data<i8>([8, 25, 43, 0, 0, 0, 0, 0, -8, -25, -43, 0, 0, 0, 0, 0], 16);

/** Eight times the grid's -1, 0, 1, shifted by 1 up or, in the second half, down. */
const iq1 = memory.data<i8>([-7, 1, 9, 0, 0, 0, 0, 0, -9, -1, 7, 0, 0, 0, 0, 0], 16);

/** The 16 × i8 that the type's codes are indices into; 0 where a code is a number itself. */
export function valueTable(type: i32): usize {
  switch (type) {
    case MXFP4:
    case NVFP4:
      return e2m1;
    case IQ4_NL:
    case IQ4_XS:
      return iq4;
    case IQ3_XXS:
      return iq3xxs;
    case IQ3_S:
      return iq3s;
    case IQ2_XXS:
    case IQ2_XS:
    case IQ2_S:
      return iq2;
    case IQ1_S:
    case IQ1_M:
      return iq1;
    default:
      return 0;
  }
}

/** What is subtracted from the code of a type without a table to get the weight. */
export function codeOffset(type: i32): i32 {
  switch (type) {
    case Q6_K:
      return 32;
    case Q5_0:
      return 16;
    case Q4_0:
      return 8;
    case Q3_K:
      return 4;
    case TQ1_0:
    case TQ2_0:
    case Q1_0:
    case Q2_0:
      return 1;
    default:
      return 0;
  }
}

/** The constant factor of the type's values, a power of two. */
export function unit(type: i32): f32 {
  switch (type) {
    case IQ1_S:
    case IQ1_M:
    case IQ2_XXS:
    case IQ2_XS:
    case IQ2_S:
      return 0.125;
    case IQ3_XXS:
      return 0.25;
    case NVFP4:
      return 0.5;
    default:
      return 1;
  }
}

/**
 * The value of a ue4m3 code: 4 bits of exponent with bias 7, 3 of mantissa; the highest bit does not count. Code 127,
 * the format's NaN, is 0 in ggml; 255 is not.
 */
export function ue4m3(code: u32): f32 {
  const exponent = (code >> 3) & 15, mantissa = code & 7;
  if (code == 127) return 0;
  if (exponent == 0) return <f32>mantissa * reinterpret<f32>((127 - 9) << 23);
  return reinterpret<f32>(((exponent + 120) << 23) | (mantissa << 20));
}
