/** Fields of bits, 16 bytes at a time, and nibbles. */

/** The low nibbles of 16 bytes. */
// @ts-ignore: decorator
@inline
export function lowNibbles(bytes: v128): v128 {
  return v128.and(bytes, i8x16.splat(15));
}

/** The high nibbles of 16 bytes. */
// @ts-ignore: decorator
@inline
export function highNibbles(bytes: v128): v128 {
  return i8x16.shr_u(bytes, 4);
}

/** Bits `shift` and `shift + 1` of 16 bytes. */
// @ts-ignore: decorator
@inline
export function bitPairs(bytes: v128, shift: i32): v128 {
  return v128.and(i8x16.shr_u(bytes, shift), i8x16.splat(3));
}

/** Where bit `shift` of a byte is set: `value`, else 0. */
// @ts-ignore: decorator
@inline
export function bitAs(value: i8, bytes: v128, shift: i32): v128 {
  const mask = i8x16.splat(<i8>(<i32>1 << shift));
  return v128.and(i8x16.eq(v128.and(bytes, mask), mask), i8x16.splat(value));
}

/** Byte i: `value` where bit i of the lower 16 `bits` is set, else 0. */
// @ts-ignore: decorator
@inline
export function spreadBits(value: i8, bits: u32): v128 {
  const words = i16x8.splat(<i16>bits);
  const bytes = i8x16.shuffle(words, words, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1);
  const masks = i8x16(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128);
  return v128.and(i8x16.eq(v128.and(bytes, masks), masks), i8x16.splat(value));
}

/** Nibble `index` of the bytes at `pointer`, the low one of each byte first. */
// @ts-ignore: decorator
@inline
export function nibble(pointer: usize, index: usize): u32 {
  return (<u32>load<u8>(pointer + (index >> 1)) >> <u32>((index & 1) << 2)) & 15;
}
