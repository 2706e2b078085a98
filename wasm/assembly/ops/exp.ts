/**
 * e^x for four f32. Relative error below 2 units in the last place; results that would be subnormal are 0.
 *
 * 1. n = x log2(e) rounded to an integer: adding 1.5 · 2^23 leaves it in the low bits of the sum.
 * 2. r = x - n ln 2, |r| <= ln(2) / 2, with ln 2 in two parts, the first so short that its product with n is exact.
 * 3. e^r by its Taylor series up to r^7 / 7!; what is cut off is below 6e-9.
 * 4. times 2^n: n is added to the exponent field.
 */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const rounding = f32x4.splat(12582912);
  // ln of the smallest normal f32, and of the largest f32.
  const least = f32x4.splat(-87.33654), largest = f32x4.splat(88.72283);
  const inside = f32x4.pmin(f32x4.pmax(x, least), largest);
  const t = f32x4.add(f32x4.mul(inside, f32x4.splat(1.44269504)), rounding);
  const n = f32x4.sub(t, rounding);
  const r = f32x4.sub(
    f32x4.sub(inside, f32x4.mul(n, f32x4.splat(0.693359375))),
    f32x4.mul(n, f32x4.splat(-2.12194440e-4)),
  );
  let p = f32x4.add(f32x4.mul(r, f32x4.splat(1 / 5040)), f32x4.splat(1 / 720));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1 / 120));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1 / 24));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(1 / 6));
  p = f32x4.add(f32x4.mul(p, r), f32x4.splat(0.5));
  p = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(p, r), r), r), f32x4.splat(1));
  const scaled = i32x4.add(p, i32x4.shl(t, 23));
  const low = v128.andnot(scaled, f32x4.lt(x, least));
  const high = v128.bitselect(f32x4.splat(Infinity), low, f32x4.gt(x, largest));
  return v128.bitselect(x, high, f32x4.ne(x, x));
}

/** e^x for one f32, the same bits as a lane of `exp4`. */
// @ts-ignore: decorator
@inline
export function exp1(x: f32): f32 {
  return f32x4.extract_lane(exp4(f32x4.splat(x)), 0);
}
