/**
 * Q4 with the relaxed dot product, or its half: i8 activations, nibbles 0 … 15 as the 7-bit operand. Layouts:
 * formats/q4.ts, block.ts.
 */
import {Q4_BLOCK_BYTES} from '../formats/format';
import {addBlock, addToResults, BYTES_BLOCK, BYTES_TILE_BLOCK, clearResults, storeTile} from './block';
import {BYTES, Dot, SHORTS, begin, dotLoaded, finish} from './dot-quad';

/** 15 in every byte. Loaded, not written as a constant: engines rebuild constants at every use. */
const nibbles = memory.data<u8>([15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15], 16);

// @ts-ignore: decorator
@inline
function dotNibbles(kind: Dot, low: v128, high: v128, nibbles: v128, mask: v128, sum: v128): v128 {
  sum = dotBytes(kind, low, v128.and(nibbles, mask), sum);
  return dotBytes(kind, high, v128.and(i16x8.shr_u(nibbles, 4), mask), sum);
}

// @ts-ignore: decorator
@inline
function dotBytes(kind: Dot, k: v128, w: v128, sum: v128): v128 {
  return dotLoaded(kind, k, k, w, sum);
}

// @ts-ignore: decorator
@inline
function multiplyVector(
  kind: Dot,
  weights: usize,
  stride: usize,
  streams: i32,
  x: usize,
  y: usize,
  yStride: usize,
  blocks: i32,
): void {
  const mask = v128.load(nibbles);
  const end = y + <usize>streams * yStride;
  clearResults(y, yStride, streams);
  for (let block = 0; block < blocks; block++) {
    let group = weights;
    for (let results = y; results < end; results += yStride) {
      const start = v128.load32_splat(x, 36);
      let a0 = begin(kind, start), a1 = a0, a2 = a0, a3 = a0;
      let part = group;
      let columns = x;
      while (columns < x + 16) {
        const low = v128.load32_splat(columns), high = v128.load32_splat(columns, 16);
        a0 = dotNibbles(kind, low, high, v128.load(part, 32), mask, a0);
        a1 = dotNibbles(kind, low, high, v128.load(part, 48), mask, a1);
        a2 = dotNibbles(kind, low, high, v128.load(part, 64), mask, a2);
        a3 = dotNibbles(kind, low, high, v128.load(part, 80), mask, a3);
        part += 64;
        columns += 4;
      }
      a0 = finish(kind, start, a0);
      a1 = finish(kind, start, a1);
      a2 = finish(kind, start, a2);
      a3 = finish(kind, start, a3);
      addToResults(results, group, v128.load32_splat(x, 32), 0, a0, a1, a2, a3);
      group += stride;
    }
    weights += Q4_BLOCK_BYTES;
    x += BYTES_BLOCK;
  }
}

// @ts-ignore: decorator
@inline
function multiplyTile(
  kind: Dot,
  weights: usize,
  scales: usize,
  x: usize,
  y: usize,
  blocks: i32,
  yStride: usize,
): void {
  const mask = v128.load(nibbles);
  let f0 = f32x4.splat(0), f1 = f0, f2 = f0, f3 = f0, g0 = f0, g1 = f0, g2 = f0, g3 = f0;
  for (let block = 0; block < blocks; block++) {
    let a0 = begin(kind, v128.load32_splat(x, 144)), a1 = begin(kind, v128.load32_splat(x, 148));
    let a2 = begin(kind, v128.load32_splat(x, 152)), a3 = begin(kind, v128.load32_splat(x, 156));
    let b0 = a0, b1 = a1, b2 = a2, b3 = a3;
    let part = weights;
    let columns = x;
    while (columns < x + 64) {
      const p = v128.load(part, 32), q = v128.load(part, 48);
      let u = v128.and(p, mask), v = v128.and(q, mask);
      let k = v128.load32_splat(columns);
      a0 = dotBytes(kind, k, u, a0);
      b0 = dotBytes(kind, k, v, b0);
      k = v128.load32_splat(columns, 4);
      a1 = dotBytes(kind, k, u, a1);
      b1 = dotBytes(kind, k, v, b1);
      k = v128.load32_splat(columns, 8);
      a2 = dotBytes(kind, k, u, a2);
      b2 = dotBytes(kind, k, v, b2);
      k = v128.load32_splat(columns, 12);
      a3 = dotBytes(kind, k, u, a3);
      b3 = dotBytes(kind, k, v, b3);
      u = v128.and(i16x8.shr_u(p, 4), mask);
      v = v128.and(i16x8.shr_u(q, 4), mask);
      k = v128.load32_splat(columns, 64);
      a0 = dotBytes(kind, k, u, a0);
      b0 = dotBytes(kind, k, v, b0);
      k = v128.load32_splat(columns, 68);
      a1 = dotBytes(kind, k, u, a1);
      b1 = dotBytes(kind, k, v, b1);
      k = v128.load32_splat(columns, 72);
      a2 = dotBytes(kind, k, u, a2);
      b2 = dotBytes(kind, k, v, b2);
      k = v128.load32_splat(columns, 76);
      a3 = dotBytes(kind, k, u, a3);
      b3 = dotBytes(kind, k, v, b3);
      part += 64;
      columns += 16;
    }
    let start = v128.load32_splat(x, 144);
    a0 = finish(kind, start, a0);
    b0 = finish(kind, start, b0);
    start = v128.load32_splat(x, 148);
    a1 = finish(kind, start, a1);
    b1 = finish(kind, start, b1);
    start = v128.load32_splat(x, 152);
    a2 = finish(kind, start, a2);
    b2 = finish(kind, start, b2);
    start = v128.load32_splat(x, 156);
    a3 = finish(kind, start, a3);
    b3 = finish(kind, start, b3);
    const d = v128.load(scales), e = v128.load(scales, 16);
    let scale = v128.load32_splat(x, 128);
    f0 = addBlock(f0, a0, d, scale);
    g0 = addBlock(g0, b0, e, scale);
    scale = v128.load32_splat(x, 132);
    f1 = addBlock(f1, a1, d, scale);
    g1 = addBlock(g1, b1, e, scale);
    scale = v128.load32_splat(x, 136);
    f2 = addBlock(f2, a2, d, scale);
    g2 = addBlock(g2, b2, e, scale);
    scale = v128.load32_splat(x, 140);
    f3 = addBlock(f3, a3, d, scale);
    g3 = addBlock(g3, b3, e, scale);
    weights += Q4_BLOCK_BYTES;
    scales += 64;
    x += BYTES_TILE_BLOCK;
  }
  storeTile(y, yStride, f0, f1, f2, f3, g0, g1, g2, g3);
}

// A function for each kind: kernels in one function share its registers.

// prettier-ignore
function bytesVector(weights: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32): void {
  multiplyVector(BYTES, weights, stride, streams, x, y, yStride, blocks);
}

// prettier-ignore
function shortsVector(weights: usize, stride: usize, streams: i32, x: usize, y: usize, yStride: usize, blocks: i32): void {
  multiplyVector(SHORTS, weights, stride, streams, x, y, yStride, blocks);
}

// prettier-ignore
function bytesTile(weights: usize, scales: usize, x: usize, y: usize, blocks: i32, yStride: usize): void {
  multiplyTile(BYTES, weights, scales, x, y, blocks, yStride);
}

// prettier-ignore
function shortsTile(weights: usize, scales: usize, x: usize, y: usize, blocks: i32, yStride: usize): void {
  multiplyTile(SHORTS, weights, scales, x, y, blocks, yStride);
}

/** `streams` groups of 16 rows, `stride` apart, with one token: 16 f32 for each, `yStride` apart. `kind`: not WORDS. */
export function q4BytesVector(
  kind: Dot,
  weights: usize,
  stride: usize,
  streams: i32,
  x: usize,
  y: usize,
  yStride: usize,
  blocks: i32,
): void {
  if (kind == SHORTS) shortsVector(weights, stride, streams, x, y, yStride, blocks);
  else bytesVector(weights, stride, streams, x, y, yStride, blocks);
}

/** 8 rows of a group with a tile of 4 tokens. `scales`: f32 (blocks, 16 rows), at the first of the 8 rows. */
export function q4BytesTile(
  kind: Dot,
  weights: usize,
  scales: usize,
  x: usize,
  y: usize,
  blocks: i32,
  yStride: usize,
): void {
  if (kind == SHORTS) shortsTile(weights, scales, x, y, blocks, yStride);
  else bytesTile(weights, scales, x, y, blocks, yStride);
}
