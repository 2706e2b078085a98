/**
 * Four-bit codes that are indices into a table of values (values.ts).
 *
 *   IQ4_NL, 18 bytes, 32 columns:    f16 scale · 16 bytes of nibbles
 *   IQ4_XS, 136 bytes, 256 columns:  f16 scale · 16 bits, bits 2 i and 2 i + 1: upper bits of scale i
 *                                    · 4 bytes, nibble i: its lower bits · 8 × 16 bytes of nibbles
 *   MXFP4, 17 bytes, 32 columns:     e8m0 scale · 16 bytes of nibbles
 *   NVFP4, 36 bytes, 64 columns:     4 × ue4m3 scales of 16 columns · 4 × 8 bytes of nibbles
 *
 * Nibbles: of 16 bytes, byte j has column j in its low, 16 + j in its high half. NVFP4: of 8 bytes, j and 8 + j.
 */
import {highNibbles, lowNibbles, nibble} from './bits';
import {unpackNibbles} from './legacy';
import {UNPACKED_SCALES, setCodes, setScale, setSubScale} from './unpacked';

export function unpackIQ4_NL(block: usize): void {
  setScale(load<u16>(block));
  unpackNibbles(0, block + 2);
}

export function unpackIQ4_XS(block: usize): void {
  setScale(load<u16>(block));
  const upper = <u32>load<u16>(block, 2);
  for (let i: usize = 0; i < 8; i++) {
    setSubScale(i, (nibble(block + 4, i) | (((upper >> <u32>(i * 2)) & 3) << 4)) - 32);
    unpackNibbles(i * 32, block + 8 + i * 16);
  }
}

export function unpackMXFP4(block: usize): void {
  setScale(halfE8M0AsBF16(load<u8>(block)));
  unpackNibbles(0, block + 1);
}

export function unpackNVFP4(block: usize): void {
  setScale(0);
  store<u32>(UNPACKED_SCALES, load<u32>(block));
  for (let column: usize = 0; column < 64; column += 32) {
    const bytes = v128.load(block + 4 + (column >> 1));
    const low = lowNibbles(bytes), high = highNibbles(bytes);
    setCodes(column, i64x2.shuffle(low, high, 0, 2));
    setCodes(column + 16, i64x2.shuffle(low, high, 1, 3));
  }
}

/**
 * Half of the e8m0 value 2^(code - 127), since the table has twice the values: 2^(code - 128) as bf16 bits. It has
 * an exponent field of code - 1; 2^-127 and 2^-128 are subnormal.
 */
function halfE8M0AsBF16(code: u32): u16 {
  const bits: u32 = code < 2 ? 0x20 << code : (code - 1) << 7;
  return <u16>bits;
}
