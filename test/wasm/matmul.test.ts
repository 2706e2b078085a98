import {expect} from '@open-wc/testing';
import {
  bf16ToNumber,
  decodeQ4_0,
  decodeQ8_0,
  dequantize,
  dotFloats,
  dotQuantised,
  f16ToNumber,
  numberToF16,
  quantizeActivations,
} from '../helpers/core-reference.ts';
import type {QuantisedRow} from '../helpers/core-reference.ts';
import {allCores, format, paddedColumns, randomBytes, randomFloats} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';

type FormatName = keyof typeof format;

/** Bytes of a stored row, and the export that repacks it. */
const storage: Record<FormatName, {rowBytes(columns: number): number; repack: string}> = {
  f32: {rowBytes: (columns) => columns * 4, repack: 'repackF32'},
  f16: {rowBytes: (columns) => columns * 2, repack: 'repack16'},
  bf16: {rowBytes: (columns) => columns * 2, repack: 'repack16'},
  q8: {rowBytes: (columns) => (columns / 32) * 34, repack: 'repackQ8_0'},
  q4: {rowBytes: (columns) => (columns / 32) * 18, repack: 'repackQ4_0'},
};

/** Rows as a file stores them. Quantised scales are of every kind: normal, subnormal, negative, zero. */
function randomRows(name: FormatName, rows: number, columns: number): Uint8Array[] {
  const scales = [0.01, -0.007, 3e-5, 6e-8, 0, 0.5];
  return Array.from({length: rows}, (_, row) => {
    const seed = row * 31 + columns;
    if (name === 'f32') return new Uint8Array(randomFloats(columns, seed).buffer);
    if (name === 'f16') {
      const values = randomFloats(columns, seed, row % 3 === 0 ? 1e-4 : 1);
      return new Uint8Array(Uint16Array.from(values, numberToF16).buffer);
    }
    if (name === 'bf16') {
      const values = new Uint32Array(randomFloats(columns, seed).buffer);
      return new Uint8Array(Uint16Array.from(values, (value) => value >>> 16).buffer);
    }
    const bytes = randomBytes(storage[name].rowBytes(columns), seed);
    const view = new DataView(bytes.buffer);
    const block = name === 'q8' ? 34 : 18;
    for (let at = 0; at < bytes.length; at += block) {
      view.setUint16(at, numberToF16(scales[(row + at / block) % scales.length]!), true);
    }
    return bytes;
  });
}

function floatsOf(name: FormatName, row: Uint8Array): Float32Array {
  if (name === 'f32') return new Float32Array(row.buffer);
  const halves = new Uint16Array(row.buffer);
  return Float32Array.from(halves, name === 'f16' ? f16ToNumber : bf16ToNumber);
}

function decode(name: 'q8' | 'q4', row: Uint8Array): QuantisedRow {
  return name === 'q8' ? decodeQ8_0(row) : decodeQ4_0(row);
}

function expected(name: FormatName, rows: Uint8Array[], x: Float32Array): Float32Array {
  if (name === 'q8' || name === 'q4') {
    const quantised = quantizeActivations(x);
    return Float32Array.from(rows, (row) => dotQuantised(decode(name, row), quantised));
  }
  return Float32Array.from(rows, (row) => dotFloats(floatsOf(name, row), x));
}

/** The rows as a matrix in the compute format. */
function repack(core: CoreHarness, name: FormatName, rows: Uint8Array[], columns: number): number {
  const groupBytes = core.run('groupBytes', format[name], columns);
  const groups = Math.ceil(rows.length / 16);
  const matrix = core.allocate(groups * groupBytes);
  for (let group = 0; group < groups; group++) {
    const part = rows.slice(group * 16, group * 16 + 16);
    const stride = storage[name].rowBytes(columns);
    const source = core.allocate(part.length * stride);
    part.forEach((row, i) => new Uint8Array(core.memory.buffer, source + i * stride).set(row));
    core.run(storage[name].repack, source, stride, part.length, columns, matrix + group * groupBytes);
  }
  return matrix;
}

/** Results by token. */
function multiply(
  core: CoreHarness,
  name: FormatName,
  rows: Uint8Array[],
  columns: number,
  tokens: Float32Array[],
): Float32Array[] {
  core.reset();
  const matrix = repack(core, name, rows, columns);
  const stride = paddedColumns(columns) * 4;
  const x = core.allocate(tokens.length * stride);
  tokens.forEach((token, i) => new Float32Array(core.memory.buffer, x + i * stride).set(token));
  const activations = core.allocate(core.run('activationBytes', format[name], columns, tokens.length));
  core.run('prepareActivations', format[name], x, columns, tokens.length, stride, activations);
  const yStride = paddedColumns(rows.length) * 4;
  const y = core.allocate(tokens.length * yStride);
  core.run('matmul', format[name], matrix, activations, y, rows.length, columns, tokens.length, yStride);
  return tokens.map((_, i) => core.f32(y + i * yStride, rows.length));
}

describe('matmul', () => {
  let cores: CoreHarness[];
  before(async () => {
    cores = await allCores();
  });

  for (const name of Object.keys(format) as FormatName[]) {
    const shapes = name === 'q8' || name === 'q4' ? [32, 96, 512] : [1, 5, 32, 100];
    for (const columns of shapes) {
      it(`${name}, ${columns} columns: the reference's bits for all numbers of rows and tokens`, () => {
        for (const rowCount of [1, 15, 16, 17, 40]) {
          const rows = randomRows(name, rowCount, columns);
          for (const tokenCount of [1, 2, 3, 4, 5, 8, 9]) {
            const tokens = Array.from({length: tokenCount}, (_, t) => randomFloats(columns, 1000 + t, 3));
            const wanted = tokens.map((x) => expected(name, rows, x));
            for (const core of cores) {
              expect(multiply(core, name, rows, columns, tokens)).to.deep.equal(wanted);
            }
          }
        }
      });
    }
  }
});
export {dequantize};
