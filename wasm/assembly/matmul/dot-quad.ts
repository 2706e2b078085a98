/**
 * Products of a quad: 16 bytes of weights, which are 4 rows × 4 columns, with 4 columns of a token, of which every lane of
 * the sum, a row, gets four. Activations are bytes for the relaxed dot product, else words (q8-words.ts).
 */
import {WORDS_SHIFT} from './block';
import {dot} from './dot-mode';

/** Whether products are of words; formats that need all 8 bits use words in some modes besides (see usesWords). */
export const WORDS: bool = !ASC_FEATURE_RELAXED_SIMD;

/** Bytes of a quad of one token. */
// @ts-ignore: decorator
@inline
export function quadBytes(words: bool): usize {
  return words ? 8 : 4;
}

/** Words: x0 and x2 in `even`, 256 x1 and 256 x3 in `odd`. The sum is 256 times the wanted one. */
// @ts-ignore: decorator
@inline
export function dotWords(even: v128, odd: v128, w: v128, sum: v128): v128 {
  const first = i32x4.add(sum, i32x4.dot_i16x8_s(i16x8.shl(w, 8), even));
  return i32x4.add(first, i32x4.dot_i16x8_s(i16x8.shr_s(w, 8), odd));
}

/** For activations in registers: bytes `k`, or words `k` and `odd`. */
// @ts-ignore: decorator
@inline
export function dotLoaded(words: bool, k: v128, odd: v128, w: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (!words) return dot(k, w, sum);
  }
  return dotWords(k, odd, w, sum);
}

/** The words beside those at `x`; none where activations are bytes. */
// @ts-ignore: decorator
@inline
export function loadOdd(words: bool, x: usize): v128 {
  return words ? v128.load32_splat(x, 4) : i32x4.splat(0);
}

/** For the activations at `x`. */
// @ts-ignore: decorator
@inline
export function dotQuad(words: bool, x: usize, w: v128, sum: v128): v128 {
  return dotLoaded(words, v128.load32_splat(x), loadOdd(words, x), w, sum);
}

/** A sum without the factor that words carry. */
// @ts-ignore: decorator
@inline
export function exactSum(words: bool, sum: v128): v128 {
  return words ? i32x4.shr_s(sum, WORDS_SHIFT) : sum;
}
