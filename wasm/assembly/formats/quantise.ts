/** Rounding of f32 to 8-bit integers: q = x / d, half to even, d being the largest |x| of a block / 127. */

/**
 * The largest |x| of the f32 in [from, end), a multiple of 4; NaN if there is one. Without the sign, the order of the bits
 * is that of the values, NaN on top.
 */
// @ts-ignore: decorator
@inline
export function largestMagnitude(from: usize, end: usize): f32 {
  const mask = i32x4.splat(0x7fffffff);
  let m = i32x4.splat(0);
  for (; from < end; from += 16) m = i32x4.max_s(m, v128.and(v128.load(from), mask));
  m = i32x4.max_s(m, i32x4.shuffle(m, m, 2, 3, 0, 1));
  m = i32x4.max_s(m, i32x4.shuffle(m, m, 1, 0, 3, 2));
  return f32x4.extract_lane(m, 0);
}

/** Adding 1.5 * 2^23 to |x| < 2^22 rounds it, half to even, and leaves the integer in the low bits. */
const ROUNDING: f32 = 12582912;

/** Four values as i32; `inverse`: 1 / d. */
// @ts-ignore: decorator
@inline
export function quantise4(x: usize, inverse: v128): v128 {
  const rounded = f32x4.add(f32x4.mul(v128.load(x), inverse), f32x4.splat(ROUNDING));
  return i32x4.sub(rounded, i32x4.splat(reinterpret<i32>(ROUNDING)));
}

/** 16 columns as i8. */
// @ts-ignore: decorator
@inline
export function quantise16(x: usize, inverse: v128): v128 {
  return i8x16.narrow_i16x8_s(
    i16x8.narrow_i32x4_s(quantise4(x, inverse), quantise4(x + 16, inverse)),
    i16x8.narrow_i32x4_s(quantise4(x + 32, inverse), quantise4(x + 48, inverse)),
  );
}

// @ts-ignore: decorator
@inline
export function sumBytes(q: v128): i32 {
  const s = i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(q));
  return (
    i32x4.extract_lane(s, 0) + i32x4.extract_lane(s, 1) + i32x4.extract_lane(s, 2) + i32x4.extract_lane(s, 3)
  );
}

/** The sum of the magnitudes of what is negative in 32 columns, whose sum is `sum`. */
// @ts-ignore: decorator
@inline
export function sumNegatives(low: v128, high: v128, sum: i32): i32 {
  return (sumBytes(i8x16.abs(low)) + sumBytes(i8x16.abs(high)) - sum) >> 1;
}

/** Two i16: the sum of the bytes whose number modulo 4 is 0 or 1, and that of the others. */
// @ts-ignore: decorator
@inline
export function sumPairs(q: v128): i32 {
  let s = i16x8.extadd_pairwise_i8x16_s(q);
  s = i16x8.add(s, i32x4.shuffle(s, s, 2, 3, 0, 1));
  s = i16x8.add(s, i32x4.shuffle(s, s, 1, 0, 3, 2));
  return i32x4.extract_lane(s, 0);
}
