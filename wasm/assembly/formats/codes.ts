/**
 * Codes of less than 8 bits, in planes.
 *
 * Columns in fours are *quads*: quads 0 … 7 of 32 columns. In a quad every row has a 32-bit lane, a byte for each of the
 * 4 columns; rows lie side by side, so a quad of 8 rows has 32 bytes, one of 16 rows 64. Planes of the codes of 32
 * columns, in quads (each as many bytes as a quad of the rows):
 *   4 bits   4 parts   part p: quad p in the low, quad 4 + p in the high nibbles
 *   2 bits   2 parts   part h: quads 2 h, 2 h + 1, 4 + 2 h, 5 + 2 h, from the lowest bits up
 *   1 bit    1 part    bit q: quad q
 * Codes of 5 and 6 bits: the plane of the 4 low bits, then that of the high ones; of 3 bits: 2 low, then 1 high.
 */
import {
  Format,
  IQ4_NL,
  MXFP4,
  NVFP4,
  Q2,
  Q2_K,
  Q3_K,
  Q5,
  Q5_K,
  Q5_MIN,
  Q6_K,
  TABLE,
  TABLE_SHORT,
  TQ2,
} from './format';

/** Columns of one set of planes. */
export const PLANE_COLUMNS: i32 = 32;

// @ts-ignore: decorator
@inline
export function codeBits(shape: Format): usize {
  if (shape == Q2_K || shape == TQ2 || shape == Q2) return 2;
  if (shape == Q3_K) return 3;
  if (shape == Q5_K || shape == Q5 || shape == Q5_MIN) return 5;
  return shape == Q6_K ? 6 : 4;
}

/** Whether codes are indices into a table of 16 values. */
// @ts-ignore: decorator
@inline
export function hasTable(shape: Format): bool {
  return shape == TABLE || shape == TABLE_SHORT || shape == IQ4_NL || shape == MXFP4 || shape == NVFP4;
}

/** 32 codes into the lane of a row, `out`. */
export function packPlanes(shape: Format, quad: usize, codes: usize, out: usize): void {
  const bits = codeBits(shape);
  if (bits >= 4) packNibbles(quad, codes, out);
  else packPairs(quad, codes, out, 0);
  if (bits == 6) packPairs(quad, codes, out + 4 * quad, 4);
  if (bits == 5) packBits(codes, out + 4 * quad, 4);
  if (bits == 3) packBits(codes, out + 2 * quad, 2);
}

function packNibbles(quad: usize, codes: usize, out: usize): void {
  for (let p: usize = 0; p < 4; p++) {
    const low = load<u32>(codes + p * 4) & 0x0f0f0f0f, high = load<u32>(codes + p * 4, 16) & 0x0f0f0f0f;
    store<u32>(out + p * quad, low | (high << 4));
  }
}

/** Two bits of every code, from bit `shift` on. */
function packPairs(quad: usize, codes: usize, out: usize, shift: u32): void {
  for (let h: usize = 0; h < 2; h++) {
    const quads = codes + h * 8;
    const a = (load<u32>(quads) >> shift) & 0x03030303, b = (load<u32>(quads, 4) >> shift) & 0x03030303;
    const c = (load<u32>(quads, 16) >> shift) & 0x03030303, d = (load<u32>(quads, 20) >> shift) & 0x03030303;
    store<u32>(out + h * quad, a | (b << 2) | (c << 4) | (d << 6));
  }
}

/** Bit `shift` of every code. */
function packBits(codes: usize, out: usize, shift: u32): void {
  let bits: u32 = 0;
  for (let i: u32 = 0; i < 8; i++) {
    bits |= ((load<u32>(codes + i * 4) >> shift) & 0x01010101) << i;
  }
  store<u32>(out, bits);
}

/** The code of column `column` (0 … 31); `lane`: the planes at the row's lane. */
export function codeAt(shape: Format, quad: usize, lane: usize, column: usize): u32 {
  const bits = codeBits(shape);
  const at = column >> 2, byte = lane + (column & 3);
  const pairShift = (at & 1) * 2 + (at >> 2) * 4, pairPart = ((at >> 1) & 1) * quad;
  if (bits < 4) {
    const low = (<u32>load<u8>(byte + pairPart) >> <u32>pairShift) & 3;
    return bits == 2 ? low : low | (((<u32>load<u8>(byte + 2 * quad) >> <u32>at) & 1) << 2);
  }
  const low = (<u32>load<u8>(byte + (at & 3) * quad) >> <u32>((at >> 2) * 4)) & 15;
  if (bits == 5) return low | (((<u32>load<u8>(byte + 4 * quad) >> <u32>at) & 1) << 4);
  if (bits == 6) return low | (((<u32>load<u8>(byte + 4 * quad + pairPart) >> <u32>pairShift) & 3) << 4);
  return low;
}
