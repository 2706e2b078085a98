/**
 * Index of the largest of `n` f32 at `x`, the lowest on ties; -1 if any is NaN or infinite, or n is 0.
 *
 * Of a finite value the exponent bits are not all set, and x & ~sign, as an integer, is below those of infinity.
 */
export function argmax(x: usize, n: i32): i32 {
  const end = x + (<usize>n << 2), wholeEnd = x + (<usize>(n & ~3) << 2);
  let best4 = f32x4.splat(-Infinity), magnitude4 = i32x4.splat(0);
  let p = x;
  for (; p < wholeEnd; p += 16) {
    const v = v128.load(p);
    best4 = f32x4.pmax(best4, v);
    magnitude4 = i32x4.max_s(magnitude4, f32x4.abs(v));
  }
  if (v128.any_true(i32x4.ge_s(magnitude4, i32x4.splat(0x7f800000)))) return -1;
  let best = max(
    max(f32x4.extract_lane(best4, 0), f32x4.extract_lane(best4, 1)),
    max(f32x4.extract_lane(best4, 2), f32x4.extract_lane(best4, 3)),
  );
  for (; p < end; p += 4) {
    const last = load<f32>(p);
    if (!isFinite(last)) return -1;
    best = max(best, last);
  }
  return firstEqual(x, n, best);
}

/** Index of the first of `n` f32 that equals `wanted`; -1 if none does. */
function firstEqual(x: usize, n: i32, wanted: f32): i32 {
  const end = x + (<usize>n << 2), wholeEnd = x + (<usize>(n & ~3) << 2);
  const wanted4 = f32x4.splat(wanted);
  let p = x;
  for (; p < wholeEnd; p += 16) {
    const hits = i32x4.bitmask(f32x4.eq(v128.load(p), wanted4));
    if (hits) return <i32>((p - x) >> 2) + ctz(hits);
  }
  for (; p < end; p += 4) {
    if (load<f32>(p) == wanted) return <i32>((p - x) >> 2);
  }
  return -1;
}
