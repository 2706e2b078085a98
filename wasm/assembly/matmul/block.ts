/**
 * What the products of Q8 and Q4 share: how a block's integer sums enter the f32 result, and how activations lie in
 * memory.
 *
 * For every row and token, in every kernel, blocks ascending and in no other order:
 *   result = result + f32(integer sum of the block) * (scale of the weights * scale of the activations)
 * so that the bits do not depend on the kernel, the number of tokens or the core.
 *
 * Activations of one block of 32 columns, for 1 token or a tile of 4:
 *   data · f32 scale of each token · i32 start of each token
 * The start is what the integer sum begins with: it takes back the offset that the stored weights carry.
 * NVFP4, whose weights have a scale for 16 columns, has two starts, i16, of columns 0 … 15 and 16 … 31.
 *   bytes kernels:  data = 32 × i8 a token, parts of 4 columns; in a tile (8 parts, 4 tokens, 4 columns)
 *   words kernels:  data = 32 × i16 a token, in parts as the format's words kernel wants them;
 *                   in a tile (parts, 4 tokens, words)
 */
import {Format, Q4_MIN} from '../formats/format';
import {allNormal16, loadF16x4, loadNormalF16x4} from '../formats/f16';

/** Tokens that the batch kernels take at once. */
export const TILE_TOKENS: i32 = 4;

/** Bytes of one block of activations of one token, and of a tile of four. */
export const BYTES_BLOCK: usize = 32 + 8;
export const WORDS_BLOCK: usize = 64 + 8;
export const BYTES_TILE_BLOCK: usize = 4 * BYTES_BLOCK;
export const WORDS_TILE_BLOCK: usize = 4 * WORDS_BLOCK;

/**
 * The products of the words kernels are 256 times as large as those of the bytes kernels: that saves masks.
 * Exact.
 */
export const WORDS_SHIFT: i32 = 8;

/**
 * Groups that a vector kernel reads in turn, a block of each: as many streams through memory. One stream alone does not
 * keep every core's prefetchers busy, and decoding is bound by memory. Where blocks are longer, four are too many: by the
 * last one the prefetchers have forgotten the first.
 */
// @ts-ignore: decorator
@inline
export function streamsOf(format: Format): i32 {
  return format <= Q4_MIN ? 4 : 2;
}

/** Zeroes the 16 results of each stream: the vector kernels add to them. */
export function clearResults(y: usize, yStride: usize, streams: i32): void {
  for (let stream: i32 = 0; stream < streams; stream++) {
    memory.fill(y, 0, 64);
    y += yStride;
  }
}

/** What the sums of columns 0 … 15 (`half` 0) or 16 … 31 begin with, from the two starts of a token at `starts`. */
// @ts-ignore: decorator
@inline
export function halfStart(words: bool, starts: usize, half: i32): v128 {
  return i32x4.splat(<i32>load<i16>(starts + half * 2) << (words ? WORDS_SHIFT : 0));
}

// @ts-ignore: decorator
@inline
export function addBlock(result: v128, sum: v128, weightScale: v128, activationScale: v128): v128 {
  return f32x4.add(result, f32x4.mul(f32x4.convert_i32x4_s(sum), f32x4.mul(weightScale, activationScale)));
}

/** The same for the sums of a words kernel. */
// @ts-ignore: decorator
@inline
export function addWordsBlock(result: v128, sum: v128, weightScale: v128, activationScale: v128): v128 {
  return addBlock(result, i32x4.shr_s(sum, WORDS_SHIFT), weightScale, activationScale);
}

/**
 * Adds the integer sums of a block of 16 rows to their results at `y`. `shift`: WORDS_SHIFT or 0. Subnormal
 * scales exist, but most blocks have none: the branch is worth it.
 */
// @ts-ignore: decorator
@inline
export function addToResults(
  y: usize,
  scales: usize,
  activationScale: v128,
  shift: i32,
  a0: v128,
  a1: v128,
  a2: v128,
  a3: v128,
): void {
  if (shift) {
    a0 = i32x4.shr_s(a0, shift);
    a1 = i32x4.shr_s(a1, shift);
    a2 = i32x4.shr_s(a2, shift);
    a3 = i32x4.shr_s(a3, shift);
  }
  if (allNormal16(scales)) {
    v128.store(y, addBlock(v128.load(y), a0, loadNormalF16x4(scales), activationScale));
    v128.store(y, addBlock(v128.load(y, 16), a1, loadNormalF16x4(scales + 8), activationScale), 16);
    v128.store(y, addBlock(v128.load(y, 32), a2, loadNormalF16x4(scales + 16), activationScale), 32);
    v128.store(y, addBlock(v128.load(y, 48), a3, loadNormalF16x4(scales + 24), activationScale), 48);
  } else {
    v128.store(y, addBlock(v128.load(y), a0, loadF16x4(scales), activationScale));
    v128.store(y, addBlock(v128.load(y, 16), a1, loadF16x4(scales + 8), activationScale), 16);
    v128.store(y, addBlock(v128.load(y, 32), a2, loadF16x4(scales + 16), activationScale), 32);
    v128.store(y, addBlock(v128.load(y, 48), a3, loadF16x4(scales + 24), activationScale), 48);
  }
}

/** Stores a tile of 4 tokens: f for rows 0 to 3, g for rows 4 to 7. */
// @ts-ignore: decorator
@inline
export function storeTile(
  y: usize,
  yStride: usize,
  f0: v128,
  f1: v128,
  f2: v128,
  f3: v128,
  g0: v128,
  g1: v128,
  g2: v128,
  g3: v128,
): void {
  v128.store(y, f0);
  v128.store(y, g0, 16);
  v128.store(y + yStride, f1);
  v128.store(y + yStride, g1, 16);
  v128.store(y + 2 * yStride, f2);
  v128.store(y + 2 * yStride, g2, 16);
  v128.store(y + 3 * yStride, f3);
  v128.store(y + 3 * yStride, g3, 16);
}
