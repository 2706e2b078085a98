/**
 * The IQ types whose indices name points of a grid: 256 columns, the values of 8 (IQ3: 4) neighbouring columns at
 * once. Little endian; sub-blocks of 32 columns have a scale of 4 (IQ1: 3) bits s, which counts as 2 s + 1.
 *
 *   IQ2_XXS, 66 bytes:   f16 scale · 8 × (4 × u8 index · u32: 4 × 7 bits of signs, 4 bits of scale)
 *   IQ2_XS, 74 bytes:    f16 scale · 32 × u16: 9 bits of index, 7 of signs · 16 nibbles: scales of 16 columns
 *   IQ2_S, 82 bytes:     f16 scale · 32 × u8 index · 32 × u8 signs · 8 × u8: 4 × 2 upper bits of indices
 *                        · 16 nibbles: scales of 16 columns
 *   IQ3_XXS, 98 bytes:   f16 scale · 64 × u8 index · 8 × u32: 4 × 7 bits of signs, 4 bits of scale
 *   IQ3_S, 110 bytes:    f16 scale · 64 × u8 index · 64 bits: upper bits of indices · 32 × u8 signs
 *                        · 8 nibbles: scales
 *   IQ1_S, 50 bytes:     f16 scale · 32 × u8 index · 8 × u16: 4 × 3 upper bits of indices, 3 bits of scale,
 *                        1 bit shift
 *   IQ1_M, 56 bytes:     32 × u8 index · 32 nibbles: 3 upper bits of an index, 1 bit shift
 *                        · 4 × u16: 4 × 3 bits of scales of 16 columns, then 4 bits of the f16 scale
 *
 * Signs: bit j of 8 is set where column j of the eight is negative; where 7 bits are stored, the number of negative
 * columns is even. Shift (IQ1): the values of the point are all 1/8 greater, or less where the bit is set.
 *
 * Code of a weight: the index of its magnitude (IQ1: of its grid value), and 8 where the sign (IQ1: the shift) is
 * negative.
 */
import {nibble} from './bits';
import {
  IQ1_GRID,
  IQ1_POINTS,
  IQ2_S_GRID,
  IQ2_S_POINTS,
  IQ2_XS_GRID,
  IQ2_XS_POINTS,
  IQ2_XXS_GRID,
  IQ2_XXS_POINTS,
  IQ3_S_GRID,
  IQ3_S_POINTS,
  IQ3_XXS_GRID,
  IQ3_XXS_POINTS,
  gridPoint,
} from './iq-grids';
import {UNPACKED_CODES, setScale, setSubScale} from './unpacked';

export function unpackIQ2_XXS(block: usize): void {
  setScale(load<u16>(block));
  for (let i: usize = 0; i < 8; i++) {
    const indices = block + 2 + i * 8;
    const signs = load<u32>(indices, 4);
    setSubScale(i, 2 * (signs >> 28) + 1);
    for (let j: usize = 0; j < 4; j++) {
      const point = gridPoint(IQ2_XXS_GRID, IQ2_XXS_POINTS, load<u8>(indices + j));
      setEight(i * 4 + j, point, evenSigns(signs >> <u32>(j * 7)));
    }
  }
}

export function unpackIQ2_XS(block: usize): void {
  setScale(load<u16>(block));
  for (let i: usize = 0; i < 16; i++) setSubScale(i, 2 * nibble(block + 66, i) + 1);
  for (let i: usize = 0; i < 32; i++) {
    const word = <u32>load<u16>(block + 2 + i * 2);
    setEight(i, gridPoint(IQ2_XS_GRID, IQ2_XS_POINTS, word & 511), evenSigns(word >> 9));
  }
}

export function unpackIQ2_S(block: usize): void {
  setScale(load<u16>(block));
  for (let i: usize = 0; i < 16; i++) setSubScale(i, 2 * nibble(block + 74, i) + 1);
  for (let i: usize = 0; i < 32; i++) {
    const upper = (<u32>load<u8>(block + (i >> 2), 66) >> <u32>((i & 3) * 2)) & 3;
    const index = <u32>load<u8>(block + i, 2) | (upper << 8);
    setEight(i, gridPoint(IQ2_S_GRID, IQ2_S_POINTS, index), load<u8>(block + i, 34));
  }
}

export function unpackIQ3_XXS(block: usize): void {
  setScale(load<u16>(block));
  for (let i: usize = 0; i < 8; i++) {
    const indices = block + 2 + i * 8;
    const signs = load<u32>(block + i * 4, 66);
    setSubScale(i, 2 * (signs >> 28) + 1);
    for (let j: usize = 0; j < 4; j++) {
      const first = gridPoint(IQ3_XXS_GRID, IQ3_XXS_POINTS, load<u8>(indices + j * 2));
      const second = gridPoint(IQ3_XXS_GRID, IQ3_XXS_POINTS, load<u8>(indices + j * 2, 1));
      setTwiceFour(i * 4 + j, first, second, evenSigns(signs >> <u32>(j * 7)));
    }
  }
}

export function unpackIQ3_S(block: usize): void {
  setScale(load<u16>(block));
  for (let i: usize = 0; i < 8; i++) setSubScale(i, 2 * nibble(block + 106, i) + 1);
  for (let i: usize = 0; i < 32; i++) {
    const indices = block + 2 + i * 2;
    const upper = <u32>load<u8>(block + (i >> 2), 66) >> <u32>((i & 3) * 2);
    const first = gridPoint(IQ3_S_GRID, IQ3_S_POINTS, <u32>load<u8>(indices) | ((upper & 1) << 8));
    const second = gridPoint(IQ3_S_GRID, IQ3_S_POINTS, <u32>load<u8>(indices, 1) | ((upper & 2) << 7));
    setTwiceFour(i, first, second, load<u8>(block + i, 74));
  }
}

export function unpackIQ1_S(block: usize): void {
  setScale(load<u16>(block));
  for (let i: usize = 0; i < 8; i++) {
    const word = <u32>load<u16>(block + i * 2, 34);
    setSubScale(i, 2 * ((word >> 12) & 7) + 1);
    for (let j: usize = 0; j < 4; j++) {
      const upper = (word >> <u32>(j * 3)) & 7;
      const index = <u32>load<u8>(block + i * 4 + j, 2) | (upper << 8);
      setShifted(i * 4 + j, gridPoint(IQ1_GRID, IQ1_POINTS, index), word >> 15);
    }
  }
}

export function unpackIQ1_M(block: usize): void {
  let scale: u32 = 0;
  for (let i: usize = 0; i < 4; i++) {
    const word = <u32>load<u16>(block + i * 2, 48);
    scale |= (word >> 12) << <u32>(i * 4);
    for (let j: usize = 0; j < 4; j++) setSubScale(i * 4 + j, 2 * ((word >> <u32>(j * 3)) & 7) + 1);
  }
  setScale(<u16>scale);
  for (let i: usize = 0; i < 32; i++) {
    const upper = nibble(block + 32, i);
    const index = <u32>load<u8>(block + i) | ((upper & 7) << 8);
    setShifted(i, gridPoint(IQ1_GRID, IQ1_POINTS, index), upper >> 3);
  }
}

/** The lower 7 bits, and an eighth that makes the number of set bits even. */
// @ts-ignore: decorator
@inline
function evenSigns(signs: u32): u32 {
  const seven = signs & 127;
  return seven | ((popcnt(seven) & 1) << 7);
}

/** Codes of the eight columns `eight * 8` …: a point of eight 2-bit indices, and signs. */
// @ts-ignore: decorator
@inline
function setEight(eight: usize, point: u32, signs: u32): void {
  store<u64>(UNPACKED_CODES + eight * 8, spreadPairs(point) | spreadSigns(signs));
}

/** The same of two points of four 3-bit indices. */
// @ts-ignore: decorator
@inline
function setTwiceFour(eight: usize, first: u32, second: u32, signs: u32): void {
  const indices = <u64>spreadTriples(first) | (<u64>spreadTriples(second) << 32);
  store<u64>(UNPACKED_CODES + eight * 8, indices | spreadSigns(signs));
}

/** The same of a point of eight 2-bit indices that is shifted down if `down` is 1, up if 0. */
// @ts-ignore: decorator
@inline
function setShifted(eight: usize, point: u32, down: u32): void {
  store<u64>(UNPACKED_CODES + eight * 8, spreadPairs(point) | (<u64>down * 0x0808080808080808));
}

/** Eight pairs of bits, each to a byte of its own: halved, and the halves moved apart, three times. */
// @ts-ignore: decorator
@inline
function spreadPairs(pairs: u32): u64 {
  const bytes = <u64>pairs;
  const words = (bytes | (bytes << 24)) & 0x000000ff000000ff;
  const nibbles = (words | (words << 12)) & 0x000f000f000f000f;
  return (nibbles | (nibbles << 6)) & 0x0303030303030303;
}

/** Four triples of bits, each to a byte of its own. */
// @ts-ignore: decorator
@inline
function spreadTriples(triples: u32): u32 {
  return (triples & 7) | ((triples & 0x38) << 5) | ((triples & 0x1c0) << 10) | ((triples & 0xe00) << 15);
}

/** Eight bits, each to bit 3 of a byte of its own. */
// @ts-ignore: decorator
@inline
function spreadSigns(signs: u32): u64 {
  // Byte i keeps bit i of its copy; adding 127 carries any bit of a byte into its highest, and no further.
  const own = (<u64>signs * 0x0101010101010101) & 0x8040201008040201;
  return ((own + 0x7f7f7f7f7f7f7f7f) & 0x8080808080808080) >> 4;
}
