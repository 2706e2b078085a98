/**
 * Four values of a block of the cache on their way into registers: of f32, or of f16 times 2^-112, where none is
 * subnormal, infinite or NaN. What they are multiplied by is to be taken times 2^112: the products are the same
 * bits then as those of the values themselves.
 */

/** 2^112 */
export const F16_SCALE: f32 = reinterpret<f32>(0x77800000);

/** What remains of an f16 that was extended with its sign and shifted by 13: sign, exponent, mantissa. */
const mask = memory.data<u32>([0x8fffffff, 0x8fffffff, 0x8fffffff, 0x8fffffff], 16);

/** For `load4`: from memory, so that it stays in a register of the caller. */
// @ts-ignore: decorator
@inline
export function f16Mask(): v128 {
  return v128.load(mask);
}

/** `T`: f32, or u16 for f16. */
// @ts-ignore: decorator
@inline
export function load4<T>(from: usize, mask: v128): v128 {
  if (isFloat<T>()) return v128.load(from);
  return v128.and(i32x4.shl(v128.load16x4_s(from), 13), mask);
}

/** Whether `load4` can take the positions [from, to) of a block of f16. */
// @ts-ignore: decorator
@inline
export function isPlain(block: usize, from: i32, to: i32): bool {
  const positions = (<u32>-1 >> (32 - to)) & (<u32>-1 << from);
  return (load<u32>(block) & positions) == positions;
}
