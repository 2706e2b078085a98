/**
 * How this engine's relaxed dot product reads its second operand.
 *
 * `i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, sum)` is exact everywhere while w is 0 … 127. With the eighth
 * bit set engines differ, by processor: w is signed, or unsigned, or unsigned with pairs of products
 * saturated to 16 bits. The probe finds out once; weights of 8 bits are then stored so that the sums are
 * exact integers, the same ones in every engine.
 */

import {Format, IQ4_NL, IQ4_XS, Q8} from '../formats/format';

/** w is a signed byte; sums are exact. */
export const SIGNED: i32 = 0;
/** w is an unsigned byte; sums are exact. Weights are stored plus 128; 128 × (sum of x) is subtracted. */
export const UNSIGNED: i32 = 1;
/** Exact for w in 0 … 127 only: weights of 8 bits run on 16-bit products, all others on the relaxed dot product. */
export const SEVEN_BIT: i32 = 2;
/** No relaxed dot product in this core: everything runs on 16-bit products. */
export const NONE: i32 = 3;
/** Wrong even for w in 0 … 127: this core must not be used. */
export const BROKEN: i32 = -1;

let mode: i32 = ASC_FEATURE_RELAXED_SIMD ? SEVEN_BIT : NONE;

/** What `probeRelaxedDot` returned. Decides how Q8 weights are stored: set it before anything is repacked. */
export function setDotMode(value: i32): void {
  mode = value;
}

/** Whether Q8 activations and products use 16-bit integers. */
// @ts-ignore: decorator
@inline
function q8UsesWords(): bool {
  return !ASC_FEATURE_RELAXED_SIMD || mode == SEVEN_BIT;
}

/** Whether the kernels of a quantised format take words (16-bit integers) or bytes. */
// @ts-ignore: decorator
@inline
export function usesWords(format: Format): bool {
  return !ASC_FEATURE_RELAXED_SIMD || ((format == Q8 || format == IQ4_NL || format == IQ4_XS) && q8UsesWords());
}

/** What is xor-ed to four stored Q8 weights. */
// @ts-ignore: decorator
@inline
export function q8SignMask(): u32 {
  return ASC_FEATURE_RELAXED_SIMD && mode == UNSIGNED ? 0x80808080 : 0;
}

/** What is added to weights of 8 bits before they are the dot product's second operand. */
export function byteOffset(): i32 {
  return ASC_FEATURE_RELAXED_SIMD && mode == UNSIGNED ? 128 : 0;
}

/** What a Q8 product starts from, for activations of the given sum. */
// @ts-ignore: decorator
@inline
export function q8Start(sum: i32): i32 {
  return ASC_FEATURE_RELAXED_SIMD && mode == UNSIGNED ? -128 * sum : 0;
}

/** The relaxed dot product: x signed, w as the mode says, four products added to each lane of `sum`. */
// @ts-ignore: decorator
@inline
export function dot(x: v128, w: v128, sum: v128): v128 {
  return i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, sum);
}

/** The half of it: pairs of products in lanes of 16 bits. Exact for w in 0 … 127. */
// @ts-ignore: decorator
@inline
export function dotPairs(x: v128, w: v128): v128 {
  return i16x8.relaxed_dot_i8x16_i7x16_s(x, w);
}

/** Whether the relaxed dot product is no instruction of the processor; its half is one then. */
// @ts-ignore: decorator
@inline
export function isSlow(): bool {
  return ASC_FEATURE_RELAXED_SIMD && mode == SEVEN_BIT;
}

/**
 * Operands and result of the probe, 16 bytes each. In memory: an optimiser must not compute what is asked of
 * the engine.
 */
const xs = memory.data(48, 16);
const ws = xs + 16;
const sums = xs + 32;

/** The exact sum of products of `lane`, the weights read as signed or as unsigned bytes. */
function expected(lane: usize, signed: bool): i32 {
  let sum: i32 = 0;
  for (let i = lane * 4; i < lane * 4 + 4; i++) {
    const weight = signed ? <i32>load<i8>(ws + i) : <i32>load<u8>(ws + i);
    sum += <i32>load<i8>(xs + i) * weight;
  }
  return sum;
}

/** Whether the engine's sums of the present operands are those of signed or of unsigned weights. */
function agrees(signed: bool): bool {
  v128.store(sums, dot(v128.load(xs), v128.load(ws), i32x4.splat(0)));
  return isExpected(signed);
}

/** The same for its half. */
function halfAgrees(): bool {
  v128.store(sums, i32x4.extadd_pairwise_i16x8_s(dotPairs(v128.load(xs), v128.load(ws))));
  return isExpected(false);
}

function isExpected(signed: bool): bool {
  for (let lane: usize = 0; lane < 4; lane++) {
    if (load<i32>(sums + lane * 4) != expected(lane, signed)) return false;
  }
  return true;
}

/**
 * Operands of one round: bytes of a linear congruential generator; every second round only the largest ones.
 */
function fillOperands(round: u32, weightMask: u8): void {
  let state = round * 2654435761 + 12345;
  for (let i: usize = 0; i < 16; i++) {
    state = state * 1664525 + 1013904223;
    const large = (round & 1) != 0;
    const x: i8 = large ? (state >> 31 ? 127 : -127) : <i8>(state >> 24);
    store<i8>(xs + i, x);
    store<u8>(ws + i, (large ? 255 : <u8>(state >> 16)) & weightMask);
  }
}

/** See the constants above for what is returned. Writes its own static data only. */
export function probeRelaxedDot(): i32 {
  if (!ASC_FEATURE_RELAXED_SIMD) return NONE;
  let signed = true;
  let unsigned = true;
  for (let round: u32 = 0; round < 256; round++) {
    fillOperands(round, 0x7f);
    if (!agrees(false) || !halfAgrees()) return BROKEN;
    fillOperands(round, 0xff);
    if (!agrees(false)) unsigned = false;
    if (!agrees(true)) signed = false;
  }
  if (signed) return SIGNED;
  return unsigned ? UNSIGNED : SEVEN_BIT;
}
