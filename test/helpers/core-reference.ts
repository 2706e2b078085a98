/**
 * The core's operations in plain TypeScript, written from their formulas. Those of the matrix products repeat the core's order of
 * f32 operations and give the same bits; the others compute in f64 and are compared within a tolerance.
 */

const {fround} = Math;

/** A row-major matrix of f32 values. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/** The numbers that 16 bits mean as an IEEE 754 half: 1 sign, 5 exponent, 10 mantissa bits. */
export function f16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 31) return mantissa ? NaN : sign * Infinity;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}

export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The half nearest to `x`, ties to even; from 65520 on infinity. */
export function numberToF16(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(x);
  if (Number.isNaN(x)) return 0x7e00;
  if (magnitude >= 65520) return sign | 0x7c00;
  const exponent = Math.max(Math.floor(Math.log2(magnitude || 1e-30)), -14);
  // Steps of 2^(exponent - 10): a carry into the next exponent falls into the right place by itself.
  const steps = roundHalfEven(magnitude / 2 ** (exponent - 10));
  return sign | (steps + (exponent + 14) * 1024);
}

/** bf16 is the upper half of an f32. */
export function bf16ToNumber(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!;
}

/** Weights in blocks of 32 columns: `scale * integer`. */
export interface QuantisedRow {
  readonly scales: number[];
  readonly integers: number[];
}

/** Q8_0: blocks of 34 bytes: f16 scale, 32 signed bytes. */
export function decodeQ8_0(row: Uint8Array): QuantisedRow {
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  const decoded: QuantisedRow = {scales: [], integers: []};
  for (let at = 0; at < row.length; at += 34) {
    decoded.scales.push(f16ToNumber(view.getUint16(at, true)));
    for (let i = 0; i < 32; i++) decoded.integers.push(view.getInt8(at + 2 + i));
  }
  return decoded;
}

/** Q4_0: blocks of 18 bytes: f16 scale, 16 bytes; columns 0–15 are the low nibbles, 16–31 the high ones, minus 8. */
export function decodeQ4_0(row: Uint8Array): QuantisedRow {
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  const decoded: QuantisedRow = {scales: [], integers: []};
  for (let at = 0; at < row.length; at += 18) {
    decoded.scales.push(f16ToNumber(view.getUint16(at, true)));
    const bytes = row.subarray(at + 2, at + 18);
    for (const byte of bytes) decoded.integers.push((byte & 15) - 8);
    for (const byte of bytes) decoded.integers.push((byte >> 4) - 8);
  }
  return decoded;
}

/** The f32 values of a quantised row. */
export function dequantize({scales, integers}: QuantisedRow): Float32Array {
  return Float32Array.from(integers, (integer, column) => fround(scales[column >> 5]! * integer));
}

/** Activations in blocks of 32: d = largest / 127, integers x / d rounded half to even; the scale is d as f16. */
export function quantizeActivations(x: Float32Array): QuantisedRow {
  const quantised: QuantisedRow = {scales: [], integers: []};
  for (let at = 0; at < x.length; at += 32) {
    const block = x.subarray(at, at + 32);
    const d = fround(Math.max(...block.map(Math.abs)) / 127);
    const scale = f16ToNumber(numberToF16(d));
    // Where the scale is 0 the integers do not matter, and 1 / d may overflow.
    const inverse = scale === 0 ? 0 : fround(1 / d);
    quantised.scales.push(scale);
    for (const value of block) quantised.integers.push(roundHalfEven(fround(value * inverse)));
  }
  return quantised;
}

/** One result of a quantised product, in the core's order: exact integer sums, one f32 accumulator, blocks ascending. */
export function dotQuantised(weights: QuantisedRow, x: QuantisedRow): number {
  let result = 0;
  weights.scales.forEach((scale, block) => {
    let sum = 0;
    for (let i = block * 32; i < block * 32 + 32; i++) sum += weights.integers[i]! * x.integers[i]!;
    result = fround(result + fround(fround(sum) * fround(scale * x.scales[block]!)));
  });
  return result;
}

/** One result of a product of floats, in the core's order: one f32 accumulator, columns ascending. */
export function dotFloats(weights: Float32Array, x: Float32Array): number {
  let result = 0;
  for (let i = 0; i < x.length; i++) result = fround(result + fround(weights[i]! * x[i]!));
  return result;
}

/** x / sqrt(mean(x²) + epsilon) * weight */
export function rmsNorm(x: Float32Array, weight: Float32Array, epsilon: number): Float64Array {
  const mean = x.reduce((sum, value) => sum + value * value, 0) / x.length;
  const scale = 1 / Math.sqrt(mean + epsilon);
  return Float64Array.from(x, (value, i) => value * scale * weight[i]!);
}

export function mean(x: Float32Array): number {
  return x.reduce((sum, value) => sum + value, 0) / x.length;
}

export function variance(x: Float32Array): number {
  const center = mean(x);
  return x.reduce((sum, value) => sum + (value - center) ** 2, 0) / x.length;
}

/** (x - mean) / sqrt(variance + epsilon) * weight + bias */
export function layerNorm(
  x: Float32Array,
  weight: Float32Array | null,
  bias: Float32Array | null,
  epsilon: number,
): Float64Array {
  const center = mean(x);
  const scale = 1 / Math.sqrt(variance(x) + epsilon);
  return Float64Array.from(x, (value, i) => (value - center) * scale * (weight?.[i] ?? 1) + (bias?.[i] ?? 0));
}

/** Rotates pair i of a head by `angles[i]`. Pairs: (2 i, 2 i + 1) if `adjacent`, else (i, i + angles.length). */
export function rope(
  head: Float32Array,
  angles: readonly number[],
  adjacent: boolean,
  scale = 1,
): Float64Array {
  const out = Float64Array.from(head);
  angles.forEach((angle, i) => {
    const [first, second] = adjacent ? [2 * i, 2 * i + 1] : [i, i + angles.length];
    const [a, b] = [head[first]!, head[second]!];
    out[first] = (a * Math.cos(angle) - b * Math.sin(angle)) * scale;
    out[second] = (b * Math.cos(angle) + a * Math.sin(angle)) * scale;
  });
  return out;
}

export interface ScoreOptions {
  /** Where > 0, scores s become cap · tanh(s / cap). */
  readonly softCap?: number;
  /** What a score then falls by for each position that a key lies back. */
  readonly slope?: number;
  /** The score of one more position, whose value is 0. */
  readonly sink?: number | undefined;
}

/**
 * softmax(q · k * scale) · v over the given positions, of which the last one is the query's own. `keys`, `values`: one row
 * of headDim a position.
 */
export function attend(
  q: Float32Array,
  keys: Float32Array[],
  values: Float32Array[],
  scale: number,
  {softCap = 0, slope = 0, sink = -Infinity}: ScoreOptions = {},
): Float64Array {
  const scores = keys.map((key, t) => {
    const score = key.reduce((sum, k, d) => sum + k * q[d]!, 0) * scale;
    const capped = softCap > 0 ? softCap * Math.tanh(score / softCap) : score;
    return capped - slope * (keys.length - 1 - t);
  });
  const largest = Math.max(sink, ...scores);
  const weights = scores.map((score) => Math.exp(score - largest));
  const total = weights.reduce((sum, weight) => sum + weight, Math.exp(sink - largest));
  return Float64Array.from(q, (_, d) => values.reduce((sum, v, t) => sum + (weights[t]! / total) * v[d]!, 0));
}
