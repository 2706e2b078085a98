/**
 * e^x for two f64, to about one unit in the last place, also where the result is subnormal.
 *
 * e^x = 2^n * 2^(i / 64) * e^r
 * 1. 64 n + i = x * 64 / ln 2, rounded to a whole number.
 * 2. r = x - (64 n + i) ln 2 / 64, |r| <= ln(2) / 128. ln 2 / 64 is in two parts, the first so short that its
 *    product with the whole number is exact.
 * 3. e^r by its Taylor series up to r^5 / 5!.
 * 4. times 2^(i / 64) from a table, times 2^n last, so that a subnormal result is rounded once.
 *
 * `test/helpers/sampling-reference.ts` has the same operations in the same order, for one number.
 */

/** Each twice. In memory: engines rebuild a vector constant, with three instructions, at every use. */
const constants = memory.data<f64>(
  [
    // 0: below, every result is 0; 16: below, 2^n may be subnormal
    -746.0, -746.0,
    -708.0, -708.0,
    // 32: 64 / ln 2, 48: to round
    92.33248261689366, 92.33248261689366,
    0.5, 0.5,
    // 64, 80: ln 2 / 64 in two parts
    0.010830424726009369, 0.010830424726009369,
    -2.9760223436840126e-11, -2.9760223436840126e-11,
    // 96 … 160: 1 / 5!, 1 / 4!, 1 / 3!, 1 / 2!, 1
    0.008333333333333333, 0.008333333333333333,
    0.041666666666666664, 0.041666666666666664,
    0.16666666666666666, 0.16666666666666666,
    0.5, 0.5,
    1.0, 1.0,
  ],
  16,
);

/** 2^(i / 64). */
const fractions = memory.data<f64>(
  [
    1.0, 1.0108892860517005, 1.0218971486541166, 1.0330248790212284,
    1.0442737824274138, 1.0556451783605572, 1.0671404006768237, 1.0787607977571199,
    1.0905077326652577, 1.102382583307841, 1.1143867425958924, 1.1265216186082418,
    1.1387886347566916, 1.1511892299529827, 1.1637248587775775, 1.1763969916502812,
    1.189207115002721, 1.202156731452703, 1.2152473599804687, 1.22848053610687,
    1.241857812073484, 1.255380757024691, 1.2690509571917332, 1.2828700160787783,
    1.2968395546510096, 1.3109612115247644, 1.3252366431597413, 1.339667524053303,
    1.3542555469368927, 1.3690024229745905, 1.383909881963832, 1.398979672538311,
    1.414213562373095, 1.42961333839197, 1.4451808069770467, 1.4609177941806468,
    1.4768261459394993, 1.4929077282912648, 1.5091644275934226, 1.5255981507445382,
    1.5422108254079407, 1.559004400237837, 1.5759808451078865, 1.593142151342267,
    1.6104903319492543, 1.6280274218573476, 1.6457554781539647, 1.6636765803267366,
    1.681792830507429, 1.7001063537185233, 1.718619298122478, 1.7373338352737062,
    1.7562521603732995, 1.7753764925265212, 1.7947090750031074, 1.8142521755003986,
    1.8340080864093424, 1.8539791250833857, 1.8741676341102997, 1.8945759815869656,
    1.9152065613971474, 1.9360617934922946, 1.9571441241754002, 1.978456026387951,
  ],
  16,
);

/** x <= 0, -Infinity included. */
// @ts-ignore: decorator
@inline
export function exponential2(x: v128): v128 {
  const inside = f64x2.pmax(v128.load(constants), x);
  const scaled = f64x2.mul(inside, v128.load(constants, 32));
  const step = f64x2.floor(f64x2.add(scaled, v128.load(constants, 48)));
  const coarse = f64x2.sub(inside, f64x2.mul(step, v128.load(constants, 64)));
  const r = f64x2.sub(coarse, f64x2.mul(step, v128.load(constants, 80)));
  let p = f64x2.add(v128.load(constants, 112), f64x2.mul(r, v128.load(constants, 96)));
  p = f64x2.add(v128.load(constants, 128), f64x2.mul(r, p));
  p = f64x2.add(v128.load(constants, 144), f64x2.mul(r, p));
  p = f64x2.add(v128.load(constants, 160), f64x2.mul(r, p));
  p = f64x2.add(v128.load(constants, 160), f64x2.mul(r, p));
  const whole = i32x4.trunc_sat_f64x2_s_zero(step);
  const first = fractions + (<usize>(i32x4.extract_lane(whole, 0) & 63) << 3);
  const second = fractions + (<usize>(i32x4.extract_lane(whole, 1) & 63) << 3);
  p = f64x2.mul(v128.load64_lane(second, v128.load64_zero(first), 1), p);
  const exponents = i32x4.shr_s(whole, 6);
  if (v128.any_true(f64x2.lt(inside, v128.load(constants, 16)))) return f64x2.mul(p, smallPowers(exponents));
  const biased = i64x2.extend_low_i32x4_s(i32x4.add(exponents, i32x4.splat(1023)));
  return f64x2.mul(p, i64x2.shl(biased, 52));
}

/** 2^n of the first two of `exponents`. */
function smallPowers(exponents: v128): v128 {
  const powers = f64x2.splat(power(i32x4.extract_lane(exponents, 0)));
  return f64x2.replace_lane(powers, 1, power(i32x4.extract_lane(exponents, 1)));
}

/** 2^n for n <= 0; 0 where it is below the smallest subnormal number. */
function power(n: i32): f64 {
  if (n >= -1022) return reinterpret<f64>(<i64>(n + 1023) << 52);
  return n >= -1074 ? reinterpret<f64>(<i64>1 << (n + 1074)) : 0;
}
