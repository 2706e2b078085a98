/**
 * Products of super-blocks with a tile of 4 tokens. A group's codes are first expanded to bytes, once for all tiles, so
 * that the kernel is the same for all formats.
 *
 * Expanded super-block, 8 rows × 256 columns:
 *   64 quads × 32     the operand of the products
 *   subs × 32         integer scales, i32
 *   subs / 2 × 32     minima, pairs of i16; shapes with minima only
 *   32, 32            d and dmin, f32
 */
import {Format, Q2_K, Q3_K, Q4_K, Q5_K, Q6_K, TABLE, TABLE_SHORT, TQ2, shapeOf} from '../formats/format';
import {loadF16x4} from '../formats/f16';
import {
  QUAD_BYTES,
  SUPER_COLUMNS,
  codesOffset,
  hasMinima,
  hasShortSubs,
  planesBytes,
  subCount,
  superBlockBytes,
} from '../formats/super-block';
import {offsetOf, tableOf, unitOf} from '../formats/type-values';
import {hasNibbles, highMask, highNibbles, loadHigh, lowMask, lowNibbles, nextHigh, operands, pairCodes, partsPerHigh} from './codes';
import {
  BYTES,
  DOT,
  Dot,
  PAIRS,
  SHORTS,
  WORDS,
  begin,
  dotOf,
  dotQuad,
  exactSum,
  finish,
  quadBytes,
  quadsAtOnce,
} from './dot-quad';
import {LONG_SUMS, SHORT_SUMS, SUPER_TAIL, superBytes, superData} from './super-activations';
import {loadMinima, loadScales, startOf} from './super-sums';

const QUADS_BYTES: usize = 64 * QUAD_BYTES;

/** TQ2 has no integer scales: it gets scales of 1. */
// @ts-ignore: decorator
@inline
function expandedSubs(short: bool): usize {
  return short ? 16 : 8;
}

/** Bytes of an expanded super-block of 8 rows. */
// @ts-ignore: decorator
@inline
export function expandedBytes(short: bool, minima: bool): usize {
  const subs = expandedSubs(short);
  return QUADS_BYTES + subs * 32 + (minima ? subs * 16 + 64 : 32);
}

/** Bytes of an expanded group of 16 rows. */
export function expandedGroupBytes(format: Format, columns: i32): usize {
  const shape = shapeOf(format);
  return <usize>(columns / SUPER_COLUMNS) * 2 * expandedBytes(hasShortSubs(shape), hasMinima(shape));
}

// @ts-ignore: decorator
@inline
function expandCodes(shape: Format, codes: usize, out: usize, table: v128): void {
  const mask = lowMask(shape), mask2 = highMask(shape);
  for (let part = 0; part < 8; part++) {
    for (let rows: usize = 0; rows < 32; rows += 16) {
      if (hasNibbles(shape)) {
        for (let p: i32 = 0; p < 4; ) {
          let h = loadHigh(shape, QUAD_BYTES, codes + rows, p);
          for (const end = p + partsPerHigh(shape); p < end; p++) {
            const u = v128.load(codes + rows + p * 32);
            v128.store(out + rows + p * QUAD_BYTES, lowNibbles(shape, u, h, mask, mask2, table));
            v128.store(out + rows + (p + 4) * QUAD_BYTES, highNibbles(shape, u, h, mask, mask2, table));
            h = nextHigh(shape, h);
          }
        }
      } else {
        let high = loadHigh(shape, QUAD_BYTES, codes + rows, 0);
        for (let h: i32 = 0; h < 2; h++) {
          const u = v128.load(codes + rows + h * 32);
          const to = out + rows + 2 * h * QUAD_BYTES;
          v128.store(to, pairCodes(shape, u, high, 0, mask, mask2));
          v128.store(to + QUAD_BYTES, pairCodes(shape, u, high, 1, mask, mask2));
          v128.store(to + 4 * QUAD_BYTES, pairCodes(shape, u, high, 2, mask, mask2));
          v128.store(to + 5 * QUAD_BYTES, pairCodes(shape, u, high, 3, mask, mask2));
          high = nextHigh(shape, high);
        }
      }
    }
    codes += planesBytes(shape);
    out += 8 * QUAD_BYTES;
  }
}

/** One compute block of 8 rows at `block` as an expanded super-block at `out`. */
// @ts-ignore: decorator
@inline
function expand(shape: Format, block: usize, out: usize, table: v128): void {
  const short = hasShortSubs(shape);
  expandCodes(shape, block + codesOffset(shape), out, table);
  out += QUADS_BYTES;
  for (let sub: usize = 0; sub < expandedSubs(short); sub++) {
    const scales = subCount(shape) ? loadScales(shape, block, sub) : i16x8.splat(1);
    v128.store(out, i32x4.extend_low_i16x8_s(scales));
    v128.store(out, i32x4.extend_high_i16x8_s(scales), 16);
    out += 32;
  }
  if (hasMinima(shape)) {
    for (let pair: usize = 0; pair < subCount(shape) / 2; pair++) {
      v128.store(out, loadMinima(shape, block, pair, false));
      v128.store(out, loadMinima(shape, block, pair, true), 16);
      out += 32;
    }
    v128.store(out, loadF16x4(block + 16), 32);
    v128.store(out, loadF16x4(block + 24), 48);
  }
  v128.store(out, loadF16x4(block));
  v128.store(out, loadF16x4(block + 8), 16);
}

/** A group of 16 rows: the super-blocks of rows 0 to 7, then those of rows 8 to 15. */
// @ts-ignore: decorator
@inline
function expandRows(shape: Format, weights: usize, blocks: i32, out: usize, values: v128): void {
  const step = expandedBytes(hasShortSubs(shape), hasMinima(shape));
  for (let half: usize = 0; half < 2; half++) {
    let block = weights + half * superBlockBytes(shape);
    for (let i = 0; i < blocks; i++) {
      expand(shape, block, out, values);
      block += 2 * superBlockBytes(shape);
      out += step;
    }
  }
}

// prettier-ignore
function expandQ2k(weights: usize, blocks: i32, out: usize, values: v128): void {
  expandRows(Q2_K, weights, blocks, out, values);
}

// prettier-ignore
function expandQ3k(weights: usize, blocks: i32, out: usize, values: v128): void {
  expandRows(Q3_K, weights, blocks, out, values);
}

// prettier-ignore
function expandQ4k(weights: usize, blocks: i32, out: usize, values: v128): void {
  expandRows(Q4_K, weights, blocks, out, values);
}

// prettier-ignore
function expandQ5k(weights: usize, blocks: i32, out: usize, values: v128): void {
  expandRows(Q5_K, weights, blocks, out, values);
}

// prettier-ignore
function expandQ6k(weights: usize, blocks: i32, out: usize, values: v128): void {
  expandRows(Q6_K, weights, blocks, out, values);
}

// prettier-ignore
function expandTq2(weights: usize, blocks: i32, out: usize, values: v128): void {
  expandRows(TQ2, weights, blocks, out, values);
}

// prettier-ignore
function expandTable(weights: usize, blocks: i32, out: usize, values: v128): void {
  expandRows(TABLE, weights, blocks, out, values);
}

// prettier-ignore
function expandTableShort(weights: usize, blocks: i32, out: usize, values: v128): void {
  expandRows(TABLE_SHORT, weights, blocks, out, values);
}

/** A group of a matrix, expanded at `out`. */
export function expandGroup(format: Format, weights: usize, blocks: i32, out: usize): void {
  const shape = shapeOf(format);
  const values = operands(tableOf(format), offsetOf(format));
  if (shape == Q4_K) expandQ4k(weights, blocks, out, values);
  else if (shape == Q6_K) expandQ6k(weights, blocks, out, values);
  else if (shape == Q5_K) expandQ5k(weights, blocks, out, values);
  else if (shape == Q3_K) expandQ3k(weights, blocks, out, values);
  else if (shape == Q2_K) expandQ2k(weights, blocks, out, values);
  else if (shape == TQ2) expandTq2(weights, blocks, out, values);
  else if (shape == TABLE) expandTable(weights, blocks, out, values);
  else expandTableShort(weights, blocks, out, values);
}

/** The integer sums of a super-block: (4 tokens, 8 rows) i32. */
const sums = memory.data(128, 16);

/** Adds a sub-block's sums, times its scales, to those of token `token`. */
// @ts-ignore: decorator
@inline
function addSums(kind: Dot, token: usize, a: v128, b: v128, s: v128, t: v128): void {
  const at = sums + token * 32;
  v128.store(at, i32x4.add(v128.load(at), i32x4.mul(exactSum(kind, a), s)));
  v128.store(at, i32x4.add(v128.load(at, 16), i32x4.mul(exactSum(kind, b), t)), 16);
}

/** The integer sums of one expanded super-block. `x`: a tile of 256 columns; `atOnce`: see `quadsAtOnce`. */
// @ts-ignore: decorator
@inline
function sumTile(short: bool, kind: Dot, atOnce: usize, w: usize, x: usize, offset: i32): void {
  memory.fill(sums, 0, 128);
  const words = kind == WORDS, quad = quadBytes(words), quads: usize = short ? 4 : 8;
  const tail = x + 4 * superData(words) + (short ? SHORT_SUMS : LONG_SUMS);
  let scales = w + QUADS_BYTES;
  for (let sub: usize = 0; sub < expandedSubs(short); sub++) {
    const start = tail + sub * 2;
    let a0 = startOf(words, offset, start), a1 = startOf(words, offset, start + SUPER_TAIL);
    let a2 = startOf(words, offset, start + 2 * SUPER_TAIL), a3 = startOf(words, offset, start + 3 * SUPER_TAIL);
    let b0 = a0, b1 = a1, b2 = a2, b3 = a3;
    const last = w + quads * QUAD_BYTES;
    do {
      let p0 = begin(kind, a0), p1 = begin(kind, a1), p2 = begin(kind, a2), p3 = begin(kind, a3);
      let q0 = begin(kind, b0), q1 = begin(kind, b1), q2 = begin(kind, b2), q3 = begin(kind, b3);
      for (const end = w + atOnce * QUAD_BYTES; w < end; w += QUAD_BYTES) {
        const u = v128.load(w), v = v128.load(w, 16);
        p0 = dotQuad(kind, x, u, p0);
        q0 = dotQuad(kind, x, v, q0);
        p1 = dotQuad(kind, x + quad, u, p1);
        q1 = dotQuad(kind, x + quad, v, q1);
        p2 = dotQuad(kind, x + 2 * quad, u, p2);
        q2 = dotQuad(kind, x + 2 * quad, v, q2);
        p3 = dotQuad(kind, x + 3 * quad, u, p3);
        q3 = dotQuad(kind, x + 3 * quad, v, q3);
        x += 4 * quad;
      }
      a0 = finish(kind, a0, p0);
      b0 = finish(kind, b0, q0);
      a1 = finish(kind, a1, p1);
      b1 = finish(kind, b1, q1);
      a2 = finish(kind, a2, p2);
      b2 = finish(kind, b2, q2);
      a3 = finish(kind, a3, p3);
      b3 = finish(kind, b3, q3);
    } while (atOnce < quads && w < last);
    const s = v128.load(scales), t = v128.load(scales, 16);
    addSums(kind, 0, a0, b0, s, t);
    addSums(kind, 1, a1, b1, s, t);
    addSums(kind, 2, a2, b2, s, t);
    addSums(kind, 3, a3, b3, s, t);
    scales += 32;
  }
}

/** Adds the sums of one token, and takes away its minima; `w`: behind the expanded scales. */
// @ts-ignore: decorator
@inline
function addToken(short: bool, minima: bool, token: usize, w: usize, tail: usize, y: usize, unit: f32): void {
  const d = v128.load32_splat(tail);
  const scale = f32x4.mul(d, f32x4.splat(unit));
  const scales = w + (minima ? expandedSubs(short) * 16 : 0);
  const s0 = f32x4.convert_i32x4_s(v128.load(sums + token * 32));
  const s1 = f32x4.convert_i32x4_s(v128.load(sums + token * 32, 16));
  let f0 = f32x4.add(v128.load(y), f32x4.mul(s0, f32x4.mul(v128.load(scales), scale)));
  let f1 = f32x4.add(v128.load(y, 16), f32x4.mul(s1, f32x4.mul(v128.load(scales, 16), scale)));
  if (minima) {
    let m0 = i32x4.splat(0), m1 = m0;
    let q = tail + (short ? SHORT_SUMS : LONG_SUMS);
    for (let pair = w; pair < scales; pair += 32) {
      const pairOfSums = v128.load32_splat(q);
      m0 = i32x4.add(m0, i32x4.dot_i16x8_s(pairOfSums, v128.load(pair)));
      m1 = i32x4.add(m1, i32x4.dot_i16x8_s(pairOfSums, v128.load(pair, 16)));
      q += 4;
    }
    f0 = f32x4.sub(f0, f32x4.mul(f32x4.convert_i32x4_s(m0), f32x4.mul(v128.load(scales, 32), d)));
    f1 = f32x4.sub(f1, f32x4.mul(f32x4.convert_i32x4_s(m1), f32x4.mul(v128.load(scales, 48), d)));
  }
  v128.store(y, f0);
  v128.store(y, f1, 16);
}

// @ts-ignore: decorator
@inline
function multiply(
  short: bool,
  minima: bool,
  kind: Dot,
  atOnce: usize,
  w: usize,
  x: usize,
  y: usize,
  blocks: i32,
  yStride: usize,
  unit: f32,
  offset: i32,
): void {
  const words = kind == WORDS;
  for (let token: usize = 0; token < 4; token++) memory.fill(y + token * yStride, 0, 32);
  for (let block = 0; block < blocks; block++) {
    sumTile(short, kind, atOnce, w, x, offset);
    const behind = w + QUADS_BYTES + expandedSubs(short) * 32;
    for (let token: usize = 0; token < 4; token++) {
      const tail = x + 4 * superData(words) + token * SUPER_TAIL;
      addToken(short, minima, token, behind, tail, y + token * yStride, unit);
    }
    w += expandedBytes(short, minima);
    x += 4 * superBytes(words);
  }
}

// A function for every form of expanded super-blocks and kind of sums.

// prettier-ignore
function shortMinimaTile(w: usize, x: usize, y: usize, blocks: i32, yStride: usize, unit: f32, offset: i32): void {
  multiply(true, true, DOT, 4, w, x, y, blocks, yStride, unit, offset);
}

// prettier-ignore
function minimaTile(w: usize, x: usize, y: usize, blocks: i32, yStride: usize, unit: f32, offset: i32): void {
  multiply(false, true, DOT, 8, w, x, y, blocks, yStride, unit, offset);
}

// prettier-ignore
function shortTile(w: usize, x: usize, y: usize, blocks: i32, yStride: usize, unit: f32, offset: i32): void {
  multiply(true, false, DOT, 4, w, x, y, blocks, yStride, unit, offset);
}

// prettier-ignore
function longTile(w: usize, x: usize, y: usize, blocks: i32, yStride: usize, unit: f32, offset: i32): void {
  multiply(false, false, DOT, 8, w, x, y, blocks, yStride, unit, offset);
}

// prettier-ignore
function longWordsTile(w: usize, x: usize, y: usize, blocks: i32, yStride: usize, unit: f32, offset: i32): void {
  multiply(false, false, WORDS, 8, w, x, y, blocks, yStride, unit, offset);
}

// prettier-ignore
function q2kShortsTile(w: usize, x: usize, y: usize, blocks: i32, yStride: usize, unit: f32, offset: i32): void {
  multiply(true, true, SHORTS, quadsAtOnce(Q2_K, SHORTS, 4), w, x, y, blocks, yStride, unit, offset);
}

// prettier-ignore
function q4kShortsTile(w: usize, x: usize, y: usize, blocks: i32, yStride: usize, unit: f32, offset: i32): void {
  multiply(false, true, SHORTS, quadsAtOnce(Q4_K, SHORTS, 8), w, x, y, blocks, yStride, unit, offset);
}

// prettier-ignore
function q5kShortsTile(w: usize, x: usize, y: usize, blocks: i32, yStride: usize, unit: f32, offset: i32): void {
  multiply(false, true, SHORTS, quadsAtOnce(Q5_K, SHORTS, 8), w, x, y, blocks, yStride, unit, offset);
}

/** Of Q6_K and Q3_K. */
// prettier-ignore
function q6kShortsTile(w: usize, x: usize, y: usize, blocks: i32, yStride: usize, unit: f32, offset: i32): void {
  multiply(true, false, SHORTS, quadsAtOnce(Q6_K, SHORTS, 4), w, x, y, blocks, yStride, unit, offset);
}

// prettier-ignore
function shortPairsTile(w: usize, x: usize, y: usize, blocks: i32, yStride: usize, unit: f32, offset: i32): void {
  multiply(true, false, PAIRS, 4, w, x, y, blocks, yStride, unit, offset);
}

/** Of TABLE and TQ2. */
// prettier-ignore
function longPairsTile(w: usize, x: usize, y: usize, blocks: i32, yStride: usize, unit: f32, offset: i32): void {
  multiply(false, false, PAIRS, 8, w, x, y, blocks, yStride, unit, offset);
}

/** 8 rows, expanded, with a tile of 4 tokens. */
export function superTile(format: Format, w: usize, x: usize, y: usize, blocks: i32, yStride: usize): void {
  const shape = shapeOf(format), unit = unitOf(format), offset = offsetOf(format);
  const kind = dotOf(format);
  if (ASC_FEATURE_RELAXED_SIMD && kind != BYTES) {
    if (kind == WORDS) longWordsTile(w, x, y, blocks, yStride, unit, offset);
    else if (shape == Q4_K) q4kShortsTile(w, x, y, blocks, yStride, unit, offset);
    else if (shape == Q5_K) q5kShortsTile(w, x, y, blocks, yStride, unit, offset);
    else if (shape == Q2_K) q2kShortsTile(w, x, y, blocks, yStride, unit, offset);
    else if (shape == Q6_K || shape == Q3_K) q6kShortsTile(w, x, y, blocks, yStride, unit, offset);
    else if (hasShortSubs(shape)) shortPairsTile(w, x, y, blocks, yStride, unit, offset);
    else longPairsTile(w, x, y, blocks, yStride, unit, offset);
    return;
  }
  if (hasMinima(shape)) {
    if (hasShortSubs(shape)) shortMinimaTile(w, x, y, blocks, yStride, unit, offset);
    else minimaTile(w, x, y, blocks, yStride, unit, offset);
  } else if (hasShortSubs(shape)) shortTile(w, x, y, blocks, yStride, unit, offset);
  else longTile(w, x, y, blocks, yStride, unit, offset);
}
