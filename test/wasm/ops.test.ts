import {expect} from '@open-wc/testing';
import * as reference from '../helpers/core-reference.ts';
import {allCores, bits, randomFloats} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';

/** Largest difference, as a multiple of the wanted value's magnitude (or of `floor`, if that is larger). */
function relativeError(values: ArrayLike<number>, wanted: ArrayLike<number>, floor = 0): number {
  let largest = 0;
  for (let i = 0; i < wanted.length; i++) {
    const error = Math.abs(values[i]! - wanted[i]!) / Math.max(Math.abs(wanted[i]!), floor);
    largest = Math.max(largest, Number.isNaN(error) ? Infinity : error);
  }
  return largest;
}

const ulp = 2 ** -23;

describe('operations of the core', () => {
  let cores: CoreHarness[];
  before(async () => {
    cores = await allCores();
  });
  afterEach(() => cores.forEach((core) => core.reset()));

  /** Runs on all cores, which must give the same bits. */
  function onAll(operation: (core: CoreHarness) => Float32Array): Float32Array {
    const results = cores.map(operation);
    for (const result of results) expect(bits(result)).to.deep.equal(bits(results[0]!));
    return results[0]!;
  }

  it('add', () => {
    const [a, b] = [randomFloats(48, 1), randomFloats(48, 2)];
    const sum = onAll((core) => {
      const y = core.put(a);
      core.run('add', y, y, core.put(b), 48);
      return core.f32(y, 48);
    });
    expect(sum).to.deep.equal(a.map((value, i) => value + b[i]!));
  });

  for (const n of [1, 3, 8, 64, 67, 2048]) {
    it(`rmsNorm over ${n} columns, 3 tokens, in place or not`, () => {
      const stride = Math.ceil(n / 16) * 16;
      const x = randomFloats(3 * stride, n, 5);
      const weight = randomFloats(n, 7);
      const inPlace = (core: CoreHarness): Float32Array => {
        const p = core.put(x);
        core.run('rmsNorm', p, core.put(weight), p, n, 1e-5, 3, stride * 4, stride * 4);
        return core.f32(p, 3 * stride);
      };
      const apart = (core: CoreHarness): Float32Array => {
        const y = core.put(x);
        core.run('rmsNorm', core.put(x), core.put(weight), y, n, 1e-5, 3, stride * 4, stride * 4);
        return core.f32(y, 3 * stride);
      };
      const result = onAll(inPlace);
      expect(bits(onAll(apart))).to.deep.equal(bits(result));
      for (let token = 0; token < 3; token++) {
        const at = token * stride;
        const wanted = reference.rmsNorm(x.slice(at, at + n), weight, 1e-5);
        expect(relativeError(result.slice(at, at + n), wanted)).to.be.below(4 * ulp);
      }
    });
  }

  it('rmsNorm does not overflow on squares beyond f32', () => {
    const x = new Float32Array(16).fill(1e25);
    const result = onAll((core) => {
      const p = core.put(x);
      core.run('rmsNorm', p, core.put(new Float32Array(16).fill(1)), p, 16, 1e-5, 1, 64, 64);
      return core.f32(p, 16);
    });
    expect(result.every(Number.isFinite)).to.be.true;
  });

  it('SwiGLU over the range of exp', () => {
    const gate = Float32Array.from({length: 4096}, (_, i) => (i - 2048) / 20);
    const up = randomFloats(4096, 3);
    const result = onAll((core) => {
      const y = core.put(gate);
      core.run('activateGate', 0, y, core.put(up), y, 4096);
      return core.f32(y, 4096);
    });
    // From gate = -88.7 on, where e^-gate leaves f32, the result is 0 instead of at most 89 e^-88.7.
    expect(relativeError(result, reference.swiGlu(gate, up), 1e-30)).to.be.below(8 * ulp);
  });

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
        const result = onAll((core) => {
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
