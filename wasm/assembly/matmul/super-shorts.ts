/**
 * Products of super-blocks with one token where the relaxed dot product is slow (dot-mode.ts): the same sums as in
 * super-vector.ts, of K-quants. Products stay in lanes of 16 bits, two a row, until an instruction that multiplies them by the
 * integer scale of the row widens them and adds them up.
 *
 * The sums of a sub-block fit: 8 products a lane with weights of 0 … 15, 4 with weights of 0 … 31. Weights of 0 … 63 are
 * 32 more than what they stand for. A lane begins with -32 × (sum of its activations); it may wrap on the way, but ends at
 * most at 8 × 32 × 127 = 32512, which is exact.
 */
import {codeBits} from '../formats/codes';
import {Format, Q3_K, Q6_K} from '../formats/format';
import {QUAD_BYTES, codesOffset, hasShortSubs, planesBytes} from '../formats/super-block';
import {hasNibbles, highMask, highNibbles, loadHigh, lowMask, lowNibbles, nextHigh, pairCodes, partsPerHigh} from './codes';
import {dotPairs} from './dot-mode';
import {PAIR_SUMS, superData} from './super-activations';
import {addSums, loadScales} from './super-sums';

// @ts-ignore: decorator
@inline
function addPairs(x: v128, w: v128, sum: v128): v128 {
  return i16x8.add(sum, dotPairs(x, w));
}

/** What the lanes of sub-block `sub` begin with. */
// @ts-ignore: decorator
@inline
function beginning(shape: Format, offset: v128, tail: usize, sub: usize): v128 {
  if (shape != Q6_K && shape != Q3_K) return i16x8.splat(0);
  return i16x8.mul(v128.load32_splat(tail + PAIR_SUMS + sub * 4), offset);
}

/** `sum` and the products times the scales of 4 rows. */
// @ts-ignore: decorator
@inline
function addScaled(sum: v128, products: v128, scales: v128, upper: bool): v128 {
  const both = upper
    ? i16x8.shuffle(scales, scales, 4, 4, 5, 5, 6, 6, 7, 7)
    : i16x8.shuffle(scales, scales, 0, 0, 1, 1, 2, 2, 3, 3);
  return i32x4.add(sum, i32x4.dot_i16x8_s(products, both));
}

/** Adds one compute block of 8 rows to their results at `y`: see `addSuperBlock`. */
// @ts-ignore: decorator
@inline
export function addShortsBlock(shape: Format, block: usize, x: usize, y: usize, unit: f32, offset: i32): void {
  const short = hasShortSubs(shape);
  const tail = x + superData(false);
  const mask = lowMask(shape), mask2 = highMask(shape), minus = i16x8.splat(<i16>(0 - offset));
  let s0 = i32x4.splat(0), s1 = s0;
  let codes = block + codesOffset(shape);
  for (let part: usize = 0; part < 8; part++) {
    // p: the sub-block, or the first of two; q: the second one.
    let p0 = beginning(shape, minus, tail, 2 * part), p1 = p0;
    let q0 = beginning(shape, minus, tail, 2 * part + 1), q1 = q0;
    const scales = loadScales(shape, block, short ? 2 * part : part);
    let plane = codes;
    if (hasNibbles(shape)) {
      let g = loadHigh(shape, QUAD_BYTES, codes, 0), h = loadHigh(shape, QUAD_BYTES, codes + 16, 0);
      // Two turns at once: as few instructions as the registers allow.
      for (let pair: usize = 0; pair < 2; pair++) {
        const u = v128.load(plane), v = v128.load(plane, 16);
        const u2 = v128.load(plane, 32), v2 = v128.load(plane, 48);
        const g2 = nextHigh(shape, g), h2 = nextHigh(shape, h);
        p0 = addPairs(v128.load32_splat(x), lowNibbles(shape, u, g, mask, mask2, u), p0);
        p1 = addPairs(v128.load32_splat(x), lowNibbles(shape, v, h, mask, mask2, v), p1);
        p0 = addPairs(v128.load32_splat(x, 4), lowNibbles(shape, u2, g2, mask, mask2, u), p0);
        p1 = addPairs(v128.load32_splat(x, 4), lowNibbles(shape, v2, h2, mask, mask2, v), p1);
        if (short) {
          q0 = addPairs(v128.load32_splat(x, 16), highNibbles(shape, u, g, mask, mask2, u), q0);
          q1 = addPairs(v128.load32_splat(x, 16), highNibbles(shape, v, h, mask, mask2, v), q1);
          q0 = addPairs(v128.load32_splat(x, 20), highNibbles(shape, u2, g2, mask, mask2, u), q0);
          q1 = addPairs(v128.load32_splat(x, 20), highNibbles(shape, v2, h2, mask, mask2, v), q1);
        } else {
          p0 = addPairs(v128.load32_splat(x, 16), highNibbles(shape, u, g, mask, mask2, u), p0);
          p1 = addPairs(v128.load32_splat(x, 16), highNibbles(shape, v, h, mask, mask2, v), p1);
          p0 = addPairs(v128.load32_splat(x, 20), highNibbles(shape, u2, g2, mask, mask2, u), p0);
          p1 = addPairs(v128.load32_splat(x, 20), highNibbles(shape, v2, h2, mask, mask2, v), p1);
        }
        if (codeBits(shape) == 5) {
          s0 = addScaled(s0, p0, scales, false);
          s1 = addScaled(s1, p1, scales, true);
          p0 = i16x8.splat(0);
          p1 = p0;
        }
        if (partsPerHigh(shape) == 2) {
          g = loadHigh(shape, QUAD_BYTES, codes, 2);
          h = loadHigh(shape, QUAD_BYTES, codes + 16, 2);
        } else {
          g = nextHigh(shape, g2);
          h = nextHigh(shape, h2);
        }
        plane += 64;
        x += 8;
      }
      x += 16;
    } else {
      let g = loadHigh(shape, QUAD_BYTES, codes, 0), h = loadHigh(shape, QUAD_BYTES, codes + 16, 0);
      for (let i: i32 = 0; i < 2; i++) {
        const u = v128.load(plane), v = v128.load(plane, 16);
        p0 = addPairs(v128.load32_splat(x), pairCodes(shape, u, g, 0, mask, mask2), p0);
        p1 = addPairs(v128.load32_splat(x), pairCodes(shape, v, h, 0, mask, mask2), p1);
        p0 = addPairs(v128.load32_splat(x, 4), pairCodes(shape, u, g, 1, mask, mask2), p0);
        p1 = addPairs(v128.load32_splat(x, 4), pairCodes(shape, v, h, 1, mask, mask2), p1);
        q0 = addPairs(v128.load32_splat(x, 16), pairCodes(shape, u, g, 2, mask, mask2), q0);
        q1 = addPairs(v128.load32_splat(x, 16), pairCodes(shape, v, h, 2, mask, mask2), q1);
        q0 = addPairs(v128.load32_splat(x, 20), pairCodes(shape, u, g, 3, mask, mask2), q0);
        q1 = addPairs(v128.load32_splat(x, 20), pairCodes(shape, v, h, 3, mask, mask2), q1);
        g = nextHigh(shape, g);
        h = nextHigh(shape, h);
        plane += 32;
        x += 8;
      }
      x += 16;
    }
    if (codeBits(shape) != 5) {
      s0 = addScaled(s0, p0, scales, false);
      s1 = addScaled(s1, p1, scales, true);
    }
    if (short) {
      const scales2 = loadScales(shape, block, 2 * part + 1);
      s0 = addScaled(s0, q0, scales2, false);
      s1 = addScaled(s1, q1, scales2, true);
    }
    codes += planesBytes(shape);
  }
  addSums(shape, block, tail, y, unit, s0, s1);
}
