/** Four values of a block of the cache as f32x4: of f32, or of f16 where none is zero or subnormal. */

/** The exponent 224 and 2^-112: as in `loadNormalF16x4`, but kept in registers of the caller. */
const constants = memory.data<u32>(
  [
    0x70000000, 0x70000000, 0x70000000, 0x70000000,
    0x07800000, 0x07800000, 0x07800000, 0x07800000,
  ],
  16,
);

// @ts-ignore: decorator
@inline
export function f16Exponent(): v128 {
  return v128.load(constants);
}

// @ts-ignore: decorator
@inline
export function f16Factor(): v128 {
  return v128.load(constants, 16);
}

/** `T`: f32, or u16 for f16. */
// @ts-ignore: decorator
@inline
export function load4<T>(from: usize, exponent: v128, factor: v128): v128 {
  if (isFloat<T>()) return v128.load(from);
  return f32x4.mul(v128.or(i32x4.shl(v128.load16x4_s(from), 13), exponent), factor);
}
