/** Products with super-blocks of 256 columns in plain TypeScript: the core's order of f32 operations, so the same bits. */
import {ggmlTypes} from '../../worker-runtime/gguf/ggml-types.ts';
import {f16ToNumber, roundHalfEven} from './core-reference.ts';
import type {QuantisedType} from './type-reference.ts';
import type {Unpacker} from './unpacker.ts';

const {fround} = Math;
const superColumns = 256;

/** 256 columns of a row: weight = d · scale · w - dmin · minimum, with a scale and a minimum for every sub-block. */
export interface SuperBlock {
  readonly d: number;
  readonly unit: number;
  readonly dmin: number;
  readonly scales: readonly number[];
  /** Empty where the type has none. */
  readonly minima: readonly number[];
  readonly weights: readonly number[];
}

const subBlocks: Partial<Record<QuantisedType, number>> = {
  Q2_K: 16,
  Q3_K: 16,
  Q4_K: 8,
  Q5_K: 8,
  Q6_K: 16,
  IQ1_S: 8,
  IQ1_M: 16,
  IQ2_XXS: 8,
  IQ2_XS: 16,
  IQ2_S: 16,
  IQ3_XXS: 8,
  IQ3_S: 8,
  IQ4_XS: 8,
};

const withMinima: readonly QuantisedType[] = ['Q2_K', 'Q4_K', 'Q5_K'];

/** A stored row in the unpacker's canonical form, which is tested against the formats' definitions. */
export function superBlocksOf(unpacker: Unpacker, type: QuantisedType, row: Uint8Array): SuperBlock[] {
  const {blockBytes} = ggmlTypes[type];
  return Array.from({length: row.length / blockBytes}, (_, block) => {
    const unpacked = unpacker.unpack(type, row.subarray(block * blockBytes, (block + 1) * blockBytes));
    const count = subBlocks[type];
    return {
      d: f16ToNumber(unpacked.scale),
      unit: unpacker.unit(type),
      dmin: f16ToNumber(unpacked.min),
      scales: count === undefined ? [1] : Array.from(unpacked.scales.subarray(0, count)),
      minima: withMinima.includes(type) ? Array.from(unpacked.mins.subarray(0, count)) : [],
      weights: unpacker.weights(unpacked),
    };
  });
}

/** 256 activations: x = d · integer. */
interface QuantisedActivations {
  readonly d: number;
  readonly integers: readonly number[];
}

/** d = largest / 127, integers x / d rounded half to even; where 1 / d could overflow, nothing. */
export function quantizeSuperActivations(x: Float32Array): QuantisedActivations[] {
  return Array.from({length: x.length / superColumns}, (_, block) => {
    const columns = x.subarray(block * superColumns, (block + 1) * superColumns);
    const d = fround(Math.max(...columns.map(Math.abs)) / 127);
    if (d < 2 ** -126) return {d: 0, integers: new Array<number>(superColumns).fill(0)};
    const inverse = fround(1 / d);
    return {d, integers: Array.from(columns, (value) => roundHalfEven(fround(value * inverse)))};
  });
}

/** One result, super-blocks ascending; the sums of integers are exact. */
export function dotSuperBlocks(row: readonly SuperBlock[], x: readonly QuantisedActivations[]): number {
  let result = 0;
  row.forEach(({d, unit, dmin, scales, minima, weights}, block) => {
    const activations = x[block]!;
    const length = superColumns / scales.length;
    let sum = 0;
    let minimum = 0;
    activations.integers.forEach((q, column) => {
      const sub = Math.floor(column / length);
      sum += scales[sub]! * weights[column]! * q;
      minimum += (minima[sub] ?? 0) * q;
    });
    const scale = fround(d * fround(activations.d * unit));
    result = fround(result + fround(fround(sum) * scale));
    if (minima.length === 0) return;
    result = fround(result - fround(fround(minimum) * fround(dmin * activations.d)));
  });
  return result;
}
