/**
 * ln(1 + e^x), softplus, within 5 units in the last place (u = 2^-23) where it is a normal f32; below ln of the smallest
 * normal f32 it is 0.
 *
 * 1. softplus(x) = max(x, 0) + ln(1 + p), p = e^-|x| <= 1, within 2 u. What that does to ln(1 + p) is p / ((1 + p)
 *    ln(1 + p)) <= 1 times as much: 2 u.
 * 2. ln(1 + p) = 2 artanh(s), s = p / (2 + p) <= 1/3: sum and quotient are rounded, 1 u; in artanh(s) it is
 *    s / ((1 - s²) artanh(s)) <= 1.09 times as much: 1.1 u.
 * 3. artanh(s) / s = 1 + z / 3 + z² / 5 + … + z^6 / 13, z = s² <= 1/9. What is cut off is below (z^7 / 15) / (1 - z)
 *    <= 1.6e-8: 0.2 u. The last sum is rounded, 0.5 u; what lies before it counts by z / 3 <= 0.04 only, 0.1 u.
 * 4. 2 s times that, 0.5 u. Together 4.4 u of ln(1 + p), then half a unit of the sum with max(x, 0).
 */
import {expOfNegative4} from './exp';

/** Each four times: see `exp.ts`. 1 / 13, 1 / 11, 1 / 9, 1 / 7, 1 / 5, 1 / 3, 1, 2 */
const constants = memory.data<f32>(
  [
    7.6923077e-2, 7.6923077e-2, 7.6923077e-2, 7.6923077e-2,
    9.0909091e-2, 9.0909091e-2, 9.0909091e-2, 9.0909091e-2,
    0.11111111, 0.11111111, 0.11111111, 0.11111111,
    0.14285714, 0.14285714, 0.14285714, 0.14285714,
    0.2, 0.2, 0.2, 0.2,
    0.33333333, 0.33333333, 0.33333333, 0.33333333,
    1, 1, 1, 1,
    2, 2, 2, 2,
  ],
  16,
);

/** Softplus of four f32; NaN stays. */
export function softplus4(x: v128): v128 {
  const power = expOfNegative4(f32x4.neg(f32x4.abs(x)));
  const s = f32x4.div(power, f32x4.add(v128.load(constants, 112), power));
  const z = f32x4.mul(s, s);
  let p = f32x4.add(f32x4.mul(z, v128.load(constants)), v128.load(constants, 16));
  p = f32x4.add(f32x4.mul(p, z), v128.load(constants, 32));
  p = f32x4.add(f32x4.mul(p, z), v128.load(constants, 48));
  p = f32x4.add(f32x4.mul(p, z), v128.load(constants, 64));
  p = f32x4.add(f32x4.mul(p, z), v128.load(constants, 80));
  p = f32x4.add(f32x4.mul(p, z), v128.load(constants, 96));
  // max, not pmax: of NaN the power may be anything.
  return f32x4.add(f32x4.max(x, f32x4.splat(0)), f32x4.mul(f32x4.add(s, s), p));
}

/** Softplus of one f32 in f64, rounded once: for what is computed once for a whole head. */
// @ts-ignore: decorator
@inline
export function softplus1(x: f32): f64 {
  const wide = <f64>x;
  return max(wide, 0) + NativeMath.log1p(NativeMath.exp(-abs(wide)));
}
