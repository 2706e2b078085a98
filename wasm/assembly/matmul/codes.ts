/** The operand of the products, 16 bytes (4 rows × 4 columns) at a time, from the planes of codes (formats/codes.ts). */
import {codeBits, hasTable} from '../formats/codes';
import {Format} from '../formats/format';

/** Masks of code bits in every byte. Loaded, not written as constants: engines rebuild constants at every use. */
const masks = memory.data<u8>(
  [
    0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f, 0x0f,
    0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30,
    0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10,
    0x03, 0x03, 0x03, 0x03, 0x03, 0x03, 0x03, 0x03, 0x03, 0x03, 0x03, 0x03, 0x03, 0x03, 0x03, 0x03,
    0x04, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04,
  ],
  16,
);

/** The mask of the low plane, and that of the high one, for the functions below. */
// @ts-ignore: decorator
@inline
export function lowMask(shape: Format): v128 {
  return v128.load(masks + (codeBits(shape) >= 4 ? 0 : 48));
}

// @ts-ignore: decorator
@inline
export function highMask(shape: Format): v128 {
  return v128.load(masks + (codeBits(shape) == 6 ? 16 : codeBits(shape) == 5 ? 32 : 64));
}

/** Whether the low plane has nibbles; else it has pairs of bits. */
// @ts-ignore: decorator
@inline
export function hasNibbles(shape: Format): bool {
  return codeBits(shape) >= 4;
}

/** Parts of the low plane that a part of the high plane serves, one after the other; see `nextHigh`. */
// @ts-ignore: decorator
@inline
export function partsPerHigh(shape: Format): i32 {
  return codeBits(shape) == 6 || codeBits(shape) == 3 ? 2 : 4;
}

/**
 * 16 bytes of the high plane for part p of the low one, the first that it serves; `codes`: 4 rows of the planes, `quad`:
 * bytes of a quad.
 */
// @ts-ignore: decorator
@inline
export function loadHigh(shape: Format, quad: usize, codes: usize, p: i32): v128 {
  if (codeBits(shape) == 6) return v128.load(codes + (4 + (p >> 1)) * quad);
  if (codeBits(shape) == 5) return v128.load(codes + 4 * quad);
  if (codeBits(shape) == 3) return v128.load(codes + 2 * quad);
  return i32x4.splat(0);
}

/** The same for the next part. Engines are slow where a shift is no constant, so all shifts are by the same. */
// @ts-ignore: decorator
@inline
export function nextHigh(shape: Format, high: v128): v128 {
  if (codeBits(shape) == 5) return i16x8.shr_u(high, 1);
  return codeBits(shape) == 6 || codeBits(shape) == 3 ? i16x8.shr_u(high, 2) : high;
}

/** Entries of a table of 16; without a check of the codes, which are below 16, where the core may leave it out. */
// @ts-ignore: decorator
@inline
function lookUp(table: v128, codes: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? i8x16.relaxed_swizzle(table, codes) : i8x16.swizzle(table, codes);
}

/** Quad p of nibbles, where `low` is part p, and quad 4 + p. */
// @ts-ignore: decorator
@inline
export function lowNibbles(shape: Format, low: v128, high: v128, mask: v128, mask2: v128, table: v128): v128 {
  const code = v128.and(low, mask);
  if (codeBits(shape) > 4) return v128.or(code, v128.and(i16x8.shl(high, 4), mask2));
  return hasTable(shape) ? lookUp(table, code) : code;
}

// @ts-ignore: decorator
@inline
export function highNibbles(shape: Format, low: v128, high: v128, mask: v128, mask2: v128, table: v128): v128 {
  const code = v128.and(i16x8.shr_u(low, 4), mask);
  if (codeBits(shape) > 4) return v128.or(code, v128.and(high, mask2));
  return hasTable(shape) ? lookUp(table, code) : code;
}

/** Pair `i` (0 to 3) of bits of part h: quads 2 h, 2 h + 1, 4 + 2 h, 5 + 2 h. */
// @ts-ignore: decorator
@inline
export function pairCodes(shape: Format, low: v128, high: v128, i: i32, mask: v128, mask2: v128): v128 {
  const code = v128.and(i ? i16x8.shr_u(low, 2 * i) : low, mask);
  if (codeBits(shape) != 3) return code;
  // Its bit, 0, 1, 4 or 5, goes to place 2.
  const bit = i >= 2 ? i16x8.shr_u(high, i) : i16x8.shl(high, 2 - i);
  return v128.or(code, v128.and(bit, mask2));
}

/** The operands that the entries of a table become. */
// @ts-ignore: decorator
@inline
export function operands(table: usize, offset: i32): v128 {
  return i8x16.add(v128.load(table), i8x16.splat(<i8>offset));
}
