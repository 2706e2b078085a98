/**
 * IEEE 754 half precision, four values at a time, with integer instructions only: WebAssembly has no f16.
 *
 * Both directions are exact (to f16: rounded half to even), subnormals, infinities and NaN included. Widening feeds
 * no subnormal f32 to an arithmetic instruction: that costs x86 processors over a hundred cycles.
 */

/**
 * Four f16 at `pointer` as f32x4.
 *
 * 1. Exponent and mantissa are moved to their place in an f32, with an exponent field of 224 + e: that is the
 *    value times 2^112, and e = 31 becomes the f32 exponent of infinities and NaN by itself.
 * 2. Times 2^-112: exact for e > 0. Where e = 0 it is 2^-15 (1 + m / 1024) = v instead of 2^-14 (m / 1024).
 * 3. Adding min(v, 2^-14) - 2^-14 corrects that: it is zero for e > 0 and turns v into 2 v - 2^-14 for e = 0.
 */
// @ts-ignore: decorator
@inline
export function loadF16x4(pointer: usize): v128 {
  return widenF16x4(v128.load16x4_s(pointer));
}

/** The same for four f16 in the lower halves of the lanes; the upper halves are copies of the sign. */
// @ts-ignore: decorator
@inline
export function widenF16x4(bits: v128): v128 {
  const scaled = v128.or(i32x4.shr_u(i32x4.shl(bits, 17), 4), v128.load(constants));
  const value = f32x4.mul(scaled, v128.load(constants, 16));
  const least = v128.load(constants, 32);
  const magnitude = f32x4.add(value, f32x4.sub(f32x4.pmin(value, least), least));
  return v128.or(magnitude, v128.and(bits, v128.load(constants, 48)));
}

/**
 * The exponent 224, 2^-112, 2^-14, the sign, and the exponent's bits of an f16. In memory: engines rebuild a
 * vector constant, with three instructions, at every use.
 */
const constants = memory.data<u32>(
  [
    0x70000000, 0x70000000, 0x70000000, 0x70000000, 0x07800000, 0x07800000, 0x07800000, 0x07800000,
    0x38800000, 0x38800000, 0x38800000, 0x38800000, 0x80000000, 0x80000000, 0x80000000, 0x80000000,
    0x7c007c00, 0x7c007c00, 0x7c007c00, 0x7c007c00,
  ],
  16,
);

/**
 * The same where none of the four is zero or subnormal: steps 1 and 2 suffice, and the sign needs no steps of
 * its own.
 */
// @ts-ignore: decorator
@inline
export function loadNormalF16x4(pointer: usize): v128 {
  // The load has copied the sign into all bits above the f16 exponent; setting the three upper exponent bits
  // leaves it on top.
  const scaled = v128.or(i32x4.shl(v128.load16x4_s(pointer), 13), v128.load(constants));
  return f32x4.mul(scaled, v128.load(constants, 16));
}

/** Whether none of the 16 f16 at `pointer` is zero or subnormal. */
// @ts-ignore: decorator
@inline
export function allNormal16(pointer: usize): bool {
  const exponent = v128.load(constants, 64);
  const low = v128.and(v128.load(pointer), exponent), high = v128.and(v128.load(pointer, 16), exponent);
  return i16x8.all_true(i16x8.min_u(low, high));
}

/** Four bf16 at `pointer` as f32x4: they are the upper halves of f32. */
// @ts-ignore: decorator
@inline
export function loadBF16x4(pointer: usize): v128 {
  return i32x4.shl(v128.load16x4_u(pointer), 16);
}

/** 16 bf16 at `source` as f32 at `out`. */
// @ts-ignore: decorator
@inline
export function widenBF16x16(source: usize, out: usize): void {
  v128.store(out, loadBF16x4(source));
  v128.store(out, loadBF16x4(source + 8), 16);
  v128.store(out, loadBF16x4(source + 16), 32);
  v128.store(out, loadBF16x4(source + 24), 48);
}

/**
 * Four f32 to f16, rounded half to even; each result is in the lower half of its lane. NaN becomes a quiet
 * NaN.
 */
// @ts-ignore: decorator
@inline
export function toF16x4(x: v128): v128 {
  const magnitude = v128.and(x, i32x4.splat(0x7fffffff));
  const odd = v128.and(i32x4.shr_u(magnitude, 13), i32x4.splat(1));
  // The exponent's bias goes from 127 to 15; 0xfff and the last kept bit round half to even.
  const normal = i32x4.shr_u(i32x4.add(i32x4.add(magnitude, i32x4.splat(0xfff - (112 << 23))), odd), 13);
  // An f32 in [0.5, 1) has steps of 2^-24, the unit of f16 subnormals: the addition does the rounding.
  const subnormal = i32x4.sub(f32x4.add(magnitude, f32x4.splat(0.5)), i32x4.splat(0x3f000000));
  const finite = v128.bitselect(subnormal, normal, i32x4.lt_s(magnitude, i32x4.splat(0x38800000)));
  const isNaN = i32x4.gt_s(magnitude, i32x4.splat(0x7f800000));
  const special = v128.or(i32x4.splat(0x7c00), v128.and(isNaN, i32x4.splat(0x200)));
  const result = v128.bitselect(special, finite, i32x4.ge_s(magnitude, i32x4.splat(0x477ff000)));
  return v128.or(result, i32x4.shr_u(v128.and(x, i32x4.splat(0x80000000)), 16));
}

/**
 * 16 f16 at `source` as f32 at `out`. Subnormal values are rare: the branch is worth more than half of the
 * instructions.
 */
// @ts-ignore: decorator
@inline
export function widenF16x16(source: usize, out: usize): void {
  if (allNormal16(source)) {
    v128.store(out, loadNormalF16x4(source));
    v128.store(out, loadNormalF16x4(source + 8), 16);
    v128.store(out, loadNormalF16x4(source + 16), 32);
    v128.store(out, loadNormalF16x4(source + 24), 48);
  } else {
    v128.store(out, loadF16x4(source));
    v128.store(out, loadF16x4(source + 8), 16);
    v128.store(out, loadF16x4(source + 16), 32);
    v128.store(out, loadF16x4(source + 24), 48);
  }
}

/** One f16, given as bits, as f32. */
export function f16ToF32(bits: u32): f32 {
  const magnitude = bits & 0x7fff;
  const sign = (bits & 0x8000) << 16;
  // Zero and subnormals are integers times 2^-24.
  if (magnitude < 0x400) {
    return reinterpret<f32>(reinterpret<u32>(<f32>magnitude * reinterpret<f32>(0x33800000)) | sign);
  }
  const exponent: u32 = magnitude >= 0x7c00 ? 224 << 23 : 112 << 23;
  return reinterpret<f32>(((magnitude << 13) + exponent) | sign);
}

/** `x` >= 0 rounded to f16, half to even, and back. */
export function roundToF16(x: f32): f32 {
  // Steps of 2^-24, those of f16 subnormals.
  if (x < reinterpret<f32>(0x38800000)) return x + 0.5 - 0.5;
  const bits = reinterpret<u32>(x);
  if (bits >= 0x7f800000) return x;
  const rounded = (bits + 0xfff + ((bits >> 13) & 1)) & ~0x1fff;
  return rounded < 0x47800000 ? reinterpret<f32>(rounded) : Infinity;
}
