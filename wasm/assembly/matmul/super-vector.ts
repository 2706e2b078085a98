/**
 * Products of super-blocks with one token. Layouts: formats/super-block.ts, super-activations.ts.
 *
 * For every row, in every kernel, super-blocks ascending and in no other order, with exact integer sums:
 *   result = result + f32(sum of scale × (sum of w × q)) × (d of the weights × (d of the activations × unit))
 *   result = result - f32(sum of minimum × (sum of q)) × (dmin × d of the activations)
 */
import {Format, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, TABLE, TABLE_SHORT, TQ2, shapeOf} from '../formats/format';
import {loadF16x4} from '../formats/f16';
import {
  QUAD_BYTES,
  codesOffset,
  hasMinima,
  hasShortSubs,
  minimaOffset,
  planesBytes,
  scalesOffset,
  subCount,
  superBlockBytes,
} from '../formats/super-block';
import {offsetOf, tableOf, unitOf} from '../formats/type-values';
import {WORDS_SHIFT, clearResults} from './block';
import {hasNibbles, highMask, highNibbles, loadHigh, lowMask, lowNibbles, nextHigh, operands, pairCodes, partsPerHigh} from './codes';
import {
  BYTES,
  DOT,
  Dot,
  WORDS,
  begin,
  dotOf,
  dotQuad,
  exactSum,
  finish,
  quadBytes,
  quadsAtOnce,
  shortsOf,
} from './dot-quad';
import {LONG_SUMS, SHORT_SUMS, superBytes, superData} from './super-activations';

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
  const words = kind == WORDS, quad = quadBytes(words), short = hasShortSubs(shape);
  const tail = x + superData(words);
  const mask = lowMask(shape), mask2 = highMask(shape);
  let s0 = i32x4.splat(0), s1 = s0;
  let codes = block + codesOffset(shape);
  for (let part: usize = 0; part < 8; part++) {
    // a: the sub-block, or the first of two; b: the second one.
    let a0 = startOf(words, offset, short ? tail + SHORT_SUMS + part * 4 : tail + LONG_SUMS + part * 2), a1 = a0;
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
        addSuperBlock(shape, kind, group + half * superBlockBytes(shape), x, results + half * 32, unit, offset, table);
      }
      group += stride;
    }
    weights += 2 * superBlockBytes(shape);
    x += superBytes(kind == WORDS);
  }
}

// A function for every shape, and for every kind of sums in it: what does not belong to it is gone when it is compiled.

// prettier-ignore
function q2kVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(Q2_K, DOT, w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function q2kShortsVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(Q2_K, shortsOf(Q2_K), w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function q3kVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(Q3_K, DOT, w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function q3kShortsVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(Q3_K, shortsOf(Q3_K), w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function q4kVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(Q4_K, DOT, w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function q4kShortsVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(Q4_K, shortsOf(Q4_K), w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function q5kVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(Q5_K, DOT, w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function q5kShortsVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(Q5_K, shortsOf(Q5_K), w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function q6kVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(Q6_K, DOT, w, stride, streams, x, y, yStride, blocks, unit, offset, table);
}

// prettier-ignore
function q6kShortsVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(Q6_K, shortsOf(Q6_K), w, stride, streams, x, y, yStride, blocks, unit, offset, table);
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
function tableWordsVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32, unit: f32, offset: i32, table: v128): void {
  multiply(TABLE, WORDS, w, stride, streams, x, y, yStride, blocks, unit, offset, table);
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
  const kind = dotOf(format);
  if (ASC_FEATURE_RELAXED_SIMD && kind != BYTES) {
    if (kind == WORDS) tableWordsVector(w, stride, streams, x, y, yStride, blocks, unit, offset, table);
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
