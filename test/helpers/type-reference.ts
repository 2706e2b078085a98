/**
 * Every quantised type in plain TypeScript, written column by column from the formats' definitions: where a column's
 * bits lie in a block, and ggml's formula with its f32 roundings. It shares nothing with the core but the points of
 * the IQ grids (see iq-grids.ts).
 */
import {ggmlTypes} from '../../worker-runtime/gguf/ggml-types.ts';
import type {GgmlType} from '../../worker-runtime/gguf/ggml-types.ts';
import {f16ToNumber} from './core-reference.ts';
import {grids} from './iq-grids.ts';

const {fround} = Math;

export type QuantisedType = Exclude<
  GgmlType,
  'F32' | 'F16' | 'BF16' | 'F64' | 'I8' | 'I16' | 'I32' | 'I64' | 'Q8_1' | 'Q8_K'
>;

/** The value of one column of a block. */
type Decoder = (block: DataView, column: number) => number;

const half = (block: DataView, at: number): number => f16ToNumber(block.getUint16(at, true));
const bit = (bits: number, index: number): number => (bits >>> index) & 1;
const nibbleAt = (block: DataView, at: number, index: number): number =>
  (block.getUint8(at + (index >> 1)) >> (4 * (index & 1))) & 15;

/** Nibbles of `n` columns in `n / 2` bytes: first all low ones, then all high ones. */
function splitNibble(block: DataView, at: number, column: number, n = 32): number {
  const byte = block.getUint8(at + (column % (n / 2)));
  return column % n < n / 2 ? byte & 15 : byte >> 4;
}

// Blocks of 32 columns.

function fiveBits(block: DataView, at: number, column: number): number {
  return splitNibble(block, at + 4, column) + 16 * bit(block.getUint32(at, true), column);
}

const q4_0: Decoder = (block, column) => fround(half(block, 0) * (splitNibble(block, 2, column) - 8));
const q4_1: Decoder = (block, column) =>
  fround(fround(half(block, 0) * splitNibble(block, 4, column)) + half(block, 2));
const q5_0: Decoder = (block, column) => fround(half(block, 0) * (fiveBits(block, 2, column) - 16));
const q5_1: Decoder = (block, column) =>
  fround(fround(half(block, 0) * fiveBits(block, 4, column)) + half(block, 2));
const q8_0: Decoder = (block, column) => fround(half(block, 0) * block.getInt8(2 + column));

// K types: 256 columns.

/** 2 bits a column: 32 bytes for 128 columns, 32 columns in the lowest bits, 32 in the next, …. */
function pairOfHalf(block: DataView, at: number, column: number): number {
  const byte = block.getUint8(at + 32 * (column >> 7) + (column % 32));
  return (byte >> (2 * ((column >> 5) % 4))) & 3;
}

/** 4 bits a column: 32 bytes for 64 columns. */
function nibbleOfQuarter(block: DataView, at: number, column: number): number {
  return splitNibble(block, at + 32 * (column >> 6), column, 64);
}

const q2_K: Decoder = (block, column) => {
  const packed = block.getUint8(column >> 4);
  const scale = fround(half(block, 80) * (packed & 15));
  const min = fround(half(block, 82) * (packed >> 4));
  return fround(fround(scale * pairOfHalf(block, 16, column)) - min);
};

const q3_K: Decoder = (block, column) => {
  const i = column >> 4;
  const lower = i < 8 ? block.getUint8(96 + i) & 15 : block.getUint8(96 + i - 8) >> 4;
  const upper = (block.getUint8(104 + (i % 4)) >> (2 * (i >> 2))) & 3;
  const scale = fround(half(block, 108) * (lower + 16 * upper - 32));
  const third = bit(block.getUint8(column % 32), column >> 5);
  return fround(scale * (pairOfHalf(block, 32, column) - (third ? 0 : 4)));
};

/** Scale and min of 32 columns in Q4_K and Q5_K: 6 bits each in 12 bytes. */
function sixBitPair(block: DataView, at: number, i: number): {scale: number; min: number} {
  const byte = (index: number) => block.getUint8(at + index);
  if (i < 4) return {scale: byte(i) & 63, min: byte(i + 4) & 63};
  return {
    scale: (byte(i + 4) & 15) + 16 * (byte(i - 4) >> 6),
    min: (byte(i + 4) >> 4) + 16 * (byte(i) >> 6),
  };
}

function withSixBitPair(block: DataView, column: number, code: number): number {
  const {scale, min} = sixBitPair(block, 4, column >> 5);
  return fround(fround(fround(half(block, 0) * scale) * code) - fround(half(block, 2) * min));
}

const q4_K: Decoder = (block, column) => withSixBitPair(block, column, nibbleOfQuarter(block, 16, column));
const q5_K: Decoder = (block, column) => {
  const fifth = bit(block.getUint8(16 + (column % 32)), column >> 5);
  return withSixBitPair(block, column, nibbleOfQuarter(block, 48, column) + 16 * fifth);
};

const q6_K: Decoder = (block, column) => {
  const lower = splitNibble(block, 64 * (column >> 7), column, 128);
  const upper = pairOfHalf(block, 128, column);
  const scale = fround(half(block, 208) * block.getInt8(192 + (column >> 4)));
  return fround(scale * (lower + 16 * upper - 32));
};

// Ternary types, and plain ones of one and two bits.

const tq1_0: Decoder = (block, column) => {
  const part = column < 160 ? [0, 0, 32] : column < 240 ? [160, 32, 16] : [240, 48, 4];
  const [first, at, bytes] = part as [number, number, number];
  const digit = Math.floor((column - first) / bytes);
  const moved = (block.getUint8(at + ((column - first) % bytes)) * 3 ** digit) % 256;
  return fround(half(block, 52) * (Math.floor((moved * 3) / 256) - 1));
};
const tq2_0: Decoder = (block, column) => fround(half(block, 64) * (pairOfHalf(block, 0, column) - 1));
const q1_0: Decoder = (block, column) =>
  bit(block.getUint8(2 + (column >> 3)), column % 8) ? half(block, 0) : -half(block, 0);
const q2_0: Decoder = (block, column) =>
  fround(half(block, 0) * (((block.getUint8(2 + (column >> 2)) >> (2 * (column % 4))) & 3) - 1));

// Four-bit floats and the IQ4 types.

const iq4Values = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/** A small float without sign: `bits` of mantissa. */
function miniFloat(code: number, mantissaBits: number, bias: number): number {
  const mantissa = (code % 2 ** mantissaBits) / 2 ** mantissaBits;
  const exponent = code >> mantissaBits;
  return exponent === 0 ? mantissa * 2 ** (1 - bias) : (1 + mantissa) * 2 ** (exponent - bias);
}

/** Without -0: ggml has twice these values as integers. */
const e2m1 = (code: number): number => (code & 8 ? -1 : 1) * miniFloat(code & 7, 1, 1) + 0;

// The formats say scale × e2m1; ggml multiplies half the scale with twice the number.
const mxfp4: Decoder = (block, column) =>
  fround(2 ** (block.getUint8(0) - 128) * 2 * e2m1(splitNibble(block, 1, column)));
const nvfp4: Decoder = (block, column) => {
  const code = block.getUint8(column >> 4);
  const scale = code === 127 ? 0 : miniFloat(code & 127, 3, 7);
  return fround(scale * e2m1(splitNibble(block, 4 + 8 * (column >> 4), column, 16)));
};

const iq4_NL: Decoder = (block, column) => fround(half(block, 0) * iq4Values[splitNibble(block, 2, column)]!);
const iq4_XS: Decoder = (block, column) => {
  const i = column >> 5;
  const upper = (block.getUint16(2, true) >> (2 * i)) & 3;
  const scale = fround(half(block, 0) * (nibbleAt(block, 4, i) + 16 * upper - 32));
  return fround(scale * iq4Values[splitNibble(block, 8 + 16 * i, column)]!);
};

// Types with grids: 256 columns, in eights.

/** The sign of one of eight columns, of which the last one's is not stored: an even number of them are negative. */
function evenSign(seven: number, column: number): number {
  const index = column % 8;
  let ones = 0;
  for (let i = 0; i < 7; i++) ones += bit(seven, i);
  return (index < 7 ? bit(seven, index) : ones % 2) ? -1 : 1;
}

/** The sign of a column where each has a bit. */
const signAt = (block: DataView, at: number, column: number): number =>
  bit(block.getUint8(at + (column >> 3)), column % 8) ? -1 : 1;

/** d · (1/2 + s) · factor · magnitude · sign */
function halfStepValue(d: number, s: number, factor: number, weight: number): number {
  return fround(fround(fround(d * fround(0.5 + s)) * factor) * weight);
}

const iq2_XXS: Decoder = (block, column) => {
  const at = 2 + 8 * (column >> 5),
    eight = (column >> 3) % 4;
  const packed = block.getUint32(at + 4, true);
  const magnitude = grids.IQ2_XXS[block.getUint8(at + eight)]![column % 8]!;
  const sign = evenSign((packed >>> (7 * eight)) & 127, column);
  return halfStepValue(half(block, 0), packed >>> 28, 0.25, magnitude * sign);
};

const iq2_XS: Decoder = (block, column) => {
  const word = block.getUint16(2 + 2 * (column >> 3), true);
  const weight = grids.IQ2_XS[word % 512]![column % 8]! * evenSign(word >> 9, column);
  return halfStepValue(half(block, 0), nibbleAt(block, 66, column >> 4), 0.25, weight);
};

const iq2_S: Decoder = (block, column) => {
  const eight = column >> 3;
  const upper = (block.getUint8(66 + (eight >> 2)) >> (2 * (eight % 4))) & 3;
  const magnitude = grids.IQ2_S[block.getUint8(2 + eight) + 256 * upper]![column % 8]!;
  const weight = magnitude * signAt(block, 34, column);
  return halfStepValue(half(block, 0), nibbleAt(block, 74, column >> 4), 0.25, weight);
};

const iq3_XXS: Decoder = (block, column) => {
  const packed = block.getUint32(66 + 4 * (column >> 5), true);
  const magnitude = grids.IQ3_XXS[block.getUint8(2 + (column >> 2))]![column % 4]!;
  const sign = evenSign((packed >>> (7 * ((column >> 3) % 4))) & 127, column);
  return halfStepValue(half(block, 0), packed >>> 28, 0.5, magnitude * sign);
};

const iq3_S: Decoder = (block, column) => {
  const four = column >> 2;
  const upper = bit(block.getUint8(66 + (four >> 3)), four % 8);
  const magnitude = grids.IQ3_S[block.getUint8(2 + four) + 256 * upper]![column % 4]!;
  const scale = fround(half(block, 0) * (1 + 2 * nibbleAt(block, 106, column >> 5)));
  return fround(scale * magnitude * signAt(block, 74, column));
};

const iq1_S: Decoder = (block, column) => {
  const eight = column >> 3;
  const word = block.getUint16(34 + 2 * (column >> 5), true);
  const upper = (word >> (3 * (eight % 4))) & 7;
  const value = grids.IQ1_S[block.getUint8(2 + eight) + 256 * upper]![column % 8]!;
  const scale = fround(half(block, 0) * (2 * ((word >> 12) & 7) + 1));
  return fround(scale * fround(value + (word & 0x8000 ? -0.125 : 0.125)));
};

const iq1_M: Decoder = (block, column) => {
  const eight = column >> 3,
    sixteen = column >> 4;
  const word = (i: number) => block.getUint16(48 + 2 * i, true);
  const d = f16ToNumber([0, 1, 2, 3].reduce((bits, i) => bits + (word(i) >> 12) * 16 ** i, 0));
  const scale = fround(d * (2 * ((word(sixteen >> 2) >> (3 * (sixteen % 4))) & 7) + 1));
  const upper = nibbleAt(block, 32, eight);
  const value = grids.IQ1_S[block.getUint8(eight) + 256 * (upper & 7)]![column % 8]!;
  return fround(scale * fround(value + (upper & 8 ? -0.125 : 0.125)));
};

const decoders: Readonly<Record<QuantisedType, Decoder>> = {
  Q4_0: q4_0,
  Q4_1: q4_1,
  Q5_0: q5_0,
  Q5_1: q5_1,
  Q8_0: q8_0,
  Q2_K: q2_K,
  Q3_K: q3_K,
  Q4_K: q4_K,
  Q5_K: q5_K,
  Q6_K: q6_K,
  IQ2_XXS: iq2_XXS,
  IQ2_XS: iq2_XS,
  IQ2_S: iq2_S,
  IQ3_XXS: iq3_XXS,
  IQ3_S: iq3_S,
  IQ1_S: iq1_S,
  IQ1_M: iq1_M,
  IQ4_NL: iq4_NL,
  IQ4_XS: iq4_XS,
  TQ1_0: tq1_0,
  TQ2_0: tq2_0,
  MXFP4: mxfp4,
  NVFP4: nvfp4,
  Q1_0: q1_0,
  Q2_0: q2_0,
};

export const quantisedTypes = Object.keys(decoders) as QuantisedType[];

/** The f32 values of one stored block. */
export function decodeBlock(type: QuantisedType, bytes: Uint8Array): Float32Array {
  const block = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const columns = ggmlTypes[type].blockElements;
  return Float32Array.from({length: columns}, (_, column) => decoders[type](block, column));
}
