/**
 * The KV cache of one layer: K and V each in a buffer of `kvBytes`.
 *
 * K: (kvHeads, blocks of 32 positions, headDim, 32 positions): scores of four positions are one vector, without horizontal sums.
 * V: (kvHeads, positions, headDim): a position's weight multiplies whole vectors.
 * Values are f32, or f16 rounded half to even. Positions are padded to a multiple of 32.
 */
import {loadF16x4, toF16x4} from '../formats/f16';

export type KvType = i32;
export const KV_F32: KvType = 0;

export const BLOCK_POSITIONS: i32 = 32;

// @ts-ignore: decorator
@inline
export function kvElementShift(kvType: KvType): usize {
  return kvType == KV_F32 ? 2 : 1;
}

// @ts-ignore: decorator
@inline
export function paddedCapacity(capacity: i32): i32 {
  return (capacity + BLOCK_POSITIONS - 1) & ~(BLOCK_POSITIONS - 1);
}

/** Bytes of K, or of V, of one layer. */
export function kvBytes(kvType: KvType, heads: i32, headDim: i32, capacity: i32): usize {
  return <usize>(heads * headDim) * <usize>paddedCapacity(capacity) << kvElementShift(kvType);
}

// @ts-ignore: decorator
@inline
function storeElement(kvType: KvType, cache: usize, index: usize, value: f32): void {
  if (kvType == KV_F32) store<f32>(cache + (index << 2), value);
  else store<u16>(cache + (index << 1), <u16>i32x4.extract_lane(toF16x4(f32x4.splat(value)), 0));
}

/** Rows (kvHeads, headDim) of f32, token t at `k + t * kStride`, become positions `position + t`. */
export function storeK(
  kvType: KvType,
  k: usize,
  cache: usize,
  kvHeads: i32,
  headDim: i32,
  capacity: i32,
  position: i32,
  tokens: i32,
  kStride: usize,
): void {
  const headSize = paddedCapacity(capacity) * headDim;
  for (let token: i32 = 0; token < tokens; token++) {
    const at = position + token;
    const first = (at & ~(BLOCK_POSITIONS - 1)) * headDim + (at & (BLOCK_POSITIONS - 1));
    for (let head: i32 = 0; head < kvHeads; head++) {
      for (let d: i32 = 0; d < headDim; d++) {
        const value = load<f32>(k + (<usize>(head * headDim + d) << 2));
        storeElement(kvType, cache, <usize>head * <usize>headSize + <usize>(first + d * BLOCK_POSITIONS), value);
      }
    }
    k += kStride;
  }
}

/** The same for V. */
export function storeV(
  kvType: KvType,
  v: usize,
  cache: usize,
  kvHeads: i32,
  headDim: i32,
  capacity: i32,
  position: i32,
  tokens: i32,
  vStride: usize,
): void {
  const headSize = paddedCapacity(capacity) * headDim;
  for (let token: i32 = 0; token < tokens; token++) {
    for (let head: i32 = 0; head < kvHeads; head++) {
      const first = <usize>head * <usize>headSize + <usize>((position + token) * headDim);
      for (let d: i32 = 0; d < headDim; d++) {
        storeElement(kvType, cache, first + <usize>d, load<f32>(v + (<usize>(head * headDim + d) << 2)));
      }
    }
    v += vStride;
  }
}

/** `n` values, a multiple of 4, of the cache at `source` as f32 at `out`. */
export function widen(source: usize, n: i32, out: usize): void {
  const end = out + (<usize>n << 2);
  while (out < end) {
    v128.store(out, loadF16x4(source));
    source += 8;
    out += 16;
  }
}
