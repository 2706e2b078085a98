/**
 * The KV cache of one layer: K and V each in a buffer of `kvBytes`, (kvHeads, blocks of 32 positions).
 *
 * A block of K is (headDim, 32 positions): four scores are one vector, no horizontal sums. A block of V is
 * (32 positions, headDim): a position's weight multiplies whole vectors. Values are
 *
 * - f32;
 * - f16, rounded half to even;
 * - q8_0: 32 consecutive values of a head, at one position, share a scale d = largest |x| / 127, an f16; each
 *   value is an i8, x / d rounded half to even, and means d times that. Where headDim is not a multiple of 32
 *   the last group of a head is shorter. The scales of a block stand before its integers: of K as
 *   (groups, 32 positions), of V as (32 positions, groups).
 *
 * The cache is a ring: position p is in block (p / 32) mod the number of blocks. Storing p overwrites
 * position p - 32 * blocks, and nothing else.
 */
export type KvType = i32;
export const KV_F32: KvType = 0;
export const KV_F16: KvType = 1;
export const KV_Q8_0: KvType = 2;

export const BLOCK_POSITIONS: i32 = 32;

/** Values of a head that share a scale in q8_0. */
export const GROUP_VALUES: i32 = 32;

/** Blocks of a ring of `capacity` positions. */
// @ts-ignore: decorator
@inline
export function blockCount(capacity: i32): i32 {
  return (capacity + BLOCK_POSITIONS - 1) / BLOCK_POSITIONS;
}

/** Scales of a head at one position, in q8_0. */
// @ts-ignore: decorator
@inline
export function scaleGroups(headDim: i32): i32 {
  return (headDim + GROUP_VALUES - 1) / GROUP_VALUES;
}

/** Bytes of the scales of a block, in q8_0: they stand before its integers. */
// @ts-ignore: decorator
@inline
export function blockScaleBytes(headDim: i32): usize {
  return <usize>(scaleGroups(headDim) * BLOCK_POSITIONS) << 1;
}

/** Bytes of 32 positions of a head of K, or of V. */
export function blockBytes(kvType: KvType, headDim: i32): usize {
  const values = <usize>(BLOCK_POSITIONS * headDim);
  if (kvType == KV_F32) return values << 2;
  if (kvType == KV_F16) return values << 1;
  return values + blockScaleBytes(headDim);
}

/** Bytes of K, or of V, of one layer with a ring of `capacity` positions, which is padded to whole blocks. */
export function kvBytes(kvType: KvType, heads: i32, headDim: i32, capacity: i32): usize {
  return <usize>(heads * blockCount(capacity)) * blockBytes(kvType, headDim);
}
