import {expect} from '@open-wc/testing';
import {dotFloats, dotQuantised, quantizeActivations} from '../helpers/core-reference.ts';
import {allCores, bits, randomFloats, unsignedCore} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';
import {
  decode,
  floatsOf,
  formatNames,
  isQuantised,
  multiply,
  randomRows,
  setScales,
  storageOf,
} from './weights.ts';
import type {FormatName} from './weights.ts';

/** Results of a token, as the core's documented order of operations gives them. */
function expected(name: FormatName, rows: Uint8Array[], x: Float32Array): Float32Array {
  if (!isQuantised(name)) return Float32Array.from(rows, (row) => dotFloats(floatsOf(name, row), x));
  const activations = quantizeActivations(x);
  return Float32Array.from(rows, (row) => dotQuantised(decode(name, row), activations));
}

describe('matmul', () => {
  let cores: CoreHarness[];
  let unsigned: CoreHarness[];
  before(async () => {
    cores = await allCores();
    unsigned = await unsignedCore();
  });
  afterEach(() => [...cores, ...unsigned].forEach((core) => core.reset()));

  function check(name: FormatName, rows: Uint8Array[], tokens: Float32Array[]): void {
    const wanted = tokens.map((x) => bits(expected(name, rows, x)));
    for (const core of name === 'q8' ? cores : [...cores, ...unsigned]) {
      const results = multiply(core, storageOf(name), rows, tokens);
      expect(results.map((y) => bits(y.slice(0, rows.length)))).to.deep.equal(wanted);
      for (const y of results) expect(y.slice(rows.length).every((value) => value === 0)).to.be.true;
    }
  }

  for (const name of formatNames) {
    for (const columns of isQuantised(name) ? [32, 96, 512] : [1, 5, 32, 100]) {
      it(`${name}, ${columns} columns: the reference's bits for all numbers of rows and tokens`, () => {
        for (const rowCount of [1, 15, 16, 17, 40]) {
          const rows = randomRows(name, rowCount, columns);
          for (const tokenCount of [1, 2, 3, 4, 5, 8, 9]) {
            check(
              name,
              rows,
              Array.from({length: tokenCount}, (_, t) => randomFloats(columns, 1000 + t, 3)),
            );
          }
        }
      });
    }
  }

  it('q8: weights of -128 and activations of ±127 do not overflow', () => {
    for (const [weight, sign] of [
      [0x80, 1],
      [0x80, -1],
      [0x7f, 1],
      [0x7f, -1],
    ] as const) {
      const rows = randomRows('q8', 17, 64).map((row) => row.fill(weight));
      for (const row of rows) setScales('q8', row, () => 0.125);
      const same = new Float32Array(64).fill(sign);
      const alternating = same.map((value, i) => (i % 2 ? value : -value));
      check('q8', rows, [same, alternating, same, alternating, same]);
    }
  });

  it('q4: nibbles of 0 and 15 with activations of ±127', () => {
    for (const pair of [0x00, 0x0f, 0xf0, 0xff]) {
      const rows = randomRows('q4', 17, 64).map((row) => row.fill(pair));
      for (const row of rows) setScales('q4', row, () => -0.125);
      const same = new Float32Array(64).fill(-2);
      const alternating = same.map((value, i) => (i % 2 ? value : -value));
      check('q4', rows, [same, alternating, same, alternating, same]);
    }
  });

  for (const name of ['q8', 'q4'] as const) {
    it(`${name}: activations of all magnitudes, zero blocks, ties and scales beyond f16`, () => {
      const rows = randomRows(name, 16, 64);
      const magnitudes = [0, 1e-40, 1e-30, 1e-8, 3e-6, 1e-3, 1, 1e4, 8e6];
      const tokens = magnitudes.map((magnitude, i) => {
        const x = randomFloats(64, i, 1);
        x.fill(0, 32, 48);
        return x.map((value) => value * magnitude);
      });
      // 127 is one of them, so d is 1 and the halves are ties.
      tokens.push(Float32Array.from({length: 64}, (_, i) => (i % 32 === 0 ? 127 : (i % 32) - 15.5)));
      check(name, rows, tokens);
      const tooLarge = new Float32Array(64).fill(1e7);
      for (const core of cores) {
        const [y] = multiply(core, storageOf(name), rows, [tooLarge]);
        expect(y!.some(Number.isFinite)).to.be.false;
      }
    });

    it(`${name}: NaN and infinite activations reach every result`, () => {
      const rows = randomRows(name, 16, 64);
      for (const value of [NaN, Infinity, -Infinity]) {
        const x = randomFloats(64, 1);
        x[40] = value;
        for (const core of cores) {
          for (const y of multiply(core, storageOf(name), rows, [x, x, x, x, x]))
            expect(y.some(Number.isFinite)).to.be.false;
        }
      }
    });
  }
});
