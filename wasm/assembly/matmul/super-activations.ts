/**
 * Activations for products with super-blocks, quantised in blocks of 256 columns: d = largest |x| / 127, q = x / d
 * rounded half to even.
 *
 * Of 256 columns, for 1 token or a tile of 4:
 *   data     bytes kernels: (64 quads, tokens, 4 × i8)
 *            words kernels: (64 quads, tokens, the words x0, x2, 256 x1, 256 x3)
 *            signs kernels: (64 quads, 4 magnitudes, 4 signs)
 *   128 bytes for every token: f32 d at 0 · i16 sums of 16 columns at 16 · i16 sums of 32 columns at 48 · at 64 two i16 for
 *   16 columns, the sums of those whose number modulo 4 is 0 or 1, and of the others; for signs kernels instead i16 sums
 *   of the magnitudes of what is negative, of 32 columns
 */
import {largestMagnitude, quantise16, sumNegatives, sumPairs} from '../formats/quantise';
import {SUPER_COLUMNS} from '../formats/super-block';
import {quadBytes} from './dot-quad';
import {storeBytes, storeQ8Words, storeSigns} from './store-activations';

/** Bytes of the data of 256 columns of one token, of what follows, and of both. */
// @ts-ignore: decorator
@inline
export function superData(words: bool): usize {
  return 64 * quadBytes(words);
}
export const SUPER_TAIL: usize = 128;
// @ts-ignore: decorator
@inline
export function superBytes(words: bool): usize {
  return superData(words) + SUPER_TAIL;
}

/** Offsets in a tail. */
export const SHORT_SUMS: usize = 16;
export const LONG_SUMS: usize = 48;
export const PAIR_SUMS: usize = 64;
export const NEGATIVE_SUMS: usize = 64;

/** Below this, 1 / d could overflow: such activations count as zero. */
const LEAST_SCALE: f32 = reinterpret<f32>(0x00800000);

/** One f32 row into lane `lane` of a tile of `lanes` tokens. */
export function quantiseSuperRow(
  words: bool,
  x: usize,
  columns: i32,
  out: usize,
  lane: usize,
  lanes: usize,
): void {
  const quad = quadBytes(words), signs = ASC_FEATURE_RELAXED_SIMD && words && lanes == 1;
  for (let column: i32 = 0; column < columns; column += SUPER_COLUMNS) {
    const d = largestMagnitude(x, x + 1024) / 127;
    const vanishes = d < LEAST_SCALE;
    const inverse = f32x4.splat(vanishes ? 0 : 1 / d);
    const tail = out + superData(words) * lanes + SUPER_TAIL * lane;
    store<f32>(tail, vanishes ? 0 : d);
    for (let part: usize = 0; part < 8; part++) {
      const low = quantise16(x, inverse), high = quantise16(x + 64, inverse);
      const target = out + (part * 8 * lanes + lane) * quad;
      if (signs) storeSigns(target, low, high);
      else if (words) storeQ8Words(target, lanes * quad, low, high);
      else storeBytes(target, lanes * quad, low, high);
      const lows = sumPairs(low), highs = sumPairs(high);
      const a = <i32>(<i16>lows) + (lows >> 16), b = <i32>(<i16>highs) + (highs >> 16);
      store<i16>(tail + part * 4, <i16>a, SHORT_SUMS);
      store<i16>(tail + part * 4, <i16>b, SHORT_SUMS + 2);
      store<i16>(tail + part * 2, <i16>(a + b), LONG_SUMS);
      if (signs) store<i16>(tail + part * 2, <i16>sumNegatives(low, high, a + b), NEGATIVE_SUMS);
      else {
        store<i32>(tail + part * 8, lows, PAIR_SUMS);
        store<i32>(tail + part * 8, highs, PAIR_SUMS + 4);
      }
      x += 128;
    }
    out += superBytes(words) * lanes;
  }
}
