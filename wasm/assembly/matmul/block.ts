/**
 * What the products of Q8 and Q4 share: how a block's integer sums enter the f32 result, and how activations lie in memory.
 *
 * For every row and token, in every kernel, in this order and no other:
 *   result = result + f32(integer sum of the block) * (scale of the weights * scale of the activations),  blocks ascending
 * so that the bits do not depend on the kernel, the number of tokens or the core.
 *
 * Activations of one block of 32 columns, for 1 token or a tile of 4, are: data · f32 scale of each token · i32 start of each token.
 * The start is what the integer sum begins with: it takes back the offset that the stored weights carry.
 *   bytes kernels:  data = 32 × i8 a token; in a tile (8 parts of 4 columns, 4 tokens, 4 columns)
 *   words kernels:  data = 32 × i16 a token, in the order that each format's words kernel wants; in a tile (parts, 4 tokens, words)
 */

/** Tokens that the batch kernels take at once. */
export const TILE_TOKENS: i32 = 4;

/** Bytes of one block of activations of one token, and of a tile of four. */
export const BYTES_BLOCK: usize = 32 + 8;
export const WORDS_BLOCK: usize = 64 + 8;
export const BYTES_TILE_BLOCK: usize = 4 * BYTES_BLOCK;
export const WORDS_TILE_BLOCK: usize = 4 * WORDS_BLOCK;

/** The products of the words kernels are 256 times as large as those of the bytes kernels: that saves masks. Exact. */
export const WORDS_SHIFT: i32 = 8;

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
