import {expect} from '@open-wc/testing';
import {allCores, bits, paddedColumns, randomFloats} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';
import {expectWithin, onAll, ulp} from './op-checks.ts';

const tokens = 3;

const squaresOf = (row: Float32Array): number => [...row].reduce((sum, value) => sum + value ** 2, 0);

describe('matchMagnitude', () => {
  let cores: CoreHarness[];
  before(async () => {
    cores = await allCores();
  });
  afterEach(() => cores.forEach((core) => core.reset()));

  const match = (x: Float32Array, reference: Float32Array, n: number, rows: number): Float32Array =>
    onAll(cores, (core) => {
      const [p, other] = [core.put(x), core.put(reference)];
      const strides = [x, reference].map(({length}) => (length / rows) * 4);
      core.run('matchMagnitude', p, other, n, rows, ...strides);
      return core.f32(p, x.length);
    });

  for (const n of [1, 3, 8, 64, 67, 2048]) {
    it(`makes ${tokens} rows of ${n} columns as long as others, whatever their strides`, () => {
      const [stride, otherStride] = [paddedColumns(n), paddedColumns(n) + 16];
      const x = randomFloats(tokens * stride, n, 0.01);
      const reference = randomFloats(tokens * otherStride, n + 1, 40);
      const result = match(x, reference, n, tokens);
      for (let token = 0; token < tokens; token++) {
        const row = x.slice(token * stride, token * stride + n);
        const other = reference.slice(token * otherStride, token * otherStride + n);
        const factor = Math.sqrt(squaresOf(other) / squaresOf(row));
        const wanted = Float64Array.from(row, (value) => value * factor);
        // The sums are f64; the factor is rounded, and the product. A thousandth is for what f64 rounds.
        expectWithin(
          result.slice(token * stride, token * stride + n),
          wanted,
          (i) => ulp * 1.001 * Math.abs(wanted[i]!),
        );
      }
    });
  }

  it('leaves zeros as they are, passes on NaN, and does not overflow on squares beyond f32', () => {
    const reference = new Float32Array(16).fill(1e25);
    const zeros = new Float32Array(16);
    expect(bits(match(zeros, reference, 16, 1))).to.deep.equal(bits(zeros));
    const withNan = Float32Array.from({length: 16}, (_, i) => (i === 3 ? NaN : 1));
    expect(match(withNan, reference, 16, 1).every(Number.isNaN)).to.be.true;
    const large = new Float32Array(16).fill(-1e30);
    const wanted = Float64Array.from(large, () => -Math.fround(1e25));
    expectWithin(match(large, reference, 16, 1), wanted, () => ulp * 1.001 * 1e25);
  });
});
