/** Writes keys and values into the cache (layouts: kv-cache.ts). */
import {toF16x4} from '../formats/f16';
import {largestMagnitude, quantise4} from '../formats/quantise';
import {
  BLOCK_POSITIONS,
  blockBytes,
  blockCount,
  blockScaleBytes,
  GROUP_VALUES,
  KV_F16,
  KV_F32,
  KvType,
  MASK_BYTES,
  scaleGroups,
} from './kv-cache';

/** Rows (kvHeads, headDim) of f32, token t at `k + t * stride`, become positions `position + t` of K. */
export function storeK(
  kvType: KvType,
  k: usize,
  cache: usize,
  kvHeads: i32,
  headDim: i32,
  capacity: i32,
  position: i32,
  tokens: i32,
  stride: usize,
): void {
  storeRows(true, kvType, k, cache, kvHeads, headDim, capacity, position, tokens, stride);
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
  stride: usize,
): void {
  storeRows(false, kvType, v, cache, kvHeads, headDim, capacity, position, tokens, stride);
}

function storeRows(
  isK: bool,
  kvType: KvType,
  rows: usize,
  cache: usize,
  kvHeads: i32,
  headDim: i32,
  capacity: i32,
  position: i32,
  tokens: i32,
  stride: usize,
): void {
  const blocks = blockCount(capacity), bytes = blockBytes(kvType, headDim);
  for (let token: i32 = 0; token < tokens; token++) {
    const at = position + token, lane = at % BLOCK_POSITIONS;
    let from = rows, block = cache + <usize>((at / BLOCK_POSITIONS) % blocks) * bytes;
    for (let head: i32 = 0; head < kvHeads; head++) {
      if (isK) scatter(kvType, from, block, lane, headDim);
      else copy(kvType, from, block, lane, headDim);
      from += <usize>headDim << 2;
      block += <usize>blocks * bytes;
    }
    rows += stride;
  }
}

// One position of a block of K: its values are 32 elements apart. headDim is a multiple of 4.

function scatter(kvType: KvType, from: usize, block: usize, lane: i32, headDim: i32): void {
  if (kvType == KV_F32) scatterF32(from, block, lane, headDim);
  else if (kvType == KV_F16) scatterF16(from, block, lane, headDim);
  else scatterQ8(from, block, lane, headDim);
}

function scatterF32(from: usize, block: usize, lane: i32, headDim: i32): void {
  let to = block + (<usize>lane << 2);
  for (const end = from + (<usize>headDim << 2); from < end; from += 4, to += 128) {
    store<f32>(to, load<f32>(from));
  }
}

function scatterF16(from: usize, block: usize, lane: i32, headDim: i32): void {
  let to = block + MASK_BYTES + (<usize>lane << 1);
  let special = i32x4.splat(0);
  for (const end = from + (<usize>headDim << 2); from < end; from += 16, to += 256) {
    const halves = toF16x4(v128.load(from));
    special = v128.or(special, specialF16(halves));
    v128.store16_lane(to, halves, 0);
    v128.store16_lane(to, halves, 2, 64);
    v128.store16_lane(to, halves, 4, 128);
    v128.store16_lane(to, halves, 6, 192);
  }
  mark(block, lane, special);
}

function scatterQ8(from: usize, block: usize, lane: i32, headDim: i32): void {
  let scale = block + (<usize>lane << 1);
  let to = block + blockScaleBytes(headDim) + <usize>lane;
  for (let at: i32 = 0; at < headDim; at += GROUP_VALUES, scale += 64) {
    const end = from + (<usize>min(headDim - at, GROUP_VALUES) << 2);
    const inverse = storeScale(from, end, scale);
    for (; from < end; from += 16, to += 128) {
      const q = quantise4(from, inverse);
      v128.store8_lane(to, q, 0);
      v128.store8_lane(to, q, 4, 32);
      v128.store8_lane(to, q, 8, 64);
      v128.store8_lane(to, q, 12, 96);
    }
  }
}

// One position of a block of V: its values are side by side.

function copy(kvType: KvType, from: usize, block: usize, lane: i32, headDim: i32): void {
  if (kvType == KV_F32) copyF32(from, block, lane, headDim);
  else if (kvType == KV_F16) copyF16(from, block, lane, headDim);
  else copyQ8(from, block, lane, headDim);
}

function copyF32(from: usize, block: usize, lane: i32, headDim: i32): void {
  memory.copy(block + (<usize>(lane * headDim) << 2), from, <usize>headDim << 2);
}

function copyF16(from: usize, block: usize, lane: i32, headDim: i32): void {
  let to = block + MASK_BYTES + (<usize>(lane * headDim) << 1);
  let special = i32x4.splat(0);
  for (const end = from + (<usize>headDim << 2); from < end; from += 16, to += 8) {
    const halves = toF16x4(v128.load(from));
    special = v128.or(special, specialF16(halves));
    v128.store64_lane(to, i16x8.narrow_i32x4_u(halves, halves), 0);
  }
  mark(block, lane, special);
}

/** All bits of the lanes that are subnormal, infinite or NaN; f16 in the lower halves of the lanes. */
// @ts-ignore: decorator
@inline
function specialF16(halves: v128): v128 {
  const magnitude = v128.and(halves, i32x4.splat(0x7fff));
  const subnormal = i32x4.lt_u(i32x4.sub(magnitude, i32x4.splat(1)), i32x4.splat(0x3ff));
  return v128.or(subnormal, i32x4.gt_u(magnitude, i32x4.splat(0x7bff)));
}

/** Sets or clears a position's bit in the mask of a block of f16. */
function mark(block: usize, lane: i32, special: v128): void {
  const bit: u32 = 1 << lane;
  const others = load<u32>(block) & ~bit;
  store<u32>(block, v128.any_true(special) ? others : others | bit);
}

function copyQ8(from: usize, block: usize, lane: i32, headDim: i32): void {
  let scale = block + (<usize>(lane * scaleGroups(headDim)) << 1);
  let to = block + blockScaleBytes(headDim) + <usize>(lane * headDim);
  for (let at: i32 = 0; at < headDim; at += GROUP_VALUES, scale += 2) {
    const end = from + (<usize>min(headDim - at, GROUP_VALUES) << 2);
    const inverse = storeScale(from, end, scale);
    for (; from < end; from += 16, to += 4) {
      const words = i16x8.narrow_i32x4_s(quantise4(from, inverse), i32x4.splat(0));
      v128.store32_lane(to, i8x16.narrow_i16x8_s(words, words), 0);
    }
  }
}

/**
 * Stores the scale of the f32 in [from, end) at `scale`. Returns 1 / d for `quantise4`, of d before it was
 * rounded to f16, as ggml does; 0 where the scale is 0, because nothing remains and 1 / d might overflow.
 */
function storeScale(from: usize, end: usize, scale: usize): v128 {
  const d = largestMagnitude(from, end) / 127;
  const bits = i32x4.extract_lane(toF16x4(f32x4.splat(d)), 0);
  store<u16>(scale, <u16>bits);
  return f32x4.splat(bits == 0 ? 0 : 1 / d);
}
