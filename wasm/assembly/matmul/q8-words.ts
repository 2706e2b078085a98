/**
 * Q8 with 16-bit products, for engines without a relaxed dot product of full range. Layouts: formats/q8.ts, block.ts.
 *
 * 1. A 16-bit lane of the weights holds columns c (low byte) and c + 1 (high byte). `shl 8` leaves 256 w(c),
 *    `shr_s 8` leaves w(c + 1): one instruction each, no constant.
 * 2. Activations are words: x(c) beside the first, 256 x(c + 1) beside the second. A part of 4 columns is the
 *    words x0, x2, 256 x1, 256 x3.
 * 3. `i32x4.dot_i16x8_s` adds pairs of lanes, which are two columns of one row: a lane of the sum stays a row.
 *    The sum is 256 times the wanted one, at most 32 * 127 * 128 * 256 < 2^31.
 */
import {Q8_BLOCK_BYTES} from '../formats/format';
import {
  addToResults,
  addWordsBlock,
  clearResults,
  WORDS_BLOCK,
  WORDS_SHIFT,
  WORDS_TILE_BLOCK,
  storeTile,
} from './block';
import {dotWords} from './dot-quad';

/** `streams` groups of 16 rows, `stride` apart, with one token: 16 f32 for each, `yStride` apart. */
export function q8WordsVector(
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
      let a0 = i32x4.splat(0), a1 = a0, a2 = a0, a3 = a0;
      let part = group;
      let columns = x;
      while (columns < x + 64) {
        const even = v128.load32_splat(columns), odd = v128.load32_splat(columns, 4);
        a0 = dotWords(even, odd, v128.load(part, 32), a0);
        a1 = dotWords(even, odd, v128.load(part, 48), a1);
        a2 = dotWords(even, odd, v128.load(part, 64), a2);
        a3 = dotWords(even, odd, v128.load(part, 80), a3);
        part += 64;
        columns += 8;
      }
      addToResults(results, group, v128.load32_splat(x, 64), WORDS_SHIFT, a0, a1, a2, a3);
      group += stride;
    }
    weights += Q8_BLOCK_BYTES;
    x += WORDS_BLOCK;
  }
}

/** 8 rows of a group with a tile of 4 tokens. `scales`: f32 (blocks, 16 rows), at the first of the 8 rows. */
export function q8WordsTile(weights: usize, scales: usize, x: usize, y: usize, blocks: i32, yStride: usize): void {
  let f0 = f32x4.splat(0), f1 = f0, f2 = f0, f3 = f0, g0 = f0, g1 = f0, g2 = f0, g3 = f0;
  for (let block = 0; block < blocks; block++) {
    // Zero for Q8 itself; the codes of other formats have an offset.
    let a0 = v128.load32_splat(x, 272), a1 = v128.load32_splat(x, 276);
    let a2 = v128.load32_splat(x, 280), a3 = v128.load32_splat(x, 284);
    let b0 = a0, b1 = a1, b2 = a2, b3 = a3;
    let part = weights;
    let columns = x;
    while (columns < x + 256) {
      const p = v128.load(part, 32), q = v128.load(part, 48);
      let u = i16x8.shl(p, 8), v = i16x8.shl(q, 8);
      let k = v128.load32_splat(columns);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(u, k));
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(v, k));
      k = v128.load32_splat(columns, 8);
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(u, k));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(v, k));
      k = v128.load32_splat(columns, 16);
      a2 = i32x4.add(a2, i32x4.dot_i16x8_s(u, k));
      b2 = i32x4.add(b2, i32x4.dot_i16x8_s(v, k));
      k = v128.load32_splat(columns, 24);
      a3 = i32x4.add(a3, i32x4.dot_i16x8_s(u, k));
      b3 = i32x4.add(b3, i32x4.dot_i16x8_s(v, k));
      u = i16x8.shr_s(p, 8);
      v = i16x8.shr_s(q, 8);
      k = v128.load32_splat(columns, 4);
      a0 = i32x4.add(a0, i32x4.dot_i16x8_s(u, k));
      b0 = i32x4.add(b0, i32x4.dot_i16x8_s(v, k));
      k = v128.load32_splat(columns, 12);
      a1 = i32x4.add(a1, i32x4.dot_i16x8_s(u, k));
      b1 = i32x4.add(b1, i32x4.dot_i16x8_s(v, k));
      k = v128.load32_splat(columns, 20);
      a2 = i32x4.add(a2, i32x4.dot_i16x8_s(u, k));
      b2 = i32x4.add(b2, i32x4.dot_i16x8_s(v, k));
      k = v128.load32_splat(columns, 28);
      a3 = i32x4.add(a3, i32x4.dot_i16x8_s(u, k));
      b3 = i32x4.add(b3, i32x4.dot_i16x8_s(v, k));
      part += 64;
      columns += 32;
    }
    const d = v128.load(scales), e = v128.load(scales, 16);
    let scale = v128.load32_splat(x, 256);
    f0 = addWordsBlock(f0, a0, d, scale);
    g0 = addWordsBlock(g0, b0, e, scale);
    scale = v128.load32_splat(x, 260);
    f1 = addWordsBlock(f1, a1, d, scale);
    g1 = addWordsBlock(g1, b1, e, scale);
    scale = v128.load32_splat(x, 264);
    f2 = addWordsBlock(f2, a2, d, scale);
    g2 = addWordsBlock(g2, b2, e, scale);
    scale = v128.load32_splat(x, 268);
    f3 = addWordsBlock(f3, a3, d, scale);
    g3 = addWordsBlock(g3, b3, e, scale);
    weights += Q8_BLOCK_BYTES;
    scales += 64;
    x += WORDS_TILE_BLOCK;
  }
  storeTile(y, yStride, f0, f1, f2, f3, g0, g1, g2, g3);
}
