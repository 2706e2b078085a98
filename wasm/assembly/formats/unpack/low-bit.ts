/**
 * Ternary types and the plain ones of one and two bits. The weight is the code - 1. (TQ2_0 has room for code 3;
 * ggml reads it as 2 and writes none.)
 *
 *   TQ1_0, 54 bytes, 256 columns:   32 + 16 bytes of 5 and 4 bytes of 4 ternary digits · f16 scale
 *   TQ2_0, 66 bytes, 256 columns:   64 bytes of pairs, as in Q2_K · f16 scale
 *   Q1_0, 18 bytes, 128 columns:    f16 scale · 128 bits, bit j of byte i: column 8 i + j; set: 1, not set: -1
 *   Q2_0, 18 bytes, 64 columns:     f16 scale · 16 bytes, byte i has column 4 i + j in bits 2 j and 2 j + 1
 *
 * A byte of TQ1_0 is a fraction: byte / 256 = 0.d₀d₁d₂d₃d₄ in base 3, rounded up. Of 32 (16, 4) bytes, all digits d₀
 * are the first 32 (16, 4) columns, all digits d₁ the next ones.
 */
import {spreadBits} from './bits';
import {unpackPairs} from './k-quants';
import {UNPACKED_CODES, setCodes, setScale} from './unpacked';

export function unpackTQ1_0(block: usize): void {
  unpackTernary(0, block, 32, 5);
  unpackTernary(160, block + 32, 16, 5);
  unpackTernary(240, block + 48, 4, 4);
  setScale(load<u16>(block, 52));
}

export function unpackTQ2_0(block: usize): void {
  unpackPairs(block);
  setScale(load<u16>(block, 64));
}

export function unpackQ1_0(block: usize): void {
  setScale(load<u16>(block));
  for (let column: usize = 0; column < 128; column += 16) {
    setCodes(column, spreadBits(2, load<u16>(block + (column >> 3), 2)));
  }
}

export function unpackQ2_0(block: usize): void {
  setScale(load<u16>(block));
  for (let i: usize = 0; i < 16; i++) {
    const pairs = <u32>load<u8>(block + i, 2);
    // Pair j goes from bit 2 j to bit 8 j.
    const spread = pairs | (pairs << 6) | (pairs << 12) | (pairs << 18);
    store<u32>(UNPACKED_CODES + i * 4, spread & 0x03030303);
  }
}

/** `digits` ternary digits of each of `bytes` bytes. */
function unpackTernary(column: usize, source: usize, bytes: usize, digits: u32): void {
  for (let i: usize = 0; i < bytes; i++) {
    let fraction = <u32>load<u8>(source + i);
    for (let digit: u32 = 0; digit < digits; digit++) {
      // Times 3, what comes before the point is the digit, what is left behind it the fraction for the next.
      fraction *= 3;
      store<u8>(UNPACKED_CODES + column + <usize>digit * bytes + i, <u8>(fraction >> 8));
      fraction &= 255;
    }
  }
}
