/** Index of the largest of `n` f32 at `x`, the lowest on ties; -1 if any is NaN or n is 0. */
export function argmax(x: usize, n: i32): i32 {
  const end = x + (<usize>n << 2), wholeEnd = x + (<usize>(n & ~3) << 2);
  let best4 = f32x4.splat(-Infinity), unordered = i32x4.splat(0);
  let p = x;
  for (; p < wholeEnd; p += 16) {
    const v = v128.load(p);
    best4 = f32x4.pmax(best4, v);
    unordered = v128.or(unordered, f32x4.ne(v, v));
  }
  if (v128.any_true(unordered)) return -1;
  let best = max(
    max(f32x4.extract_lane(best4, 0), f32x4.extract_lane(best4, 1)),
    max(f32x4.extract_lane(best4, 2), f32x4.extract_lane(best4, 3)),
  );
  // max() passes NaN on, and no value equals NaN: the search then ends without a hit.
  for (; p < end; p += 4) best = max(best, load<f32>(p));
  const wanted = f32x4.splat(best);
  for (p = x; p < wholeEnd; p += 16) {
    const hits = i32x4.bitmask(f32x4.eq(v128.load(p), wanted));
    if (hits) return <i32>((p - x) >> 2) + ctz(hits);
  }
  for (; p < end; p += 4) {
    if (load<f32>(p) == best) return <i32>((p - x) >> 2);
  }
  return -1;
}

/** 1 if all of `n` f32 at `x` are finite, else 0. */
export function allFinite(x: usize, n: i32): i32 {
  const exponent = i32x4.splat(0x7f800000);
  const end = x + (<usize>n << 2);
  const wholeEnd = x + (<usize>(n & ~3) << 2);
  let special = i32x4.splat(0);
  for (; x < wholeEnd; x += 16) {
    special = v128.or(special, i32x4.eq(v128.and(v128.load(x), exponent), exponent));
  }
  let found = v128.any_true(special);
  for (; x < end; x += 4) found = found || (load<u32>(x) & 0x7f800000) == 0x7f800000;
  return found ? 0 : 1;
}
