/**
 * The K types: blocks of 256 columns in sub-blocks of 16 (Q4_K, Q5_K: 32) with integer scales.
 *
 *   Q2_K, 84 bytes:    16 bytes: scale in the low, min in the high nibble · 64 bytes of pairs
 *                      · f16 scale · f16 min
 *   Q3_K, 110 bytes:   32 bytes, bit k of byte j: third bit of column 32 k + j · 64 bytes of pairs
 *                      · 12 bytes of scales · f16 scale
 *   Q4_K, 144 bytes:   f16 scale · f16 min · 12 bytes of scales and mins · 4 × 32 bytes of nibbles
 *   Q5_K, 176 bytes:   f16 scale · f16 min · 12 bytes of scales and mins
 *                      · 32 bytes, bit k of byte j: fifth bit of column 32 k + j · 4 × 32 bytes of nibbles
 *   Q6_K, 210 bytes:   2 × 64 bytes of lower, 2 × 32 bytes of upper bits · 16 × i8 scales · f16 scale
 *
 * Pairs: half h (128 columns) has 32 bytes; byte j has column 128 h + 32 k + j in bits 2 k and 2 k + 1.
 * Nibbles: of 32 bytes, byte j has column j in its low, 32 + j in its high half; the next 32 have the next 64
 * columns. Q6_K, in each half of 128 columns: lower byte j has the lower 4 bits of column j and of 64 + j, upper
 * byte j the upper 2 bits of columns j, 32 + j, 64 + j, 96 + j.
 */
import {bitAs, bitPairs, highNibbles, lowNibbles} from './bits';
import {UNPACKED_SCALES, setCodes, setMin, setScale, setSubMin, setSubScale} from './unpacked';

export function unpackQ2_K(block: usize): void {
  for (let subBlock: usize = 0; subBlock < 16; subBlock++) {
    const byte = <u32>load<u8>(block + subBlock);
    setSubScale(subBlock, byte & 15);
    setSubMin(subBlock, byte >> 4);
  }
  unpackPairs(block + 16);
  setScale(load<u16>(block, 80));
  setMin(load<u16>(block, 82));
}

export function unpackQ3_K(block: usize): void {
  const pairs = block + 32, scales = block + 96;
  for (let i: usize = 0; i < 16; i++) {
    // Byte i of the first eight has the lower bits of scales i and 8 + i; byte 8 + i the upper ones of i, 4 + i, ….
    const lower = (<u32>load<u8>(scales + (i & 7)) >> <u32>((i >> 3) << 2)) & 15;
    const upper = (<u32>load<u8>(scales + (i & 3), 8) >> <u32>((i >> 2) << 1)) & 3;
    setSubScale(i, (lower | (upper << 4)) - 32);
  }
  for (let column: usize = 0; column < 256; column += 16) {
    const bytes = v128.load(pairs + (column >> 7) * 32 + (column & 16));
    const third = bitAs(4, v128.load(block + (column & 16)), <i32>(column >> 5));
    setCodes(column, v128.or(bitPairs(bytes, pairShift(column)), third));
  }
  setScale(load<u16>(block, 108));
}

export function unpackQ4_K(block: usize): void {
  setScale(load<u16>(block));
  setMin(load<u16>(block, 2));
  unpackScalesAndMins(block + 4);
  for (let column: usize = 0; column < 256; column += 64) {
    for (let j: usize = 0; j < 32; j += 16) {
      const bytes = v128.load(block + 16 + (column >> 1) + j);
      setCodes(column + j, lowNibbles(bytes));
      setCodes(column + 32 + j, highNibbles(bytes));
    }
  }
}

export function unpackQ5_K(block: usize): void {
  setScale(load<u16>(block));
  setMin(load<u16>(block, 2));
  unpackScalesAndMins(block + 4);
  for (let column: usize = 0; column < 256; column += 64) {
    const bit = <i32>(column >> 5);
    for (let j: usize = 0; j < 32; j += 16) {
      const fifth = v128.load(block + 16 + j);
      const bytes = v128.load(block + 48 + (column >> 1) + j);
      setCodes(column + j, v128.or(lowNibbles(bytes), bitAs(16, fifth, bit)));
      setCodes(column + 32 + j, v128.or(highNibbles(bytes), bitAs(16, fifth, bit + 1)));
    }
  }
}

export function unpackQ6_K(block: usize): void {
  for (let half: usize = 0; half < 2; half++) {
    const lower = block + half * 64, upper = block + 128 + half * 32, column = half * 128;
    for (let j: usize = 0; j < 32; j += 16) {
      const first = v128.load(lower + j), second = v128.load(lower + j, 32), top = v128.load(upper + j);
      setCodes(column + j, withUpperPair(lowNibbles(first), top, 0));
      setCodes(column + 32 + j, withUpperPair(lowNibbles(second), top, 2));
      setCodes(column + 64 + j, withUpperPair(highNibbles(first), top, 4));
      setCodes(column + 96 + j, withUpperPair(highNibbles(second), top, 6));
    }
  }
  v128.store(UNPACKED_SCALES, v128.load(block, 192));
  setScale(load<u16>(block, 208));
}

/** Codes of 256 columns from 64 bytes of pairs. */
export function unpackPairs(pairs: usize): void {
  for (let column: usize = 0; column < 256; column += 16) {
    const bytes = v128.load(pairs + (column >> 7) * 32 + (column & 16));
    setCodes(column, bitPairs(bytes, pairShift(column)));
  }
}

/** Which bits of its byte a column's pair is. */
// @ts-ignore: decorator
@inline
function pairShift(column: usize): i32 {
  return <i32>((column >> 5) & 3) << 1;
}

/** Lower four bits of codes, with the pair at `shift` of the bytes `upper` above them. */
// @ts-ignore: decorator
@inline
function withUpperPair(lower: v128, upper: v128, shift: i32): v128 {
  return v128.or(lower, i8x16.shl(bitPairs(upper, shift), 4));
}

/**
 * 8 scales and 8 mins of 6 bits in 12 bytes. The lower 6 bits of bytes 0 … 3 are scales 0 … 3, those of bytes
 * 4 … 7 mins 0 … 3. Scales and mins 4 … 7 have their lower bits in the low and the high nibbles of bytes 8 … 11
 * and their upper two in the bits that the first eight bytes have left.
 */
function unpackScalesAndMins(packed: usize): void {
  for (let i: usize = 0; i < 4; i++) {
    const scale = <u32>load<u8>(packed + i), min = <u32>load<u8>(packed + i, 4);
    const lower = <u32>load<u8>(packed + i, 8);
    setSubScale(i, scale & 63);
    setSubMin(i, min & 63);
    setSubScale(i + 4, (lower & 15) | ((scale >> 6) << 4));
    setSubMin(i + 4, (lower >> 4) | ((min >> 6) << 4));
  }
}
