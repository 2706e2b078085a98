/**
 * Products of a quad: 16 bytes of weights, which are 4 rows × 4 columns, with 4 columns of a token, of which every lane of
 * the sum, a row, gets four.
 */
import {codeBits, hasTable} from '../formats/codes';
import {E2M1_OFFSET} from '../formats/type-values';
import {Format, MXFP4, NVFP4} from '../formats/format';
import {WORDS_SHIFT} from './block';
import {dot, dotPairs, isSlow, usesWords} from './dot-mode';

/** How products are added up. */
export type Dot = i32;
/** By the relaxed dot product. Activations are bytes. */
export const BYTES: Dot = 0;
/** By products of 16 bits; activations are words (q8-words.ts). The sum is 256 times the wanted one. */
export const WORDS: Dot = 1;
/** By the half of the relaxed dot product: several products in lanes of 16 bits, before they are widened. */
export const SHORTS: Dot = 2;
/** By the same, every product widened at once, because a second one would overflow. */
export const PAIRS: Dot = 3;
/**
 * Weights of 8 bits by the same, with one token: the operand of 7 bits is |x|, and a weight is inverted where x is negative. Inverted
 * it is -w - 1, so that the sum of |x| over the negative x is missing: sums begin with it.
 */
export const SIGNS: Dot = 4;

/** Of the kernels that every format has: in the relaxed core some have others besides. */
export const DOT: Dot = ASC_FEATURE_RELAXED_SIMD ? BYTES : WORDS;

/** For weights of a format. */
export function dotOf(format: Format): Dot {
  if (usesWords(format)) return WORDS;
  return isSlow() ? SHORTS : BYTES;
}

/** For weights of a format with one token. */
export function vectorDotOf(format: Format): Dot {
  return ASC_FEATURE_RELAXED_SIMD && usesWords(format) ? SIGNS : dotOf(format);
}

/** Whether a quad of activations has 8 bytes: words, or magnitudes and signs. */
// @ts-ignore: decorator
@inline
export function isWide(kind: Dot): bool {
  return kind == WORDS || kind == SIGNS;
}

/** The largest operand of a shape's weights. */
// @ts-ignore: decorator
@inline
function largestOperand(shape: Format): i32 {
  if (shape == MXFP4 || shape == NVFP4) return 2 * E2M1_OFFSET;
  return hasTable(shape) ? 127 : (1 << <i32>codeBits(shape)) - 1;
}

/** How many products (of two columns each, with activations of ±127) fit into a lane of 16 bits. */
// @ts-ignore: decorator
@inline
export function productsInShort(shape: Format): i32 {
  return 32767 / (2 * 127 * largestOperand(shape));
}

/** SHORTS, or PAIRS where not even two products fit. */
// @ts-ignore: decorator
@inline
export function shortsOf(shape: Format): Dot {
  return productsInShort(shape) > 1 ? SHORTS : PAIRS;
}

/** Of `quads` products of a sum, how many are added before the sum is widened: all, or what fits, halved till it does. */
// @ts-ignore: decorator
@inline
export function quadsAtOnce(shape: Format, kind: Dot, quads: i32): i32 {
  if (kind != SHORTS || productsInShort(shape) >= quads) return quads;
  return productsInShort(shape) >= quads / 2 ? quads / 2 : quads / 4;
}

/** Bytes of a quad of one token. */
// @ts-ignore: decorator
@inline
export function quadBytes(wide: bool): usize {
  return wide ? 8 : 4;
}

/** Words: x0 and x2 in `even`, 256 x1 and 256 x3 in `odd`. */
// @ts-ignore: decorator
@inline
export function dotWords(even: v128, odd: v128, w: v128, sum: v128): v128 {
  const first = i32x4.add(sum, i32x4.dot_i16x8_s(i16x8.shl(w, 8), even));
  return i32x4.add(first, i32x4.dot_i16x8_s(i16x8.shr_s(w, 8), odd));
}

/** What products are added to, where `sum` is the sum so far. */
// @ts-ignore: decorator
@inline
export function begin(kind: Dot, sum: v128): v128 {
  return kind == SHORTS ? i32x4.splat(0) : sum;
}

/** For activations in registers: bytes `k`, words `k` and `odd`, or magnitudes `k` and signs `odd`. */
// @ts-ignore: decorator
@inline
export function dotLoaded(kind: Dot, k: v128, odd: v128, w: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) {
    if (kind == BYTES) return dot(k, w, sum);
    if (kind == SHORTS) return i16x8.add(sum, dotPairs(k, w));
    if (kind == PAIRS) return i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(dotPairs(k, w)));
    if (kind == SIGNS) return i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(dotPairs(v128.xor(w, odd), k)));
  }
  return dotWords(k, odd, w, sum);
}

/** The sum so far, and what was added up since. */
// @ts-ignore: decorator
@inline
export function finish(kind: Dot, sum: v128, added: v128): v128 {
  return kind == SHORTS ? i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(added)) : added;
}

/** The words, or signs, beside those at `x`; none where activations are bytes. */
// @ts-ignore: decorator
@inline
export function loadOdd(kind: Dot, x: usize): v128 {
  return isWide(kind) ? v128.load32_splat(x, 4) : i32x4.splat(0);
}

/** For the activations at `x`. */
// @ts-ignore: decorator
@inline
export function dotQuad(kind: Dot, x: usize, w: v128, sum: v128): v128 {
  return dotLoaded(kind, v128.load32_splat(x), loadOdd(kind, x), w, sum);
}

/** A sum without the factor that words carry. */
// @ts-ignore: decorator
@inline
export function exactSum(kind: Dot, sum: v128): v128 {
  return kind == WORDS ? i32x4.shr_s(sum, WORDS_SHIFT) : sum;
}
