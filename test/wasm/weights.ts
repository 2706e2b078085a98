/** Matrices for tests: rows as a file stores them, and their way into a compute format. */
import {
  bf16ToNumber,
  decodeQ4_0,
  decodeQ8_0,
  dequantize,
  f16ToNumber,
  numberToF16,
} from '../helpers/core-reference.ts';
import type {QuantisedRow} from '../helpers/core-reference.ts';
import {format, paddedColumns, randomBytes, randomFloats} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';

export type FormatName = keyof typeof format;

export const formatNames = Object.keys(format) as FormatName[];

export function isQuantised(name: FormatName): name is 'q8' | 'q4' {
  return name === 'q8' || name === 'q4';
}

/** ggml's number of the type, bytes of a stored block and of a row. */
const storage: Record<FormatName, {type: number; blockBytes: number; rowBytes(columns: number): number}> = {
  f32: {type: 0, blockBytes: 4, rowBytes: (columns) => columns * 4},
  f16: {type: 1, blockBytes: 2, rowBytes: (columns) => columns * 2},
  bf16: {type: 30, blockBytes: 2, rowBytes: (columns) => columns * 2},
  q8: {type: 8, blockBytes: 34, rowBytes: (columns) => (columns / 32) * 34},
  q4: {type: 2, blockBytes: 18, rowBytes: (columns) => (columns / 32) * 18},
};

/** Scales of every kind: normal, negative, subnormal, zero. */
const scales = [0.01, -0.007, 3e-5, 6e-8, 0, 0.5, 60000];

function randomRow(name: FormatName, columns: number, row: number): Uint8Array {
  const seed = row * 31 + columns;
  if (name === 'f32') return new Uint8Array(randomFloats(columns, seed).buffer);
  if (name === 'f16') {
    // Every third row has subnormal values.
    const values = randomFloats(columns, seed, row % 3 === 0 ? 1e-4 : 1);
    return new Uint8Array(Uint16Array.from(values, numberToF16).buffer);
  }
  if (name === 'bf16') {
    const values = new Uint32Array(randomFloats(columns, seed).buffer);
    return new Uint8Array(Uint16Array.from(values, (value) => value >>> 16).buffer);
  }
  const bytes = randomBytes(storage[name].rowBytes(columns), seed);
  setScales(name, bytes, (block) => scales[(row + block) % scales.length]!);
  return bytes;
}

export function randomRows(name: FormatName, rows: number, columns: number): Uint8Array[] {
  return Array.from({length: rows}, (_, row) => randomRow(name, columns, row));
}

/** Writes the scale of every block of a Q8_0 or Q4_0 row. */
export function setScales(name: 'q8' | 'q4', row: Uint8Array, scale: (block: number) => number): void {
  const view = new DataView(row.buffer);
  const blockBytes = storage[name].rowBytes(32);
  for (let block = 0; block * blockBytes < row.length; block++) {
    view.setUint16(block * blockBytes, numberToF16(scale(block)), true);
  }
}

export function decode(name: 'q8' | 'q4', row: Uint8Array): QuantisedRow {
  return name === 'q8' ? decodeQ8_0(row) : decodeQ4_0(row);
}

/** The f32 values of a stored row. */
export function floatsOf(name: FormatName, row: Uint8Array): Float32Array {
  if (isQuantised(name)) return dequantize(decode(name, row));
  if (name === 'f32') return new Float32Array(row.buffer);
  return Float32Array.from(new Uint16Array(row.buffer), name === 'f16' ? f16ToNumber : bf16ToNumber);
}

/** How the rows of a matrix are stored, and what they are repacked into. */
export interface Storage {
  /** Number of the compute format. */
  readonly format: number;
  /** ggml's number of the type. */
  readonly type: number;
  readonly blockBytes: number;
}

export function storageOf(name: FormatName): Storage {
  return {format: format[name], ...storage[name]};
}

/** The rows as a matrix in the core's compute format; its pointer. */
export function repack(
  core: CoreHarness,
  {format, type, blockBytes}: Storage,
  rows: Uint8Array[],
  columns: number,
): number {
  const groupBytes = core.run('groupBytes', format, columns);
  const groups = Math.ceil(rows.length / 16);
  const matrix = core.allocate(groups * groupBytes);
  const stride = rows[0]!.length;
  for (let group = 0; group < groups; group++) {
    const part = rows.slice(group * 16, group * 16 + 16);
    const source = core.allocate(part.length * stride);
    part.forEach((row, i) => new Uint8Array(core.memory.buffer, source + i * stride).set(row));
    const target = matrix + group * groupBytes;
    core.run('repack', format, type, blockBytes, source, stride, part.length, columns, target);
  }
  return matrix;
}

/** Results by token, with the rows that pad the last group. */
export function multiply(
  core: CoreHarness,
  stored: Storage,
  rows: Uint8Array[],
  tokens: Float32Array[],
): Float32Array[] {
  core.reset();
  const {format} = stored;
  const columns = tokens[0]!.length;
  const matrix = repack(core, stored, rows, columns);
  const xStride = paddedColumns(columns) * 4;
  const x = core.allocate(tokens.length * xStride);
  tokens.forEach((token, i) => new Float32Array(core.memory.buffer, x + i * xStride).set(token));
  const activations = core.allocate(core.run('activationBytes', format, columns, tokens.length));
  core.run('prepareActivations', format, x, columns, tokens.length, xStride, activations);
  const padded = paddedColumns(rows.length);
  const y = core.allocate(tokens.length * padded * 4);
  core.run('matmul', format, matrix, activations, y, rows.length, columns, tokens.length, padded * 4);
  return tokens.map((_, i) => core.f32(y + i * padded * 4, padded));
}
