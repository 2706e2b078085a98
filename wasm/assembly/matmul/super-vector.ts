/**
 * Products of super-blocks with one token. Layouts: formats/super-block.ts, super-activations.ts.
 *
 * For every row, in every kernel, super-blocks ascending and in no other order, with exact integer sums:
 *   result = result + f32(sum of scale × (sum of w × q)) × (d of the weights × (d of the activations × unit))
 *   result = result - f32(sum of minimum × (sum of q)) × (dmin × d of the activations)
 */
import {Format, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, TABLE, TABLE_SHORT, TQ2, shapeOf} from '../formats/format';
import {
  QUAD_BYTES,
  codesOffset,
  hasShortSubs,
  planesBytes,
  subCount,
  superBlockBytes,
} from '../formats/super-block';
import {offsetOf, tableOf, unitOf} from '../formats/type-values';
import {clearResults} from './block';
import {hasNibbles, highMask, highNibbles, loadHigh, lowMask, lowNibbles, nextHigh, operands, pairCodes, partsPerHigh} from './codes';
import {
  BYTES,
  DOT,
  Dot,
  SHORTS,
  SIGNS,
  WORDS,
  begin,
  dotQuad,
  exactSum,
  finish,
  isWide,
  quadBytes,
  quadsAtOnce,
  shortsOf,
  vectorDotOf,
} from './dot-quad';
import {LONG_SUMS, NEGATIVE_SUMS, SHORT_SUMS, superBytes, superData} from './super-activations';
import {addShortsBlock} from './super-shorts';
import {addSums, loadScales, startOf} from './super-sums';

/** What a sum of 32 columns begins with where weights are inverted; see SIGNS. */
// @ts-ignore: decorator
@inline
function negativesOf(tail: usize, part: usize): v128 {
  return i32x4.splat(load<i16>(tail + NEGATIVE_SUMS + part * 2));
}

/** Adds one compute block of 8 rows to their results at `y`. `unit`, `offset`, `table`: see formats/type-values.ts. */
// @ts-ignore: decorator
@inline
function addSuperBlock(
  shape: Format,
  kind: Dot,
  block: usize,
  x: usize,
  y: usize,
  unit: f32,
  offset: i32,
  table: v128,
): void {
  const words = kind == WORDS, wide = isWide(kind), quad = quadBytes(wide), short = hasShortSubs(shape);
  const tail = x + superData(wide);
  const mask = lowMask(shape), mask2 = highMask(shape);
  let s0 = i32x4.splat(0), s1 = s0;
  let codes = block + codesOffset(shape);
  for (let part: usize = 0; part < 8; part++) {
    // a: the sub-block, or the first of two; b: the second one.
    let a0 = kind == SIGNS ? negativesOf(tail, part) : startOf(words, offset, short ? tail + SHORT_SUMS + part * 4 : tail + LONG_SUMS + part * 2), a1 = a0;
    let b0 = i32x4.splat(0), b1 = b0;
    if (short) {
      b0 = startOf(words, offset, tail + SHORT_SUMS + 2 + part * 4);
      b1 = b0;
    }
    let plane = codes;
    if (hasNibbles(shape)) {
      const fitting = short ? quadsAtOnce(shape, kind, 4) : quadsAtOnce(shape, kind, 8) / 2;
      const turns = min(fitting, partsPerHigh(shape));
      let g = loadHigh(shape, QUAD_BYTES, codes, 0), h = loadHigh(shape, QUAD_BYTES, codes + 16, 0);
      for (let p: i32 = 0; p < 4; ) {
        let p0 = begin(kind, a0), p1 = begin(kind, a1);
        let q0 = begin(kind, b0), q1 = begin(kind, b1);
        for (const end = p + turns; p < end; p++) {
          const u = v128.load(plane), v = v128.load(plane, 16);
          p0 = dotQuad(kind, x, lowNibbles(shape, u, g, mask, mask2, table), p0);
          p1 = dotQuad(kind, x, lowNibbles(shape, v, h, mask, mask2, table), p1);
          const x4 = x + 4 * quad;
          if (short) {
            q0 = dotQuad(kind, x4, highNibbles(shape, u, g, mask, mask2, table), q0);
            q1 = dotQuad(kind, x4, highNibbles(shape, v, h, mask, mask2, table), q1);
          } else {
            p0 = dotQuad(kind, x4, highNibbles(shape, u, g, mask, mask2, table), p0);
            p1 = dotQuad(kind, x4, highNibbles(shape, v, h, mask, mask2, table), p1);
          }
          g = nextHigh(shape, g);
          h = nextHigh(shape, h);
          plane += 32;
          x += quad;
        }
        if (partsPerHigh(shape) < 4) {
          g = loadHigh(shape, QUAD_BYTES, codes, p & 3);
          h = loadHigh(shape, QUAD_BYTES, codes + 16, p & 3);
        }
        a0 = finish(kind, a0, p0);
        a1 = finish(kind, a1, p1);
        if (short) {
          b0 = finish(kind, b0, q0);
          b1 = finish(kind, b1, q1);
        }
      }
      x += 4 * quad;
    } else {
      // Codes of up to 3 bits: all products of a sub-block fit.
      let p0 = begin(kind, a0), p1 = begin(kind, a1), q0 = begin(kind, b0), q1 = begin(kind, b1);
      let gu = loadHigh(shape, QUAD_BYTES, codes, 0), gv = loadHigh(shape, QUAD_BYTES, codes + 16, 0);
      for (let h: i32 = 0; h < 2; h++) {
        const u = v128.load(plane), v = v128.load(plane, 16);
        p0 = dotQuad(kind, x, pairCodes(shape, u, gu, 0, mask, mask2), p0);
        p1 = dotQuad(kind, x, pairCodes(shape, v, gv, 0, mask, mask2), p1);
        p0 = dotQuad(kind, x + quad, pairCodes(shape, u, gu, 1, mask, mask2), p0);
        p1 = dotQuad(kind, x + quad, pairCodes(shape, v, gv, 1, mask, mask2), p1);
        const x4 = x + 4 * quad, x5 = x + 5 * quad;
        const c0 = pairCodes(shape, u, gu, 2, mask, mask2), c1 = pairCodes(shape, v, gv, 2, mask, mask2);
        const d0 = pairCodes(shape, u, gu, 3, mask, mask2), d1 = pairCodes(shape, v, gv, 3, mask, mask2);
        if (short) {
          q0 = dotQuad(kind, x5, d0, dotQuad(kind, x4, c0, q0));
          q1 = dotQuad(kind, x5, d1, dotQuad(kind, x4, c1, q1));
        } else {
          p0 = dotQuad(kind, x5, d0, dotQuad(kind, x4, c0, p0));
          p1 = dotQuad(kind, x5, d1, dotQuad(kind, x4, c1, p1));
        }
        gu = nextHigh(shape, gu);
        gv = nextHigh(shape, gv);
        plane += 32;
        x += 2 * quad;
      }
      a0 = finish(kind, a0, p0);
      a1 = finish(kind, a1, p1);
      if (short) {
        b0 = finish(kind, b0, q0);
        b1 = finish(kind, b1, q1);
      }
      x += 4 * quad;
    }
    a0 = exactSum(kind, a0);
    a1 = exactSum(kind, a1);
    if (subCount(shape) == 0) {
      s0 = i32x4.add(s0, a0);
      s1 = i32x4.add(s1, a1);
    } else {
      const scales = loadScales(shape, block, short ? 2 * part : part);
      s0 = i32x4.add(s0, i32x4.mul(a0, i32x4.extend_low_i16x8_s(scales)));
      s1 = i32x4.add(s1, i32x4.mul(a1, i32x4.extend_high_i16x8_s(scales)));
      if (short) {
        const scales2 = loadScales(shape, block, 2 * part + 1);
        s0 = i32x4.add(s0, i32x4.mul(exactSum(kind, b0), i32x4.extend_low_i16x8_s(scales2)));
        s1 = i32x4.add(s1, i32x4.mul(exactSum(kind, b1), i32x4.extend_high_i16x8_s(scales2)));
      }
    }
    codes += planesBytes(shape);
  }
  addSums(shape, block, tail, y, unit, s0, s1);
}

// @ts-ignore: decorator
@inline
function multiply(
  shape: Format,
  kind: Dot,
  weights: usize,
  stride: usize,
  streams: i32,
  x: usize,
  y: usize,
  yStride: usize,
  blocks: i32,
  unit: f32,
  offset: i32,
  table: v128,
): void {
  clearResults(y, yStride, streams);
  const end = y + <usize>streams * yStride;
  for (let block = 0; block < blocks; block++) {
    let group = weights;
    for (let results = y; results < end; results += yStride) {
      for (let half: usize = 0; half < 2; half++) {
        const at = group + half * superBlockBytes(shape), to = results + half * 32;
        if (ASC_FEATURE_RELAXED_SIMD && kind == SHORTS && subCount(shape)) addShortsBlock(shape, at, x, to, unit, offset);
        else addSuperBlock(shape, kind, at, x, to, unit, offset, table);
      }
      group += stride;
    }
    weights += 2 * superBlockBytes(shape);
    x += superBytes(isWide(kind));
  }
}

// A function for every shape, and for every kind of sums in it: what does not belong to it is gone when it is compiled.

// prettier-ignore
function q2kVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(Q2_K, DOT, w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function q2kShortsVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(Q2_K, SHORTS, w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function q3kVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(Q3_K, DOT, w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function q3kShortsVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(Q3_K, SHORTS, w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function q4kVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(Q4_K, DOT, w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function q4kShortsVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(Q4_K, SHORTS, w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function q5kVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(Q5_K, DOT, w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function q5kShortsVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(Q5_K, SHORTS, w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function q6kVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(Q6_K, DOT, w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function q6kShortsVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(Q6_K, SHORTS, w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function tq2Vector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(TQ2, DOT, w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function tq2ShortsVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(TQ2, shortsOf(TQ2), w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function tableVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(TABLE, DOT, w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function tableShortsVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(TABLE, shortsOf(TABLE), w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function shortTableVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(TABLE_SHORT, DOT, w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function shortTableShortsVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(TABLE_SHORT, shortsOf(TABLE_SHORT), w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function tableSignsVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(TABLE, SIGNS, w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

/** `streams` groups of 16 rows, `stride` apart, with one token: 16 f32 for each, `yStride` apart. */
export function superVector(
  format: Format,
  w: usize,
  stride: usize,
  streams: i32,
  x: usize,
  y: usize,
  yStride: usize,
  blocks: i32,
): void {
  const shape = shapeOf(format), unit = unitOf(format), offset = offsetOf(format);
  const table = operands(tableOf(format), offset);
  const kind = vectorDotOf(format);
  if (ASC_FEATURE_RELAXED_SIMD && kind != BYTES) {
    if (kind == SIGNS) tableSignsVector(w, stride, streams, x, y, yStride, blocks, unit, offset, table);
    else if (shape == Q4_K) q4kShortsVector(w, stride, streams, x, y, yStride, blocks, unit, offset, table);
    else if (shape == Q6_K) q6kShortsVector(w, stride, streams, x, y, yStride, blocks, unit, offset, table);
    else if (shape == Q5_K) q5kShortsVector(w, stride, streams, x, y, yStride, blocks, unit, offset, table);
    else if (shape == Q3_K) q3kShortsVector(w, stride, streams, x, y, yStride, blocks, unit, offset, table);
    else if (shape == Q2_K) q2kShortsVector(w, stride, streams, x, y, yStride, blocks, unit, offset, table);
    else if (shape == TQ2) tq2ShortsVector(w, stride, streams, x, y, yStride, blocks, unit, offset, table);
    else if (shape == TABLE) tableShortsVector(w, stride, streams, x, y, yStride, blocks, unit, offset, table);
    else shortTableShortsVector(w, stride, streams, x, y, yStride, blocks, unit, offset, table);
    return;
  }
  if (shape == Q4_K) q4kVector(w, stride, streams, x, y, yStride, blocks, unit, offset, table);
  else if (shape == Q6_K) q6kVector(w, stride, streams, x, y, yStride, blocks, unit, offset, table);
  else if (shape == Q5_K) q5kVector(w, stride, streams, x, y, yStride, blocks, unit, offset, table);
  else if (shape == Q3_K) q3kVector(w, stride, streams, x, y, yStride, blocks, unit, offset, table);
  else if (shape == Q2_K) q2kVector(w, stride, streams, x, y, yStride, blocks, unit, offset, table);
  else if (shape == TQ2) tq2Vector(w, stride, streams, x, y, yStride, blocks, unit, offset, table);
  else if (shape == TABLE) tableVector(w, stride, streams, x, y, yStride, blocks, unit, offset, table);
  else shortTableVector(w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}
