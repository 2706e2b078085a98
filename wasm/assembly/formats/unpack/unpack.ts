/** Unpacks one stored block of any quantised type. */
import {unpackIQ4_NL, unpackIQ4_XS, unpackMXFP4, unpackNVFP4} from './four-bit';
import {
  unpackIQ1_M,
  unpackIQ1_S,
  unpackIQ2_S,
  unpackIQ2_XS,
  unpackIQ2_XXS,
  unpackIQ3_S,
  unpackIQ3_XXS,
} from './grid-types';
import {unpackQ2_K, unpackQ3_K, unpackQ4_K, unpackQ5_K, unpackQ6_K} from './k-quants';
import {unpackQ4_0, unpackQ4_1, unpackQ5_0, unpackQ5_1, unpackQ8_0} from './legacy';
import {unpackQ1_0, unpackQ2_0, unpackTQ1_0, unpackTQ2_0} from './low-bit';
import * as types from './types';
import {setMin} from './unpacked';

/**
 * The block at `source`, of ggml's type number `type`, into the canonical form (unpacked.ts). Reads no byte behind
 * the block. A type that is not quantised leaves the record's codes as they were.
 */
export function unpack(type: i32, source: usize): void {
  setMin(0);
  switch (type) {
    case types.Q4_0:
      return unpackQ4_0(source);
    case types.Q4_1:
      return unpackQ4_1(source);
    case types.Q5_0:
      return unpackQ5_0(source);
    case types.Q5_1:
      return unpackQ5_1(source);
    case types.Q8_0:
      return unpackQ8_0(source);
    case types.Q2_K:
      return unpackQ2_K(source);
    case types.Q3_K:
      return unpackQ3_K(source);
    case types.Q4_K:
      return unpackQ4_K(source);
    case types.Q5_K:
      return unpackQ5_K(source);
    case types.Q6_K:
      return unpackQ6_K(source);
    case types.TQ1_0:
      return unpackTQ1_0(source);
    case types.TQ2_0:
      return unpackTQ2_0(source);
    case types.Q1_0:
      return unpackQ1_0(source);
    case types.Q2_0:
      return unpackQ2_0(source);
    case types.IQ4_NL:
      return unpackIQ4_NL(source);
    case types.IQ4_XS:
      return unpackIQ4_XS(source);
    case types.MXFP4:
      return unpackMXFP4(source);
    case types.NVFP4:
      return unpackNVFP4(source);
    case types.IQ2_XXS:
      return unpackIQ2_XXS(source);
    case types.IQ2_XS:
      return unpackIQ2_XS(source);
    case types.IQ2_S:
      return unpackIQ2_S(source);
    case types.IQ3_XXS:
      return unpackIQ3_XXS(source);
    case types.IQ3_S:
      return unpackIQ3_S(source);
    case types.IQ1_S:
      return unpackIQ1_S(source);
    case types.IQ1_M:
      return unpackIQ1_M(source);
  }
}
