import {expect} from '@open-wc/testing';
import {computeFormats} from '../../worker-runtime/core/core-exports.ts';
import {ggmlTypes} from '../../worker-runtime/gguf/ggml-types.ts';
import {setRowScales} from '../helpers/random-blocks.ts';
import {multiplyRows} from '../helpers/block-products.ts';
import {decodeBlock} from '../helpers/type-reference.ts';
import {Unpacker} from '../helpers/unpacker.ts';
import {allCores, bits, randomBytes, randomFloats, unsignedCore} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';
import {multiply, repack} from './weights.ts';
import type {Storage} from './weights.ts';

/** All types but those that have tests of their own: floats, Q8_0 and Q4_0. */
const types = [
  'Q4_1',
  'Q5_0',
  'Q5_1',
  'IQ4_NL',
  'MXFP4',
  'NVFP4',
  'Q1_0',
  'Q2_0',
  'Q2_K',
  'Q3_K',
  'Q4_K',
  'Q5_K',
  'Q6_K',
  'TQ1_0',
  'TQ2_0',
  'IQ4_XS',
  'IQ3_S',
  'IQ3_XXS',
  'IQ2_XXS',
  'IQ2_XS',
  'IQ2_S',
  'IQ1_S',
  'IQ1_M',
] as const;
type BlockType = (typeof types)[number];

/** Their weights need all 8 bits. */
const isWide = (type: BlockType): boolean => type === 'IQ4_NL' || type === 'IQ4_XS';

/** The shortest rows: a stored block or the 128 columns of the longest small one. */
const leastColumns = (type: BlockType): number => Math.max(128, ggmlTypes[type].blockElements);

/** Normal, negative, subnormal, zero, large. */
const scales = [0.01, -0.007, 3e-5, 6e-8, 0, 0.5, 6000];

const rowBytes = (type: BlockType, columns: number): number =>
  (columns / ggmlTypes[type].blockElements) * ggmlTypes[type].blockBytes;

function randomRows(type: BlockType, rows: number, columns: number): Uint8Array[] {
  const bytes = rowBytes(type, columns);
  return Array.from({length: rows}, (_, row) => {
    const data = randomBytes(bytes, row * 31 + columns);
    setRowScales(type, data, (block) => scales[(row + block) % scales.length]!);
    return data;
  });
}

function storageOf(type: BlockType): Storage {
  const {id, blockBytes} = ggmlTypes[type];
  return {format: computeFormats[type], type: id, blockBytes};
}

describe('products with types in blocks', () => {
  let cores: CoreHarness[];
  let unsigned: CoreHarness[];
  let unpacker: Unpacker;
  before(async () => {
    cores = await allCores();
    unsigned = await unsignedCore();
    unpacker = await Unpacker.create('baseline');
  });
  afterEach(() => [...cores, ...unsigned].forEach((core) => core.reset()));

  const coresFor = (type: BlockType): CoreHarness[] => (isWide(type) ? cores : [...cores, ...unsigned]);

  function check(type: BlockType, rows: Uint8Array[], tokens: Float32Array[]): void {
    const wanted = multiplyRows(unpacker, type, rows, tokens).map(bits);
    for (const core of coresFor(type)) {
      const results = multiply(core, storageOf(type), rows, tokens);
      expect(results.map((y) => bits(y.slice(0, rows.length)))).to.deep.equal(wanted);
      for (const y of results) expect(y.slice(rows.length).every((value) => value === 0)).to.be.true;
    }
  }

  for (const type of types) {
    it(`${type}: a row comes back with the values of the format's definition`, () => {
      const rows = randomRows(type, 19, 512);
      const {blockBytes} = ggmlTypes[type];
      for (const core of cores) {
        core.reset();
        const matrix = repack(core, storageOf(type), rows, 512);
        const out = core.allocate(2048);
        rows.forEach((row, index) => {
          core.run('dequantizeRow', computeFormats[type], matrix, index, 512, out);
          const blocks = Array.from({length: row.length / blockBytes}, (_, i) =>
            row.subarray(i * blockBytes, (i + 1) * blockBytes),
          );
          const wanted = blocks.flatMap((block) => [...decodeBlock(type, block)]);
          // Zeros of both signs are equal.
          expect([...core.f32(out, 512)].map((value) => value + 0)).to.deep.equal(
            wanted.map((value) => value + 0),
          );
        });
      }
    });

    it(`${type}: the reference's bits for all numbers of rows and tokens`, () => {
      for (const columns of [leastColumns(type), 3 * leastColumns(type)]) {
        for (const rowCount of [1, 8, 17, 40, 72]) {
          const rows = randomRows(type, rowCount, columns);
          for (const tokenCount of [1, 3, 4, 5, 9]) {
            check(
              type,
              rows,
              Array.from({length: tokenCount}, (_, t) => randomFloats(columns, 1000 + t, 3)),
            );
          }
        }
      }
    });

    it(`${type}: all bits set and clear, with activations of ±127`, () => {
      const columns = leastColumns(type);
      for (const byte of [0, 0x55, 0xaa, 0xff]) {
        const rows = Array.from({length: 17}, () => new Uint8Array(rowBytes(type, columns)).fill(byte));
        for (const row of rows) setRowScales(type, row, () => -0.125);
        const same = new Float32Array(columns).fill(-2);
        const alternating = same.map((value, i) => (i % 2 ? value : -value));
        check(type, rows, [same, alternating, same, alternating, same]);
      }
    });

    it(`${type}: activations of all magnitudes; NaN and infinity reach every result`, () => {
      const columns = leastColumns(type);
      const rows = randomRows(type, 16, columns);
      for (const row of rows) setRowScales(type, row, () => 0.01);
      const magnitudes = [0, 1e-42, 1e-37, 1e-30, 1e-8, 1, 1e4, 8e6];
      check(
        type,
        rows,
        magnitudes.map((magnitude, i) => randomFloats(columns, i, magnitude)),
      );
      for (const value of [NaN, Infinity, -Infinity]) {
        const x = randomFloats(columns, 1);
        x[40] = value;
        for (const core of coresFor(type)) {
          for (const y of multiply(core, storageOf(type), rows, [x, x, x, x, x])) {
            expect(y.some(Number.isFinite)).to.be.false;
          }
        }
      }
    });
  }
});
