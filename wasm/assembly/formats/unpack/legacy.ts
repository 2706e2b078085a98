/**
 * The types with blocks of 32 columns and plain integers.
 *
 *   Q4_0, 18 bytes:   f16 scale · 16 bytes of nibbles
 *   Q4_1, 20 bytes:   f16 scale · f16 min · 16 bytes of nibbles
 *   Q5_0, 22 bytes:   f16 scale · 32 bits, bit j: fifth bit of column j · 16 bytes of nibbles
 *   Q5_1, 24 bytes:   f16 scale · f16 min · 32 bits · 16 bytes of nibbles
 *   Q8_0, 34 bytes:   f16 scale · 32 × i8
 *
 * Nibbles: byte j has column j in its low, 16 + j in its high half.
 */
import {highNibbles, lowNibbles, spreadBits} from './bits';
import {setCodes, setMin, setScale} from './unpacked';

export function unpackQ4_0(block: usize): void {
  setScale(load<u16>(block));
  unpackNibbles(0, block + 2);
}

export function unpackQ4_1(block: usize): void {
  setScale(load<u16>(block));
  setMin(load<u16>(block, 2));
  unpackNibbles(0, block + 4);
}

export function unpackQ5_0(block: usize): void {
  setScale(load<u16>(block));
  unpackFiveBits(block + 2);
}

export function unpackQ5_1(block: usize): void {
  setScale(load<u16>(block));
  setMin(load<u16>(block, 2));
  unpackFiveBits(block + 4);
}

export function unpackQ8_0(block: usize): void {
  setScale(load<u16>(block));
  setCodes(0, v128.load(block, 2));
  setCodes(16, v128.load(block, 18));
}

/** 32 columns from `column` on, of 16 bytes of nibbles. */
// @ts-ignore: decorator
@inline
export function unpackNibbles(column: usize, nibbles: usize): void {
  const bytes = v128.load(nibbles);
  setCodes(column, lowNibbles(bytes));
  setCodes(column + 16, highNibbles(bytes));
}

/** 32 columns of 32 fifth bits and 16 bytes of nibbles. */
function unpackFiveBits(packed: usize): void {
  const fifth = load<u32>(packed);
  const bytes = v128.load(packed, 4);
  setCodes(0, v128.or(lowNibbles(bytes), spreadBits(16, fifth)));
  setCodes(16, v128.or(highNibbles(bytes), spreadBits(16, fifth >> 16)));
}
