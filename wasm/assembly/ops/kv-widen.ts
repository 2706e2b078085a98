/** Blocks of the cache as f32, for the arithmetic of attention. Exact: a q8_0 value has 11 + 7 bits. */
import {allNormal16, widenF16x16} from '../formats/f16';
import {
  BLOCK_POSITIONS,
  blockScaleBytes,
  GROUP_VALUES,
  KV_F16,
  KV_F32,
  KvType,
  scaleGroups,
} from './kv-cache';
import {f16Exponent, f16Factor, load4} from './kv-load';

/** Scratch of `widenK` and `widenV`: the scales of a block, f32. */
export function widenScratchBytes(headDim: i32): usize {
  return <usize>(scaleGroups(headDim) * BLOCK_POSITIONS) << 2;
}

/**
 * A block of K as f32 (headDim, 32): where it is, if it is f32, else written to `out`. Returns where.
 */
export function widenK(kvType: KvType, block: usize, headDim: i32, out: usize, scratch: usize): usize {
  if (kvType == KV_F32) return block;
  if (kvType == KV_F16) {
    widenF16(block, BLOCK_POSITIONS * headDim, out);
    return out;
  }
  widenF16(block, scaleGroups(headDim) * BLOCK_POSITIONS, scratch);
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
  if (kvType == KV_F32) return block;
  if (kvType == KV_F16) {
    widenF16(block, BLOCK_POSITIONS * headDim, out);
    return out;
  }
  widenF16(block, scaleGroups(headDim) * BLOCK_POSITIONS, scratch);
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

/** Whether none of the f16 in `bytes`, a multiple of 128, is zero or subnormal: whose exponent is 0. */
export function allNormal(from: usize, bytes: usize): bool {
  const exponent = i16x8.splat(0x7c00);
  let a = exponent, b = a, c = a, d = a;
  for (const end = from + bytes; from < end; from += 64) {
    a = i16x8.min_u(a, v128.and(v128.load(from), exponent));
    b = i16x8.min_u(b, v128.and(v128.load(from, 16), exponent));
    c = i16x8.min_u(c, v128.and(v128.load(from, 32), exponent));
    d = i16x8.min_u(d, v128.and(v128.load(from, 48), exponent));
  }
  return i16x8.all_true(i16x8.min_u(i16x8.min_u(a, b), i16x8.min_u(c, d)));
}

/** `n` f16, a multiple of 16, as f32. */
function widenF16(from: usize, n: i32, to: usize): void {
  const exponent = f16Exponent(), factor = f16Factor();
  for (const end = to + (<usize>n << 2); to < end; from += 32, to += 64) {
    if (allNormal16(from)) {
      v128.store(to, load4<u16>(from, exponent, factor));
      v128.store(to, load4<u16>(from + 8, exponent, factor), 16);
      v128.store(to, load4<u16>(from + 16, exponent, factor), 32);
      v128.store(to, load4<u16>(from + 24, exponent, factor), 48);
    } else {
      widenF16x16(from, to);
    }
  }
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
