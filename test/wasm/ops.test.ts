import {expect} from '@open-wc/testing';
import * as reference from '../helpers/core-reference.ts';
import {allCores, randomFloats} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';
import {onAll, relativeError, ulp} from './op-checks.ts';

describe('operations of the core', () => {
  let cores: CoreHarness[];
  before(async () => {
    cores = await allCores();
  });
  afterEach(() => cores.forEach((core) => core.reset()));

  for (const [style, name] of [
    [0, 'adjacent pairs'],
    [1, 'halves'],
  ] as const) {
    for (const [headDim, pairs] of [
      [8, 4],
      [64, 32],
      [20, 7],
      [80, 16],
    ] as const) {
      it(`rope, ${name}, ${pairs} pairs of heads of ${headDim}`, () => {
        const [heads, tokens, position] = [3, 5, 1000];
        const frequencies = Float64Array.from({length: pairs}, (_, i) => 10000 ** (-i / pairs));
        const stride = Math.ceil((heads * headDim) / 16) * 16;
        const x = randomFloats(tokens * stride, headDim);
        const result = onAll(cores, (core) => {
          const p = core.put(x);
          const table = core.allocate(tokens * pairs * 8);
          core.run('ropeTable', table, core.put(frequencies), pairs, position, tokens, 1.25);
          core.run('rope', p, table, heads, headDim, pairs, tokens, stride * 4, style);
          return core.f32(p, tokens * stride);
        });
        for (let token = 0; token < tokens; token++) {
          const angles = Array.from(frequencies, (frequency) => frequency * (position + token));
          for (let head = 0; head < heads; head++) {
            const at = token * stride + head * headDim;
            const wanted = reference.rope(x.slice(at, at + headDim), angles, style === 0, 1.25);
            expect(relativeError(result.slice(at, at + headDim), wanted, 1)).to.be.below(4 * ulp);
            expect(result.slice(at + 2 * pairs, at + headDim)).to.deep.equal(
              x.slice(at + 2 * pairs, at + headDim),
            );
          }
        }
      });
    }
  }

  it('argmax: lowest index on ties, -1 with what is not finite, any length', () => {
    const argmax = (core: CoreHarness, values: number[]): number => {
      const result = core.run('argmax', core.put(Float32Array.from(values)), values.length);
      core.reset();
      return result;
    };
    for (const core of cores) {
      expect(argmax(core, [])).to.equal(-1);
      expect(argmax(core, [3])).to.equal(0);
      expect(argmax(core, [1, 5, 2, 5, 5, 4])).to.equal(1);
      expect(argmax(core, [-0, 0])).to.equal(0);
      expect(argmax(core, [-1, 0, -0, 0, -0, 0])).to.equal(1);
      expect(argmax(core, [-3, -2, -9, -4, -1])).to.equal(4);
      expect(argmax(core, [-3.4e38, 1e-45, -1e-45, 0, 3.4e38])).to.equal(4);
      for (let length = 1; length < 12; length++) {
        for (let at = 0; at < length; at++) {
          const values = Array.from({length}, (_, i) => (i === at ? 10 : i % 2 ? -3.4e38 : i / 100));
          expect(argmax(core, values)).to.equal(at);
          for (const special of [NaN, Infinity, -Infinity]) {
            values[at] = special;
            expect(argmax(core, values)).to.equal(-1);
          }
        }
      }
    }
  });

  it('pow, log and exp in f64', () => {
    for (const core of cores) {
      for (const [x, y] of [
        [10000, -0.37],
        [2, 0.5],
        [500000, 63 / 64],
        [0.3, 7],
      ] as const) {
        expect(core.run('pow', x, y) / x ** y).to.be.closeTo(1, 1e-15);
        expect(core.run('log', x) / Math.log(x)).to.be.closeTo(1, 1e-15);
        expect(core.run('exp', y) / Math.exp(y)).to.be.closeTo(1, 1e-15);
      }
    }
  });
});
