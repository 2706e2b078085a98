/**
 * The KV cache of one layer: K and V each in a buffer of `kvBytes`.
 *
 * K: (kvHeads, blocks of 32 positions, headDim, 32 positions): four scores are one vector, no horizontal sums.
 * V: (kvHeads, positions, headDim): a position's weight multiplies whole vectors.
 * Values are f32, or f16 rounded half to even. Positions are padded to a multiple of 32.
 */
import {toF16x4, widenF16x16} from '../formats/f16';

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
  const shift = kvElementShift(kvType);
  const headBytes = <usize>(paddedCapacity(capacity) * headDim) << shift;
  for (let token: i32 = 0; token < tokens; token++) {
    const at = position + token;
    const first = (at & ~(BLOCK_POSITIONS - 1)) * headDim + (at & (BLOCK_POSITIONS - 1));
    let from = k, to = cache + (<usize>first << shift);
    for (let head: i32 = 0; head < kvHeads; head++) {
      if (kvType == KV_F32) scatterF32(from, to, headDim);
      else scatterF16(from, to, headDim);
      from += <usize>headDim << 2;
      to += headBytes;
    }
    k += kStride;
  }
}

/** One position of a block of K: `n` values, a multiple of 4, 32 elements apart. */
function scatterF32(from: usize, to: usize, n: i32): void {
  for (const end = from + (<usize>n << 2); from < end; from += 4, to += 128) store<f32>(to, load<f32>(from));
}

function scatterF16(from: usize, to: usize, n: i32): void {
  for (const end = from + (<usize>n << 2); from < end; from += 16, to += 256) {
    const halves = toF16x4(v128.load(from));
    v128.store16_lane(to, halves, 0);
    v128.store16_lane(to, halves, 2, 64);
    v128.store16_lane(to, halves, 4, 128);
    v128.store16_lane(to, halves, 6, 192);
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
  const shift = kvElementShift(kvType);
  const headBytes = <usize>(paddedCapacity(capacity) * headDim) << shift;
  for (let token: i32 = 0; token < tokens; token++) {
    let from = v, to = cache + (<usize>((position + token) * headDim) << shift);
    for (let head: i32 = 0; head < kvHeads; head++) {
      if (kvType == KV_F32) memory.copy(to, from, <usize>headDim << 2);
      else narrow(from, to, headDim);
      from += <usize>headDim << 2;
      to += headBytes;
    }
    v += vStride;
  }
}

/** `n` f32, a multiple of 4, to f16. */
function narrow(from: usize, to: usize, n: i32): void {
  for (const end = from + (<usize>n << 2); from < end; from += 16, to += 8) {
    const halves = toF16x4(v128.load(from));
    v128.store64_lane(to, i16x8.narrow_i32x4_u(halves, halves), 0);
  }
}

/** `n` values of an f16 cache at `source`, a multiple of 16, as f32 at `out`. */
export function widen(source: usize, n: i32, out: usize): void {
  const end = out + (<usize>n << 2);
  while (out < end) {
    widenF16x16(source, out);
    source += 32;
    out += 64;
  }
}
