/**
 * e^x for four f32. Relative error below 2 units in the last place; results that would be subnormal are 0.
 *
 * 1. n = x log2(e) rounded to an integer: adding 1.5 * 2^23 leaves it in the low bits of the sum.
 * 2. r = x - n ln 2, |r| <= ln(2) / 2. ln 2 is in two parts, the first so short that n times it is exact.
 * 3. e^r by its Taylor series up to r^7 / 7!; what is cut off is below 6e-9.
 * 4. times 2^n: n is added to the exponent field.
 */

/** Each four times. In memory: engines rebuild a vector constant, with three instructions, at every use. */
const constants = memory.data<f32>(
  [
    // 0, 16: ln of the smallest normal f32 and of the largest f32
    -87.33654, -87.33654, -87.33654, -87.33654,
    88.72283, 88.72283, 88.72283, 88.72283,
    // 32: log2(e), 48: 1.5 * 2^23
    1.44269504, 1.44269504, 1.44269504, 1.44269504,
    12582912, 12582912, 12582912, 12582912,
    // 64, 80: ln 2 in two parts
    0.693359375, 0.693359375, 0.693359375, 0.693359375,
    -2.1219444e-4, -2.1219444e-4, -2.1219444e-4, -2.1219444e-4,
    // 96 … 192: 1 / 7!, 1 / 6!, 1 / 5!, 1 / 4!, 1 / 3!, 1 / 2!, 1
    1.9841270e-4, 1.9841270e-4, 1.9841270e-4, 1.9841270e-4,
    1.3888889e-3, 1.3888889e-3, 1.3888889e-3, 1.3888889e-3,
    8.3333333e-3, 8.3333333e-3, 8.3333333e-3, 8.3333333e-3,
    4.1666667e-2, 4.1666667e-2, 4.1666667e-2, 4.1666667e-2,
    1.6666667e-1, 1.6666667e-1, 1.6666667e-1, 1.6666667e-1,
    0.5, 0.5, 0.5, 0.5,
    1, 1, 1, 1,
    // 208
    Infinity, Infinity, Infinity, Infinity,
  ],
  16,
);

// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const least = v128.load(constants), largest = v128.load(constants, 16), rounding = v128.load(constants, 48);
  const inside = f32x4.pmin(f32x4.pmax(x, least), largest);
  const t = f32x4.add(f32x4.mul(inside, v128.load(constants, 32)), rounding);
  const scaled = powerOfE(inside, t, rounding);
  const low = v128.andnot(scaled, f32x4.lt(x, least));
  const high = v128.bitselect(v128.load(constants, 208), low, f32x4.gt(x, largest));
  return v128.bitselect(x, high, f32x4.ne(x, x));
}

/** Steps 2 to 4, of `t` from step 1. */
// @ts-ignore: decorator
@inline
function powerOfE(inside: v128, t: v128, rounding: v128): v128 {
  const n = f32x4.sub(t, rounding);
  const coarse = f32x4.sub(inside, f32x4.mul(n, v128.load(constants, 64)));
  const r = f32x4.sub(coarse, f32x4.mul(n, v128.load(constants, 80)));
  let p = f32x4.add(f32x4.mul(r, v128.load(constants, 96)), v128.load(constants, 112));
  p = f32x4.add(f32x4.mul(p, r), v128.load(constants, 128));
  p = f32x4.add(f32x4.mul(p, r), v128.load(constants, 144));
  p = f32x4.add(f32x4.mul(p, r), v128.load(constants, 160));
  p = f32x4.add(f32x4.mul(p, r), v128.load(constants, 176));
  p = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(p, r), r), r), v128.load(constants, 192));
  return i32x4.add(p, i32x4.shl(t, 23));
}

/** The same for x <= 0, -Infinity included; of NaN it makes anything. */
// @ts-ignore: decorator
@inline
export function expOfNegative4(x: v128): v128 {
  const least = v128.load(constants), rounding = v128.load(constants, 48);
  const inside = f32x4.pmax(x, least);
  const t = f32x4.add(f32x4.mul(inside, v128.load(constants, 32)), rounding);
  const power = powerOfE(inside, t, rounding);
  return v128.andnot(power, f32x4.lt(x, least));
}

/** e^x for one f32, the same bits as a lane of `exp4`. */
// @ts-ignore: decorator
@inline
export function exp1(x: f32): f32 {
  return f32x4.extract_lane(exp4(f32x4.splat(x)), 0);
}

/** tanh of four f32, within 2^-23 of it: (1 - e^(-2 |x|)) / (1 + e^(-2 |x|)) with the sign of x. */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const one = f32x4.splat(1), sign = v128.and(x, i32x4.splat(0x80000000));
  const power = exp4(f32x4.mul(f32x4.abs(x), f32x4.splat(-2)));
  return v128.or(f32x4.div(f32x4.sub(one, power), f32x4.add(one, power)), sign);
}
