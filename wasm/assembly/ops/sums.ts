/** Sums over the lanes of vectors, in an order of their own. */

/** (0 + 1) + (2 + 3) */
// @ts-ignore: decorator
@inline
export function sumOf4(v: v128): f32 {
  const low = f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1);
  return low + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** The vectors as (a + b) + (c + d), then the lanes of that. */
// @ts-ignore: decorator
@inline
export function sumOf16(a: v128, b: v128, c: v128, d: v128): f32 {
  return sumOf4(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
}
