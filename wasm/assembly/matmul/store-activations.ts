/** How quantised activations of 32 columns, 16 low and 16 high ones, are laid down (block.ts). */

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

/** Parts of 4 columns, each magnitudes, then 255 where a column is negative and 0 elsewhere. */
export function storeSigns(out: usize, low: v128, high: v128): void {
  const zero = i8x16.splat(0);
  storeLanes(out, 8, i8x16.abs(low));
  storeLanes(out + 4, 8, i8x16.lt_s(low, zero));
  storeLanes(out + 32, 8, i8x16.abs(high));
  storeLanes(out + 36, 8, i8x16.lt_s(high, zero));
}

/** Parts of 4 low and 4 high columns: 256 x0, 256 x2 · 16 x16, 16 x18 · x1, x3 · 256 x17, 256 x19. */
export function storeQ4Words(out: usize, step: usize, low: v128, high: v128): void {
  storeLanes(out, step, i16x8.shl(low, 8));
  storeLanes(out + 4, step, i16x8.shr_s(i16x8.shl(high, 8), 4));
  storeLanes(out + 8, step, i16x8.shr_s(low, 8));
  storeLanes(out + 12, step, v128.and(high, i16x8.splat(-256)));
}
