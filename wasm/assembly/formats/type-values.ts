/** What tells apart the formats that share a layout: tables, offsets and units. */
import {
  Format,
  IQ1_M,
  IQ1_S,
  IQ2_XS,
  IQ2_XXS,
  IQ3_S,
  IQ3_XXS,
  IQ4_NL,
  IQ4_XS,
  MXFP4,
  NVFP4,
  Q2,
  Q3_K,
  Q5,
  Q6_K,
  TQ2,
} from './format';
import {byteOffset} from '../matmul/dot-mode';
import * as types from './unpack/types';
import {codeOffset, unit, valueTable} from './unpack/values';

/** A type that is stored in this format; others have the same table, offset and unit. */
function typeOf(format: Format): i32 {
  switch (format) {
    case Q5:
      return types.Q5_0;
    case IQ4_NL:
      return types.IQ4_NL;
    case MXFP4:
      return types.MXFP4;
    case NVFP4:
      return types.NVFP4;
    case Q2:
      return types.Q2_0;
    case Q3_K:
      return types.Q3_K;
    case Q6_K:
      return types.Q6_K;
    case TQ2:
      return types.TQ2_0;
    case IQ4_XS:
      return types.IQ4_XS;
    case IQ3_S:
      return types.IQ3_S;
    case IQ3_XXS:
      return types.IQ3_XXS;
    case IQ2_XXS:
      return types.IQ2_XXS;
    case IQ1_S:
      return types.IQ1_S;
    case IQ2_XS:
      return types.IQ2_XS;
    case IQ1_M:
      return types.IQ1_M;
    default:
      return types.Q4_K;
  }
}

/** See `unit` of unpack/values.ts. */
export function unitOf(format: Format): f32 {
  return unit(typeOf(format));
}

/** The 16 × i8 that codes are indices into, where the shape has a table. */
export function tableOf(format: Format): usize {
  return valueTable(typeOf(format));
}

/** What is added to the entries of a table: of the IQ types, and of e2m1. Those of IQ4_NL and IQ4_XS need all 8 bits. */
const TABLE_OFFSET: i32 = 64;
export const E2M1_OFFSET: i32 = 12;

/**
 * What is added to the weights so that the products' operand is 0 … 127. The integer sums begin with minus that times
 * the sum of the activations.
 */
export function offsetOf(format: Format): i32 {
  if (format == IQ4_XS || format == IQ4_NL) return byteOffset();
  if (format == MXFP4 || format == NVFP4) return E2M1_OFFSET;
  return format > TQ2 ? TABLE_OFFSET : codeOffset(typeOf(format));
}
