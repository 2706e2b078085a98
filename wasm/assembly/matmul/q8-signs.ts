/**
 * Q8 with one token by the half of the relaxed dot product, where the whole one cannot take 8 bits (SIGNS, dot-quad.ts).
 * Layouts: formats/q8.ts, block.ts.
 */
import {Q8_BLOCK_BYTES} from '../formats/format';
import {WORDS_BLOCK, addToResults, clearResults} from './block';
import {SIGNS, dotLoaded} from './dot-quad';

/** `streams` groups of 16 rows, `stride` apart, with one token: 16 f32 for each, `yStride` apart. */
export function q8SignsVector(
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
      const start = v128.load32_splat(x, 68);
      let a0 = start, a1 = start, a2 = start, a3 = start;
      let part = group;
      let columns = x;
      while (columns < x + 64) {
        const k = v128.load32_splat(columns), signs = v128.load32_splat(columns, 4);
        a0 = dotLoaded(SIGNS, k, signs, v128.load(part, 32), a0);
        a1 = dotLoaded(SIGNS, k, signs, v128.load(part, 48), a1);
        a2 = dotLoaded(SIGNS, k, signs, v128.load(part, 64), a2);
        a3 = dotLoaded(SIGNS, k, signs, v128.load(part, 80), a3);
        part += 64;
        columns += 8;
      }
      addToResults(results, group, v128.load32_splat(x, 64), 0, a0, a1, a2, a3);
      group += stride;
    }
    weights += Q8_BLOCK_BYTES;
    x += WORDS_BLOCK;
  }
}
