/** Batches with NVFP4, whose weights have a scale for 16 columns. Layouts: small-tile.ts, block.ts. */
import {NVFP4, Q8_BLOCK_BYTES} from '../formats/format';
import {NVFP4_UNIT} from '../formats/small-block';
import {BYTES_TILE_BLOCK, WORDS_TILE_BLOCK, addBlock, halfStart, storeTile} from './block';
import {DOT, Dot, SHORTS, WORDS, begin, dotOf, dotQuad, exactSum, finish, quadBytes} from './dot-quad';

/** The scale of the activations of a token, times the unit of the weights. */
// @ts-ignore: decorator
@inline
function scaleOf(tail: usize): v128 {
  return f32x4.splat(load<f32>(tail) * NVFP4_UNIT);
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
  const words = kind == WORDS, quad = quadBytes(words);
  let f0 = f32x4.splat(0), f1 = f0, f2 = f0, f3 = f0, g0 = f0, g1 = f0, g2 = f0, g3 = f0;
  for (let block = 0; block < blocks; block++) {
    const tail = x + 32 * quad, starts = tail + 16;
    let part = weights;
    let columns = x;
    for (let half: i32 = 0; half < 2; half++) {
      const start0 = halfStart(words, starts, half), start1 = halfStart(words, starts + 4, half);
      const start2 = halfStart(words, starts + 8, half), start3 = halfStart(words, starts + 12, half);
      let a0 = begin(kind, start0), a1 = begin(kind, start1), a2 = begin(kind, start2), a3 = begin(kind, start3);
      let b0 = a0, b1 = a1, b2 = a2, b3 = a3;
      for (const end = part + 4 * 64; part < end; part += 64) {
        const u = v128.load(part, 32), v = v128.load(part, 48);
        a0 = dotQuad(kind, columns, u, a0);
        b0 = dotQuad(kind, columns, v, b0);
        a1 = dotQuad(kind, columns + quad, u, a1);
        b1 = dotQuad(kind, columns + quad, v, b1);
        a2 = dotQuad(kind, columns + 2 * quad, u, a2);
        b2 = dotQuad(kind, columns + 2 * quad, v, b2);
        a3 = dotQuad(kind, columns + 3 * quad, u, a3);
        b3 = dotQuad(kind, columns + 3 * quad, v, b3);
        columns += 4 * quad;
      }
      const d = v128.load(scales), e = v128.load(scales, 16);
      let scale = scaleOf(tail);
      f0 = addBlock(f0, exactSum(kind, finish(kind, start0, a0)), d, scale);
      g0 = addBlock(g0, exactSum(kind, finish(kind, start0, b0)), e, scale);
      scale = scaleOf(tail + 4);
      f1 = addBlock(f1, exactSum(kind, finish(kind, start1, a1)), d, scale);
      g1 = addBlock(g1, exactSum(kind, finish(kind, start1, b1)), e, scale);
      scale = scaleOf(tail + 8);
      f2 = addBlock(f2, exactSum(kind, finish(kind, start2, a2)), d, scale);
      g2 = addBlock(g2, exactSum(kind, finish(kind, start2, b2)), e, scale);
      scale = scaleOf(tail + 12);
      f3 = addBlock(f3, exactSum(kind, finish(kind, start3, a3)), d, scale);
      g3 = addBlock(g3, exactSum(kind, finish(kind, start3, b3)), e, scale);
      scales += 64;
    }
    weights += Q8_BLOCK_BYTES;
    x += words ? WORDS_TILE_BLOCK : BYTES_TILE_BLOCK;
  }
  storeTile(y, yStride, f0, f1, f2, f3, g0, g1, g2, g3);
}

// prettier-ignore
function shortsTile(weights: usize, scales: usize, x: usize, y: usize, blocks: i32, yStride: usize): void {
  multiplyTile(SHORTS, weights, scales, x, y, blocks, yStride);
}

// prettier-ignore
function tile(weights: usize, scales: usize, x: usize, y: usize, blocks: i32, yStride: usize): void {
  multiplyTile(DOT, weights, scales, x, y, blocks, yStride);
}

/**
 * 8 rows of a group with a tile of 4 tokens. `weights`: expanded to Q8 blocks; `scales`: f32 (blocks, 2, 16 rows), at
 * the first of the 8 rows.
 */
export function twoScalesTile(
  weights: usize,
  scales: usize,
  x: usize,
  y: usize,
  blocks: i32,
  yStride: usize,
): void {
  if (ASC_FEATURE_RELAXED_SIMD && dotOf(NVFP4) == SHORTS) shortsTile(weights, scales, x, y, blocks, yStride);
  else tile(weights, scales, x, y, blocks, yStride);
}
