/** What the kernels of super-blocks share: scales, minima, and how integer sums enter the f32 results. */
import {Format, Q2_K} from '../formats/format';
import {loadF16x4} from '../formats/f16';
import {hasMinima, hasShortSubs, minimaOffset, scalesOffset, subCount} from '../formats/super-block';
import {WORDS_SHIFT} from './block';
import {LONG_SUMS, SHORT_SUMS} from './super-activations';

/** What an integer sum begins with; `sum`: the address of the sum of its activations. */
// @ts-ignore: decorator
@inline
export function startOf(words: bool, offset: i32, sum: usize): v128 {
  return i32x4.splat((-offset * <i32>load<i16>(sum)) << (words ? WORDS_SHIFT : 0));
}

/** The integer scales of a sub-block, 8 rows. */
// @ts-ignore: decorator
@inline
export function loadScales(shape: Format, block: usize, sub: usize): v128 {
  const pointer = block + scalesOffset(shape) + sub * 8;
  if (shape == Q2_K) return v128.and(v128.load8x8_u(pointer), i16x8.splat(15));
  return v128.load8x8_s(pointer);
}

/** The minima of sub-blocks 2 pair and 2 pair + 1: i16 pairs of 4 rows, `upper` of rows 4 to 7. */
// @ts-ignore: decorator
@inline
export function loadMinima(shape: Format, block: usize, pair: usize, upper: bool): v128 {
  if (shape != Q2_K) return v128.load8x8_u(block + minimaOffset(shape) + pair * 16 + (upper ? 8 : 0));
  const pointer = block + scalesOffset(shape) + pair * 16;
  const even = i16x8.shr_u(v128.load8x8_u(pointer), 4), odd = i16x8.shr_u(v128.load8x8_u(pointer, 8), 4);
  return upper
    ? i16x8.shuffle(even, odd, 4, 12, 5, 13, 6, 14, 7, 15)
    : i16x8.shuffle(even, odd, 0, 8, 1, 9, 2, 10, 3, 11);
}

/** The address of the sums of activations that belong to the minima. */
// @ts-ignore: decorator
@inline
export function sumsForMinima(shape: Format, tail: usize): usize {
  return tail + (hasShortSubs(shape) ? SHORT_SUMS : LONG_SUMS);
}

/** Adds the integer sums of 8 rows to their results at `y`, less what the minima take away. `tail`: of the activations. */
// @ts-ignore: decorator
@inline
export function addSums(shape: Format, block: usize, tail: usize, y: usize, unit: f32, s0: v128, s1: v128): void {
  const d = v128.load32_splat(tail);
  const scale = f32x4.mul(d, f32x4.splat(unit));
  let f0 = f32x4.add(v128.load(y), f32x4.mul(f32x4.convert_i32x4_s(s0), f32x4.mul(loadF16x4(block), scale)));
  let f1 = f32x4.add(v128.load(y, 16), f32x4.mul(f32x4.convert_i32x4_s(s1), f32x4.mul(loadF16x4(block + 8), scale)));
  if (hasMinima(shape)) {
    let m0 = i32x4.splat(0), m1 = m0;
    const sums = sumsForMinima(shape, tail);
    for (let pair: usize = 0; pair < subCount(shape) / 2; pair++) {
      const q = v128.load32_splat(sums + pair * 4);
      m0 = i32x4.add(m0, i32x4.dot_i16x8_s(q, loadMinima(shape, block, pair, false)));
      m1 = i32x4.add(m1, i32x4.dot_i16x8_s(q, loadMinima(shape, block, pair, true)));
    }
    f0 = f32x4.sub(f0, f32x4.mul(f32x4.convert_i32x4_s(m0), f32x4.mul(loadF16x4(block + 16), d)));
    f1 = f32x4.sub(f1, f32x4.mul(f32x4.convert_i32x4_s(m1), f32x4.mul(loadF16x4(block + 24), d)));
  }
  v128.store(y, f0);
  v128.store(y, f1, 16);
}
