/** Blocks of the cache as f32, for the arithmetic of attention. Exact: a q8_0 value has 11 + 7 bits. */
import {allNormal16, widenF16x16} from '../formats/f16';
import {
  BLOCK_POSITIONS,
  blockScaleBytes,
  GROUP_VALUES,
  KV_F32,
  KV_Q8_0,
  KvType,
  MASK_BYTES,
  scaleGroups,
} from './kv-cache';

/** Scratch of `widenK` and `widenV`: the scales of a block, f32. */
export function widenScratchBytes(headDim: i32): usize {
  return <usize>(scaleGroups(headDim) * BLOCK_POSITIONS) << 2;
}

/** A block of K as f32 (headDim, 32): where it is, if it is f32, else written to `out`. Returns where. */
export function widenK(kvType: KvType, block: usize, headDim: i32, out: usize, scratch: usize): usize {
  if (kvType != KV_Q8_0) return widenFloats(kvType, block, headDim, out);
  widenScales(block, headDim, scratch);
  let from = block + blockScaleBytes(headDim), to = out;
  for (let at: i32 = 0; at < headDim; at += GROUP_VALUES, scratch += 128) {
    const bytes = <usize>(min(headDim - at, GROUP_VALUES) * BLOCK_POSITIONS);
    // Eight positions after eight: their scales stay in registers.
    for (let lane: usize = 0; lane < <usize>BLOCK_POSITIONS; lane += 8) {
      const low = v128.load(scratch + (lane << 2)), high = v128.load(scratch + (lane << 2), 16);
      for (let p = from + lane, r = to + (lane << 2), end = p + bytes; p < end; p += 32, r += 128) {
        widenQ8x8(p, low, high, r);
      }
    }
    from += bytes;
    to += bytes << 2;
  }
  return out;
}

/** A block of V as f32 (32, headDim), in the same way. */
export function widenV(kvType: KvType, block: usize, headDim: i32, out: usize, scratch: usize): usize {
  if (kvType != KV_Q8_0) return widenFloats(kvType, block, headDim, out);
  widenScales(block, headDim, scratch);
  let from = block + blockScaleBytes(headDim), to = out;
  for (let position: i32 = 0; position < BLOCK_POSITIONS; position++) {
    for (let at: i32 = 0; at < headDim; at += GROUP_VALUES, scratch += 4) {
      const scale = v128.load32_splat(scratch);
      const end = from + <usize>min(headDim - at, GROUP_VALUES);
      for (; from + 8 <= end; from += 8, to += 32) widenQ8x8(from, scale, scale, to);
      if (from < end) {
        widenQ8x4(from, scale, to);
        from += 4;
        to += 16;
      }
    }
  }
  return out;
}

function widenFloats(kvType: KvType, block: usize, headDim: i32, out: usize): usize {
  if (kvType == KV_F32) return block;
  widenF16(block + MASK_BYTES, BLOCK_POSITIONS * headDim, out);
  return out;
}

function widenScales(block: usize, headDim: i32, scratch: usize): void {
  widenF16(block, scaleGroups(headDim) * BLOCK_POSITIONS, scratch);
}

/** `n` f16, a multiple of 16, as f32. */
function widenF16(from: usize, n: i32, to: usize): void {
  const exponent = v128.load(constants), factor = v128.load(constants, 16);
  for (const end = to + (<usize>n << 2); to < end; from += 32, to += 64) {
    if (allNormal16(from)) {
      widenNormal(from, exponent, factor, to);
      widenNormal(from + 8, exponent, factor, to + 16);
      widenNormal(from + 16, exponent, factor, to + 32);
      widenNormal(from + 24, exponent, factor, to + 48);
    } else {
      widenF16x16(from, to);
    }
  }
}

/** The exponent 224 and 2^-112: `loadNormalF16x4` with its constants in registers. */
const constants = memory.data<u32>(
  [
    0x70000000, 0x70000000, 0x70000000, 0x70000000,
    0x07800000, 0x07800000, 0x07800000, 0x07800000,
  ],
  16,
);

// @ts-ignore: decorator
@inline
function widenNormal(from: usize, exponent: v128, factor: v128, to: usize): void {
  v128.store(to, f32x4.mul(v128.or(i32x4.shl(v128.load16x4_s(from), 13), exponent), factor));
}

/** 8 integers times their scales. */
// @ts-ignore: decorator
@inline
function widenQ8x8(from: usize, low: v128, high: v128, to: usize): void {
  const words = v128.load8x8_s(from);
  v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(words)), low));
  v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(words)), high), 16);
}

// @ts-ignore: decorator
@inline
function widenQ8x4(from: usize, scale: v128, to: usize): void {
  const words = i16x8.extend_low_i8x16_s(v128.load32_zero(from));
  v128.store(to, f32x4.mul(f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(words)), scale));
}
