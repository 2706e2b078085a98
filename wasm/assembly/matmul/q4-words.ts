/**
 * Q4 with 16-bit products, for the baseline core. Layouts: formats/q4.ts, block.ts.
 *
 * A 16-bit lane of the weights holds four nibbles: columns c and 16 + c (low byte), c + 1 and 17 + c (high
 * byte). Each is cut out by one instruction and stays multiplied by the power of two of its place; the
 * activations are stored with what is missing to 256: 256 x(c), 16 x(16 + c), x(c + 1), 256 x(17 + c). A lane
 * of `i32x4.dot_i16x8_s` is again a row (see q8-words.ts).
 */
import {Q4_BLOCK_BYTES} from '../formats/format';
import {addToResults, addWordsBlock, clearResults, WORDS_BLOCK, WORDS_SHIFT, WORDS_TILE_BLOCK} from './block';

/** The places of the nibbles. Loaded, not written as constants: engines rebuild constants at every use. */
const masks = memory.data<u16>(
  [
    0x000f, 0x000f, 0x000f, 0x000f, 0x000f, 0x000f, 0x000f, 0x000f,
    0x00f0, 0x00f0, 0x00f0, 0x00f0, 0x00f0, 0x00f0, 0x00f0, 0x00f0,
    0x0f00, 0x0f00, 0x0f00, 0x0f00, 0x0f00, 0x0f00, 0x0f00, 0x0f00,
  ],
  16,
);

// @ts-ignore: decorator
@inline
function addDot(sum: v128, w: v128, x: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(w, x));
}

/** `streams` groups of 16 rows, `stride` apart, with one token: 16 f32 for each, `yStride` apart. */
export function q4WordsVector(
  weights: usize,
  stride: usize,
  streams: i32,
  x: usize,
  y: usize,
  yStride: usize,
  blocks: i32,
): void {
  const m0 = v128.load(masks), m1 = v128.load(masks, 16), m2 = v128.load(masks, 32);
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
        const k0 = v128.load32_splat(columns), k1 = v128.load32_splat(columns, 4);
        const k2 = v128.load32_splat(columns, 8), k3 = v128.load32_splat(columns, 12);
        let w = v128.load(part, 32);
        a0 = addDot(addDot(a0, v128.and(w, m0), k0), v128.and(w, m1), k1);
        a0 = addDot(addDot(a0, v128.and(w, m2), k2), i16x8.shr_u(w, 12), k3);
        w = v128.load(part, 48);
        a1 = addDot(addDot(a1, v128.and(w, m0), k0), v128.and(w, m1), k1);
        a1 = addDot(addDot(a1, v128.and(w, m2), k2), i16x8.shr_u(w, 12), k3);
        w = v128.load(part, 64);
        a2 = addDot(addDot(a2, v128.and(w, m0), k0), v128.and(w, m1), k1);
        a2 = addDot(addDot(a2, v128.and(w, m2), k2), i16x8.shr_u(w, 12), k3);
        w = v128.load(part, 80);
        a3 = addDot(addDot(a3, v128.and(w, m0), k0), v128.and(w, m1), k1);
        a3 = addDot(addDot(a3, v128.and(w, m2), k2), i16x8.shr_u(w, 12), k3);
        part += 64;
        columns += 16;
      }
      addToResults(results, group, v128.load32_splat(x, 64), WORDS_SHIFT, a0, a1, a2, a3);
      group += stride;
    }
    weights += Q4_BLOCK_BYTES;
    x += WORDS_BLOCK;
  }
}

/** 4 rows of a group with a tile of 4 tokens. `scales`: f32 (blocks, 16 rows), at the first of the 4 rows. */
export function q4WordsTile(weights: usize, scales: usize, x: usize, y: usize, blocks: i32, yStride: usize): void {
  const m0 = v128.load(masks), m1 = v128.load(masks, 16), m2 = v128.load(masks, 32);
  let f0 = f32x4.splat(0), f1 = f0, f2 = f0, f3 = f0;
  for (let block = 0; block < blocks; block++) {
    let a0 = v128.load32_splat(x, 272), a1 = v128.load32_splat(x, 276);
    let a2 = v128.load32_splat(x, 280), a3 = v128.load32_splat(x, 284);
    let part = weights;
    let columns = x;
    while (columns < x + 256) {
      const w = v128.load(part, 32);
      const w0 = v128.and(w, m0), w1 = v128.and(w, m1), w2 = v128.and(w, m2), w3 = i16x8.shr_u(w, 12);
      a0 = addDot(addDot(a0, w0, v128.load32_splat(columns)), w1, v128.load32_splat(columns, 4));
      a0 = addDot(addDot(a0, w2, v128.load32_splat(columns, 8)), w3, v128.load32_splat(columns, 12));
      a1 = addDot(addDot(a1, w0, v128.load32_splat(columns, 16)), w1, v128.load32_splat(columns, 20));
      a1 = addDot(addDot(a1, w2, v128.load32_splat(columns, 24)), w3, v128.load32_splat(columns, 28));
      a2 = addDot(addDot(a2, w0, v128.load32_splat(columns, 32)), w1, v128.load32_splat(columns, 36));
      a2 = addDot(addDot(a2, w2, v128.load32_splat(columns, 40)), w3, v128.load32_splat(columns, 44));
      a3 = addDot(addDot(a3, w0, v128.load32_splat(columns, 48)), w1, v128.load32_splat(columns, 52));
      a3 = addDot(addDot(a3, w2, v128.load32_splat(columns, 56)), w3, v128.load32_splat(columns, 60));
      part += 64;
      columns += 64;
    }
    const d = v128.load(scales);
    f0 = addWordsBlock(f0, a0, d, v128.load32_splat(x, 256));
    f1 = addWordsBlock(f1, a1, d, v128.load32_splat(x, 260));
    f2 = addWordsBlock(f2, a2, d, v128.load32_splat(x, 264));
    f3 = addWordsBlock(f3, a3, d, v128.load32_splat(x, 268));
    weights += Q4_BLOCK_BYTES;
    scales += 64;
    x += WORDS_TILE_BLOCK;
  }
  v128.store(y, f0);
  v128.store(y + yStride, f1);
  v128.store(y + 2 * yStride, f2);
  v128.store(y + 3 * yStride, f3);
}
