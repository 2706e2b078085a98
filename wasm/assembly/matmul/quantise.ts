/** Rounding of activations to bytes, and how they are laid down. */

/** Adding 1.5 * 2^23 to |x| < 2^22 rounds it, half to even, and leaves the integer in the low bits. */
const ROUNDING: f32 = 12582912;

// @ts-ignore: decorator
@inline
function quantise4(x: usize, inverse: v128): v128 {
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

/** The four 32-bit lanes of `q` at `out`, `out + step`, … */
// @ts-ignore: decorator
@inline
function storeLanes(out: usize, step: usize, q: v128): void {
  v128.store32_lane(out, q, 0);
  v128.store32_lane(out + step, q, 1);
  v128.store32_lane(out + 2 * step, q, 2);
  v128.store32_lane(out + 3 * step, q, 3);
}

/** Parts of 4 columns, as they are. */
export function storeBytes(out: usize, step: usize, low: v128, high: v128): void {
  storeLanes(out, step, low);
  storeLanes(out + 4 * step, step, high);
}

/** Parts of 4 columns: the words x0, x2, 256 x1, 256 x3. */
export function storeQ8Words(out: usize, step: usize, low: v128, high: v128): void {
  const odd = i16x8.splat(-256);
  storeLanes(out, step, i16x8.shr_s(i16x8.shl(low, 8), 8));
  storeLanes(out + 4, step, v128.and(low, odd));
  storeLanes(out + 4 * step, step, i16x8.shr_s(i16x8.shl(high, 8), 8));
  storeLanes(out + 4 * step + 4, step, v128.and(high, odd));
}

/** Parts of 4 low and 4 high columns: 256 x0, 256 x2 · 16 x16, 16 x18 · x1, x3 · 256 x17, 256 x19. */
export function storeQ4Words(out: usize, step: usize, low: v128, high: v128): void {
  storeLanes(out, step, i16x8.shl(low, 8));
  storeLanes(out + 4, step, i16x8.shr_s(i16x8.shl(high, 8), 4));
  storeLanes(out + 8, step, i16x8.shr_s(low, 8));
  storeLanes(out + 12, step, v128.and(high, i16x8.splat(-256)));
}
