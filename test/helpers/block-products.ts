/**
 * Products with quantised rows in plain TypeScript, from the unpacker's canonical form: the core's order of f32 operations,
 * so the same bits.
 */
import {ggmlTypes} from '../../worker-runtime/gguf/ggml-types.ts';
import {bf16ToNumber, f16ToNumber, quantizeActivations, roundHalfEven} from './core-reference.ts';
import type {QuantisedType} from './type-reference.ts';
import {subBlocks} from './unpacker.ts';
import type {Unpacker} from './unpacker.ts';

const {fround} = Math;
const superColumns = 256;

/** 256 columns of a row: weight = d · scale · w - dmin · minimum, with a scale and a minimum for every sub-block. */
interface SuperBlock {
  readonly d: number;
  readonly unit: number;
  readonly dmin: number;
  readonly scales: readonly number[];
  /** Empty where the type has none. */
  readonly minima: readonly number[];
  readonly weights: readonly number[];
}

const withMinima: readonly QuantisedType[] = ['Q2_K', 'Q4_K', 'Q5_K'];

/** A stored row in the unpacker's canonical form, which is tested against the formats' definitions. */
function superBlocksOf(unpacker: Unpacker, type: QuantisedType, row: Uint8Array): SuperBlock[] {
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
function quantizeSuperActivations(x: Float32Array): QuantisedActivations[] {
  return Array.from({length: x.length / superColumns}, (_, block) => {
    const columns = x.subarray(block * superColumns, (block + 1) * superColumns);
    const d = fround(Math.max(...columns.map(Math.abs)) / 127);
    if (d < 2 ** -126) return {d: 0, integers: new Array<number>(superColumns).fill(0)};
    const inverse = fround(1 / d);
    return {d, integers: Array.from(columns, (value) => roundHalfEven(fround(value * inverse)))};
  });
}

/** One result, super-blocks ascending; the sums of integers are exact. */
function dotSuperBlocks(row: readonly SuperBlock[], x: readonly QuantisedActivations[]): number {
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

/** 32 columns of a row, or 16 of NVFP4: weight = d · w + m. */
interface SmallBlock {
  readonly d: number;
  readonly m: number | undefined;
  readonly weights: readonly number[];
}

function smallBlocksOf(unpacker: Unpacker, type: QuantisedType, row: Uint8Array): SmallBlock[] {
  const {blockBytes, blockElements} = ggmlTypes[type];
  const columns = type === 'NVFP4' ? 16 : 32;
  return Array.from({length: row.length / blockBytes}, (_, block) => {
    const unpacked = unpacker.unpack(type, row.subarray(block * blockBytes, (block + 1) * blockBytes));
    const weights = unpacker.weights(unpacked);
    const d = type === 'MXFP4' ? bf16ToNumber(unpacked.scale) : f16ToNumber(unpacked.scale);
    const m = type === 'Q4_1' || type === 'Q5_1' ? f16ToNumber(unpacked.min) : undefined;
    return Array.from({length: blockElements / columns}, (_, part): SmallBlock => ({
      d: type === 'NVFP4' ? unpacker.ue4m3(unpacked.scales[part]! & 255) * unpacker.unit(type) : d,
      m,
      weights: weights.slice(part * columns, (part + 1) * columns),
    }));
  }).flat();
}

/** One result: blocks ascending, then the minima, blocks ascending. */
function dotSmallBlocks(row: readonly SmallBlock[], x: Float32Array): number {
  const {scales, integers} = quantizeActivations(x);
  const columns = row[0]!.weights.length;
  let result = 0;
  row.forEach(({d, weights}, block) => {
    const sum = weights.reduce((total, w, i) => total + w * integers[block * columns + i]!, 0);
    const scale = fround(d * scales[Math.floor((block * columns) / 32)]!);
    result = fround(result + fround(fround(sum) * scale));
  });
  row.forEach(({m}, block) => {
    if (m === undefined) return;
    const sum = integers.slice(block * 32, (block + 1) * 32).reduce((total, q) => total + q, 0);
    result = fround(result + fround(m * fround(scales[block]! * sum)));
  });
  return result;
}

/** The results of stored rows with tokens, `[token][row]`. */
export function multiplyRows(
  unpacker: Unpacker,
  type: QuantisedType,
  rows: readonly Uint8Array[],
  tokens: readonly Float32Array[],
): Float32Array[] {
  if (ggmlTypes[type].blockElements === superColumns) {
    const blocks = rows.map((row) => superBlocksOf(unpacker, type, row));
    return tokens.map((x) => {
      const activations = quantizeSuperActivations(x);
      return Float32Array.from(blocks, (row) => dotSuperBlocks(row, activations));
    });
  }
  const blocks = rows.map((row) => smallBlocksOf(unpacker, type, row));
  return tokens.map((x) => Float32Array.from(blocks, (row) => dotSmallBlocks(row, x)));
}
