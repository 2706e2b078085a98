/** Q8 with the relaxed dot product, and what is expanded to it also with its half: i8 activations. Layouts: formats/q8.ts, block.ts. */
import {Q8_BLOCK_BYTES} from '../formats/format';
import {addBlock, addToResults, BYTES_BLOCK, BYTES_TILE_BLOCK, clearResults, storeTile} from './block';
import {dot} from './dot-mode';
import {BYTES, Dot, SHORTS, begin, dotLoaded, finish} from './dot-quad';

/** `streams` groups of 16 rows, `stride` apart, with one token: 16 f32 for each, `yStride` apart. */
export function q8BytesVector(
  weights: usize,
  stride: usize,
  streams: i32,
  x: usize,
  y: usize,
  yStride: usize,
  blocks: i32,
): void {
  const end = y + <usize>streams * yStride;
  clearResults(y, yStride, streams);
  for (let block = 0; block < blocks; block++) {
    let group = weights;
    for (let results = y; results < end; results += yStride) {
      const start = v128.load32_splat(x, 36);
      let a0 = start, a1 = start, a2 = start, a3 = start;
      let part = group;
      let columns = x;
      // One part a turn: engines put all loads of a loop body first, a longer body spills its registers.
      while (columns < x + 32) {
        const k = v128.load32_splat(columns);
        a0 = dot(k, v128.load(part, 32), a0);
        a1 = dot(k, v128.load(part, 48), a1);
        a2 = dot(k, v128.load(part, 64), a2);
        a3 = dot(k, v128.load(part, 80), a3);
        part += 64;
        columns += 4;
      }
      addToResults(results, group, v128.load32_splat(x, 32), 0, a0, a1, a2, a3);
      group += stride;
    }
    weights += Q8_BLOCK_BYTES;
    x += BYTES_BLOCK;
  }
}

/** SHORTS: weights of 0 … 31, of which four products fit. */
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
  let f0 = f32x4.splat(0), f1 = f0, f2 = f0, f3 = f0, g0 = f0, g1 = f0, g2 = f0, g3 = f0;
  for (let block = 0; block < blocks; block++) {
    let a0 = v128.load32_splat(x, 144), a1 = v128.load32_splat(x, 148);
    let a2 = v128.load32_splat(x, 152), a3 = v128.load32_splat(x, 156);
    let b0 = a0, b1 = a1, b2 = a2, b3 = a3;
    let part = weights;
    let columns = x;
    do {
      let p0 = begin(kind, a0), p1 = begin(kind, a1), p2 = begin(kind, a2), p3 = begin(kind, a3);
      let q0 = begin(kind, b0), q1 = begin(kind, b1), q2 = begin(kind, b2), q3 = begin(kind, b3);
    for (const end = columns + (kind == SHORTS ? 64 : 128); columns < end; columns += 16) {
      const u = v128.load(part, 32), v = v128.load(part, 48);
      let k = v128.load32_splat(columns);
      p0 = dotLoaded(kind, k, k, u, p0);
      q0 = dotLoaded(kind, k, k, v, q0);
      k = v128.load32_splat(columns, 4);
      p1 = dotLoaded(kind, k, k, u, p1);
      q1 = dotLoaded(kind, k, k, v, q1);
      k = v128.load32_splat(columns, 8);
      p2 = dotLoaded(kind, k, k, u, p2);
      q2 = dotLoaded(kind, k, k, v, q2);
      k = v128.load32_splat(columns, 12);
      p3 = dotLoaded(kind, k, k, u, p3);
      q3 = dotLoaded(kind, k, k, v, q3);
      part += 64;
    }
      a0 = finish(kind, a0, p0);
      b0 = finish(kind, b0, q0);
      a1 = finish(kind, a1, p1);
      b1 = finish(kind, b1, q1);
      a2 = finish(kind, a2, p2);
      b2 = finish(kind, b2, q2);
      a3 = finish(kind, a3, p3);
      b3 = finish(kind, b3, q3);
    } while (kind == SHORTS && columns < x + 128);
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
    weights += Q8_BLOCK_BYTES;
    scales += 64;
    x += BYTES_TILE_BLOCK;
  }
  storeTile(y, yStride, f0, f1, f2, f3, g0, g1, g2, g3);
}

// prettier-ignore
function bytesTile(weights: usize, scales: usize, x: usize, y: usize, blocks: i32, yStride: usize): void {
  multiplyTile(BYTES, weights, scales, x, y, blocks, yStride);
}

// prettier-ignore
function shortsTile(weights: usize, scales: usize, x: usize, y: usize, blocks: i32, yStride: usize): void {
  multiplyTile(SHORTS, weights, scales, x, y, blocks, yStride);
}

/** 8 rows of a group with a tile of 4 tokens. `scales`: f32 (blocks, 16 rows), at the first of the 8 rows. */
export function q8BytesTile(
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
