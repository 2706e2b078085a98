import {expect} from '@open-wc/testing';
import {allCores, paddedColumns, randomFloats} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';
import {expectWithin, onAll, ulp} from './op-checks.ts';

const tokens = 3;
const deviations = Math.fround(1.6448533535);

/** The mean of a row and what so many deviations of a sample lie above it. */
function cutoffOf(row: Float32Array): number {
  const mean = [...row].reduce((sum, value) => sum + value, 0) / row.length;
  const squares = [...row].reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return mean + deviations * Math.sqrt(squares / (row.length - 1));
}

describe('the cut of gates', () => {
  let cores: CoreHarness[];
  before(async () => {
    cores = await allCores();
  });
  afterEach(() => cores.forEach((core) => core.reset()));

  const cut = (x: Float32Array, n: number, rows: number): Float32Array =>
    onAll(cores, (core) => {
      const p = core.put(x);
      core.run('cutBelow', p, n, deviations, rows, paddedColumns(n) * 4);
      return core.f32(p, x.length);
    });

  for (const n of [2, 3, 8, 64, 67, 2048]) {
    it(`cutBelow over ${n} columns, ${tokens} tokens`, () => {
      const stride = paddedColumns(n);
      const x = randomFloats(tokens * stride, n, 5).map((value) => value + 1);
      const result = cut(x, n, tokens);
      for (let token = 0; token < tokens; token++) {
        const row = x.slice(token * stride, token * stride + n);
        const cutoff = cutoffOf(row);
        const wanted = Float64Array.from(row, (value) => Math.max(0, value - cutoff));
        // The sums are f64; the cutoff is rounded, and the difference. A thousandth is for what f64 rounds.
        expectWithin(
          result.slice(token * stride, token * stride + n),
          wanted,
          (i) => (ulp / 2) * 1.001 * (Math.abs(cutoff) + wanted[i]!),
        );
      }
    });
  }

  it('keeps about 5 % of a normal distribution', () => {
    // Sums of twelve uniform values: nearly normal.
    const uniform = randomFloats(12 * 4096, 7);
    const x = Float32Array.from({length: 4096}, (_, i) =>
      uniform.subarray(12 * i, 12 * (i + 1)).reduce((sum, value) => sum + value, 0),
    );
    const kept = cut(x, x.length, 1).filter((value) => value > 0).length / x.length;
    // Four standard deviations of a share of 4096.
    expect(kept).to.be.closeTo(0.05, 4 * Math.sqrt((0.05 * 0.95) / 4096));
  });

  it('passes on NaN to its whole row, and makes nothing of equal values', () => {
    const x = new Float32Array(32).fill(3);
    x[5] = NaN;
    const result = [...cut(x, 16, 2)];
    expect(result.slice(0, 16).every(Number.isNaN)).to.be.true;
    expect(result.slice(16)).to.deep.equal(new Array(16).fill(0));
  });
});
