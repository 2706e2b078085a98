/**
 * Products of small blocks with one token. Layouts: formats/small-block.ts; activations as for Q8 (block.ts).
 *
 * The order of operations is that of block.ts: blocks ascending, NVFP4 in blocks of 16 columns. Formats with minima then
 * add, blocks ascending: result = result + m × (scale of the activations × their sum).
 */
import {Format, IQ4_NL, MXFP4, NVFP4, Q2, Q5, Q5_MIN} from '../formats/format';
import {NVFP4_UNIT, SMALL_QUAD, codesAt, hasTwoScales, loadScales, scalesAt} from '../formats/small-block';
import {offsetOf, tableOf} from '../formats/type-values';
import {BYTES_BLOCK, WORDS_BLOCK, WORDS_SHIFT, addBlock, addToResults, clearResults, halfStart} from './block';
import {hasNibbles, highMask, highNibbles, loadHigh, lowMask, lowNibbles, nextHigh, operands, pairCodes} from './codes';
import {
  BYTES,
  DOT,
  Dot,
  SIGNS,
  WORDS,
  begin,
  dotLoaded,
  exactSum,
  finish,
  isWide,
  loadOdd,
  quadBytes,
  quadsAtOnce,
  shortsOf,
  vectorDotOf,
} from './dot-quad';

/** `addToResults` for scales that are no f16. */
// @ts-ignore: decorator
@inline
function addScaled(
  format: Format,
  kind: Dot,
  y: usize,
  scales: usize,
  half: i32,
  xScale: v128,
  a0: v128,
  a1: v128,
  a2: v128,
  a3: v128,
): void {
  v128.store(y, addBlock(v128.load(y), exactSum(kind, a0), loadScales(format, scales, half), xScale));
  v128.store(y, addBlock(v128.load(y, 16), exactSum(kind, a1), loadScales(format, scales + 8, half), xScale), 16);
  v128.store(y, addBlock(v128.load(y, 32), exactSum(kind, a2), loadScales(format, scales + 16, half), xScale), 32);
  v128.store(y, addBlock(v128.load(y, 48), exactSum(kind, a3), loadScales(format, scales + 24, half), xScale), 48);
}

/** One block of 16 rows × 32 columns of nibbles, with a fifth bit or a table. `tail`: behind the block's activations. */
// @ts-ignore: decorator
@inline
function addNibbles(format: Format, kind: Dot, scales: usize, codes: usize, x: usize, y: usize, table: v128): void {
  const wide = isWide(kind), quad = quadBytes(wide), tail = x + 8 * quad;
  const mask = lowMask(format), mask2 = highMask(format);
  const start = v128.load32_splat(tail, 4);
  let a0 = start, a1 = start, a2 = start, a3 = start;
  const turns = quadsAtOnce(format, kind, 8) / 2; // each of a low and a high quad
  // Of 5 bits at most: the high plane has one part.
  let h0 = loadHigh(format, SMALL_QUAD, codes, 0), h1 = loadHigh(format, SMALL_QUAD, codes + 16, 0);
  let h2 = loadHigh(format, SMALL_QUAD, codes + 32, 0), h3 = loadHigh(format, SMALL_QUAD, codes + 48, 0);
  let part = codes;
  for (let p: i32 = 0; p < 4; ) {
    let p0 = begin(kind, a0), p1 = begin(kind, a1), p2 = begin(kind, a2), p3 = begin(kind, a3);
    for (const end = p + turns; p < end; p++) {
      const k = v128.load32_splat(x), odd = loadOdd(kind, x);
      const k4 = isWide(kind) ? v128.load32_splat(x, 32) : v128.load32_splat(x, 16);
      const odd4 = loadOdd(kind, x + 4 * quad);
      let w = v128.load(part);
      p0 = dotLoaded(kind, k, odd, lowNibbles(format, w, h0, mask, mask2, table), p0);
      p0 = dotLoaded(kind, k4, odd4, highNibbles(format, w, h0, mask, mask2, table), p0);
      h0 = nextHigh(format, h0);
      w = v128.load(part, 16);
      p1 = dotLoaded(kind, k, odd, lowNibbles(format, w, h1, mask, mask2, table), p1);
      p1 = dotLoaded(kind, k4, odd4, highNibbles(format, w, h1, mask, mask2, table), p1);
      h1 = nextHigh(format, h1);
      w = v128.load(part, 32);
      p2 = dotLoaded(kind, k, odd, lowNibbles(format, w, h2, mask, mask2, table), p2);
      p2 = dotLoaded(kind, k4, odd4, highNibbles(format, w, h2, mask, mask2, table), p2);
      h2 = nextHigh(format, h2);
      w = v128.load(part, 48);
      p3 = dotLoaded(kind, k, odd, lowNibbles(format, w, h3, mask, mask2, table), p3);
      p3 = dotLoaded(kind, k4, odd4, highNibbles(format, w, h3, mask, mask2, table), p3);
      h3 = nextHigh(format, h3);
      part += SMALL_QUAD;
      x += quad;
    }
    a0 = finish(kind, a0, p0);
    a1 = finish(kind, a1, p1);
    a2 = finish(kind, a2, p2);
    a3 = finish(kind, a3, p3);
  }
  const xScale = v128.load32_splat(tail);
  if (format == MXFP4) addScaled(format, kind, y, scales, 0, xScale, a0, a1, a2, a3);
  else addToResults(y, scales, xScale, kind == WORDS ? WORDS_SHIFT : 0, a0, a1, a2, a3);
}

/** The nibbles of NVFP4's columns 0 … 15 (`half` 0) or 16 … 31, as operands. */
// @ts-ignore: decorator
@inline
function halfNibbles(half: i32, w: v128, mask: v128, table: v128): v128 {
  const none = i32x4.splat(0);
  return half ? highNibbles(NVFP4, w, none, mask, none, table) : lowNibbles(NVFP4, w, none, mask, none, table);
}

/** Half a block of NVFP4. The two starts are i16. */
// @ts-ignore: decorator
@inline
function addHalf(half: i32, kind: Dot, scales: usize, codes: usize, x: usize, y: usize, table: v128): void {
  const words = kind == WORDS, quad = quadBytes(words), tail = x + 8 * quad;
  const mask = lowMask(NVFP4);
  const xScale = f32x4.splat(load<f32>(tail) * NVFP4_UNIT);
  const start = halfStart(words, tail + 4, half);
  let a0 = begin(kind, start), a1 = a0, a2 = a0, a3 = a0;
  let columns = x + half * 4 * quad;
  for (let part = codes; part < codes + 4 * SMALL_QUAD; part += SMALL_QUAD) {
    const k = v128.load32_splat(columns), odd = loadOdd(kind, columns);
    a0 = dotLoaded(kind, k, odd, halfNibbles(half, v128.load(part), mask, table), a0);
    a1 = dotLoaded(kind, k, odd, halfNibbles(half, v128.load(part, 16), mask, table), a1);
    a2 = dotLoaded(kind, k, odd, halfNibbles(half, v128.load(part, 32), mask, table), a2);
    a3 = dotLoaded(kind, k, odd, halfNibbles(half, v128.load(part, 48), mask, table), a3);
    columns += quad;
  }
  a0 = finish(kind, start, a0);
  a1 = finish(kind, start, a1);
  a2 = finish(kind, start, a2);
  a3 = finish(kind, start, a3);
  addScaled(NVFP4, kind, y, scales, half, xScale, a0, a1, a2, a3);
}

/** One block of 16 rows × 32 columns of pairs of bits. */
// @ts-ignore: decorator
@inline
function addPairs(format: Format, kind: Dot, scales: usize, codes: usize, x: usize, y: usize): void {
  const quad = quadBytes(isWide(kind)), tail = x + 8 * quad;
  const mask = lowMask(format), none = i32x4.splat(0);
  const start = v128.load32_splat(tail, 4);
  let a0 = begin(kind, start), a1 = a0, a2 = a0, a3 = a0;
  for (let half: i32 = 0; half < 2; half++) {
    const w0 = v128.load(codes), w1 = v128.load(codes, 16), w2 = v128.load(codes, 32), w3 = v128.load(codes, 48);
    // Quads 0, 1, 4 and 5, or 2, 3, 6 and 7.
    let k = v128.load32_splat(x), odd = loadOdd(kind, x);
    a0 = dotLoaded(kind, k, odd, pairCodes(format, w0, none, 0, mask, none), a0);
    a1 = dotLoaded(kind, k, odd, pairCodes(format, w1, none, 0, mask, none), a1);
    a2 = dotLoaded(kind, k, odd, pairCodes(format, w2, none, 0, mask, none), a2);
    a3 = dotLoaded(kind, k, odd, pairCodes(format, w3, none, 0, mask, none), a3);
    x += quad;
    k = v128.load32_splat(x);
    odd = loadOdd(kind, x);
    a0 = dotLoaded(kind, k, odd, pairCodes(format, w0, none, 1, mask, none), a0);
    a1 = dotLoaded(kind, k, odd, pairCodes(format, w1, none, 1, mask, none), a1);
    a2 = dotLoaded(kind, k, odd, pairCodes(format, w2, none, 1, mask, none), a2);
    a3 = dotLoaded(kind, k, odd, pairCodes(format, w3, none, 1, mask, none), a3);
    x += 3 * quad;
    k = v128.load32_splat(x);
    odd = loadOdd(kind, x);
    a0 = dotLoaded(kind, k, odd, pairCodes(format, w0, none, 2, mask, none), a0);
    a1 = dotLoaded(kind, k, odd, pairCodes(format, w1, none, 2, mask, none), a1);
    a2 = dotLoaded(kind, k, odd, pairCodes(format, w2, none, 2, mask, none), a2);
    a3 = dotLoaded(kind, k, odd, pairCodes(format, w3, none, 2, mask, none), a3);
    x += quad;
    k = v128.load32_splat(x);
    odd = loadOdd(kind, x);
    a0 = dotLoaded(kind, k, odd, pairCodes(format, w0, none, 3, mask, none), a0);
    a1 = dotLoaded(kind, k, odd, pairCodes(format, w1, none, 3, mask, none), a1);
    a2 = dotLoaded(kind, k, odd, pairCodes(format, w2, none, 3, mask, none), a2);
    a3 = dotLoaded(kind, k, odd, pairCodes(format, w3, none, 3, mask, none), a3);
    codes += SMALL_QUAD;
    x -= 3 * quad;
  }
  a0 = finish(kind, start, a0);
  a1 = finish(kind, start, a1);
  a2 = finish(kind, start, a2);
  a3 = finish(kind, start, a3);
  addToResults(y, scales, v128.load32_splat(tail), kind == WORDS ? WORDS_SHIFT : 0, a0, a1, a2, a3);
}

// @ts-ignore: decorator
@inline
function multiply(
  format: Format,
  kind: Dot,
  weights: usize,
  stride: usize,
  streams: i32,
  x: usize,
  y: usize,
  yStride: usize,
  blocks: usize,
  table: v128,
): void {
  clearResults(y, yStride, streams);
  const end = y + <usize>streams * yStride;
  for (let block: usize = 0; block < blocks; block++) {
    let scales = weights + scalesAt(format, block);
    for (let results = y; results < end; results += yStride) {
      const codes = scales + codesAt(format, block);
      if (hasTwoScales(format)) {
        addHalf(0, kind, scales, codes, x, results, table);
        addHalf(1, kind, scales, codes, x, results, table);
      } else if (hasNibbles(format)) addNibbles(format, kind, scales, codes, x, results, table);
      else addPairs(format, kind, scales, codes, x, results);
      scales += stride;
    }
    x += isWide(kind) ? WORDS_BLOCK : BYTES_BLOCK;
  }
}

// A function for every format, and for every kind of sums in it: what does not belong to it is gone when it is compiled.

// prettier-ignore
function q5Vector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: usize, table: v128): void {
  multiply(Q5, DOT, w, stride, streams, x, y, yStride, blocks, table);
}

// prettier-ignore
function q5ShortsVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: usize, table: v128): void {
  multiply(Q5, shortsOf(Q5), w, stride, streams, x, y, yStride, blocks, table);
}

// prettier-ignore
function iq4NlVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: usize, table: v128): void {
  multiply(IQ4_NL, DOT, w, stride, streams, x, y, yStride, blocks, table);
}

// prettier-ignore
function iq4NlSignsVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: usize, table: v128): void {
  multiply(IQ4_NL, SIGNS, w, stride, streams, x, y, yStride, blocks, table);
}

// prettier-ignore
function mxfp4Vector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: usize, table: v128): void {
  multiply(MXFP4, DOT, w, stride, streams, x, y, yStride, blocks, table);
}

// prettier-ignore
function mxfp4ShortsVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: usize, table: v128): void {
  multiply(MXFP4, shortsOf(MXFP4), w, stride, streams, x, y, yStride, blocks, table);
}

// prettier-ignore
function nvfp4Vector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: usize, table: v128): void {
  multiply(NVFP4, DOT, w, stride, streams, x, y, yStride, blocks, table);
}

// prettier-ignore
function nvfp4ShortsVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: usize, table: v128): void {
  multiply(NVFP4, shortsOf(NVFP4), w, stride, streams, x, y, yStride, blocks, table);
}

// prettier-ignore
function q2Vector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: usize, table: v128): void {
  multiply(Q2, DOT, w, stride, streams, x, y, yStride, blocks, table);
}

// prettier-ignore
function q2ShortsVector(w: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: usize, table: v128): void {
  multiply(Q2, shortsOf(Q2), w, stride, streams, x, y, yStride, blocks, table);
}

/**
 * `streams` groups of 16 rows, `stride` apart, with one token: 16 f32 for each, `yStride` apart. Minima are left out, and
 * Q4_MIN is none of these: its blocks are those of Q4.
 */
export function smallVector(
  format: Format,
  w: usize,
  stride: usize,
  streams: i32,
  x: usize,
  y: usize,
  yStride: usize,
  blocks: usize,
): void {
  const table = operands(tableOf(format), offsetOf(format));
  const kind = vectorDotOf(format);
  if (ASC_FEATURE_RELAXED_SIMD && kind != BYTES) {
    if (kind == SIGNS) iq4NlSignsVector(w, stride, streams, x, y, yStride, blocks, table);
    else if (format == Q5 || format == Q5_MIN) q5ShortsVector(w, stride, streams, x, y, yStride, blocks, table);
    else if (format == MXFP4) mxfp4ShortsVector(w, stride, streams, x, y, yStride, blocks, table);
    else if (format == NVFP4) nvfp4ShortsVector(w, stride, streams, x, y, yStride, blocks, table);
    else q2ShortsVector(w, stride, streams, x, y, yStride, blocks, table);
    return;
  }
  // The blocks of Q5_MIN are those of Q5; what sums begin with is in the activations.
  if (format == Q5 || format == Q5_MIN) q5Vector(w, stride, streams, x, y, yStride, blocks, table);
  else if (format == MXFP4) mxfp4Vector(w, stride, streams, x, y, yStride, blocks, table);
  else if (format == NVFP4) nvfp4Vector(w, stride, streams, x, y, yStride, blocks, table);
  else if (format == Q2) q2Vector(w, stride, streams, x, y, yStride, blocks, table);
  else iq4NlVector(w, stride, streams, x, y, yStride, blocks, table);
}
