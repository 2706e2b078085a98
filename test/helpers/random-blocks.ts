/** Random stored blocks of every quantised type with scales as files have them, for tests of the core. */
import {ggmlTypes} from '../../worker-runtime/gguf/ggml-types.ts';
import {numberToF16} from './core-reference.ts';
import type {QuantisedType} from './type-reference.ts';

/** Where a block has f16 scales. MXFP4 and NVFP4 have others, IQ1_M a scattered one. */
const scalePlaces: Partial<Record<QuantisedType, readonly number[]>> = {
  Q4_0: [0],
  Q4_1: [0, 2],
  Q5_0: [0],
  Q5_1: [0, 2],
  Q8_0: [0],
  Q2_K: [80, 82],
  Q3_K: [108],
  Q4_K: [0, 2],
  Q5_K: [0, 2],
  Q6_K: [208],
  IQ2_XXS: [0],
  IQ2_XS: [0],
  IQ2_S: [0],
  IQ3_XXS: [0],
  IQ3_S: [0],
  IQ1_S: [0],
  IQ4_NL: [0],
  IQ4_XS: [0],
  TQ1_0: [52],
  TQ2_0: [64],
  Q1_0: [0],
  Q2_0: [0],
};

/**
 * Writes the f16 scale of a block, where the type has one; a second one gets the other sign and another exponent, so that
 * sums must round.
 */
export function setBlockScale(type: QuantisedType, block: Uint8Array, scale: number): void {
  const view = new DataView(block.buffer, block.byteOffset);
  const half = numberToF16(scale);
  scalePlaces[type]?.forEach((at, i) => view.setUint16(at, i === 0 ? half : numberToF16(scale / -3), true));
  if (type !== 'IQ1_M') return;
  for (let i = 0; i < 4; i++) {
    const at = 49 + 2 * i;
    block[at] = (block[at]! & 15) | (((half >> (4 * i)) & 15) << 4);
  }
}

/** Writes the scale of every block of a row; of MXFP4 the nearest power of two from 2^-20 up. */
export function setRowScales(type: QuantisedType, row: Uint8Array, scale: (block: number) => number): void {
  const {blockBytes} = ggmlTypes[type];
  for (let at = 0; at < row.length; at += blockBytes) {
    const wanted = scale(at / blockBytes);
    setBlockScale(type, row.subarray(at, at + blockBytes), wanted);
    if (type === 'MXFP4') row[at] = 127 + Math.round(Math.log2(Math.max(Math.abs(wanted), 2 ** -20)));
  }
}
