import {expect} from '@open-wc/testing';
import * as reference from '../helpers/core-reference.ts';
import {allCores, bits, randomFloats} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';
import {expectWithin, onAll, relativeError, ulp} from './op-checks.ts';

const epsilon = 1e-5;
const tokens = 3;

describe('norms of the core', () => {
  let cores: CoreHarness[];
  before(async () => {
    cores = await allCores();
  });
  afterEach(() => cores.forEach((core) => core.reset()));

  for (const n of [1, 3, 8, 64, 67, 2048]) {
    const stride = Math.ceil(n / 16) * 16;
    const strides = [stride * 4, stride * 4];

    it(`rmsNorm over ${n} columns, ${tokens} tokens, in place or not`, () => {
      const x = randomFloats(tokens * stride, n, 5);
      const weight = randomFloats(n, 7);
      const inPlace = (core: CoreHarness): Float32Array => {
        const p = core.put(x);
        core.run('rmsNorm', p, core.put(weight), p, n, epsilon, tokens, ...strides);
        return core.f32(p, tokens * stride);
      };
      const apart = (core: CoreHarness): Float32Array => {
        const y = core.put(x);
        core.run('rmsNorm', core.put(x), core.put(weight), y, n, epsilon, tokens, ...strides);
        return core.f32(y, tokens * stride);
      };
      const result = onAll(cores, inPlace);
      expect(bits(onAll(cores, apart))).to.deep.equal(bits(result));
      for (let token = 0; token < tokens; token++) {
        const at = token * stride;
        const wanted = reference.rmsNorm(x.slice(at, at + n), weight, epsilon);
        expect(relativeError(result.slice(at, at + n), wanted)).to.be.below(4 * ulp);
      }
    });

    it(`rmsNorm over ${n} columns without a weight is as with ones`, () => {
      const x = randomFloats(tokens * stride, n, 5);
      const norm = (core: CoreHarness, weight: number): Float32Array => {
        const p = core.put(x);
        core.run('rmsNorm', p, weight, p, n, epsilon, tokens, ...strides);
        return core.f32(p, tokens * stride);
      };
      const ones = new Float32Array(n).fill(1);
      const weighted = onAll(cores, (core) => norm(core, core.put(ones)));
      expect(bits(onAll(cores, (core) => norm(core, 0)))).to.deep.equal(bits(weighted));
    });

    for (const [name, hasWeight, hasBias] of [
      ['weight and bias', true, true],
      ['a weight', true, false],
      ['a bias', false, true],
      ['neither weight nor bias', false, false],
    ] as const) {
      it(`layerNorm over ${n} columns with ${name}, in place or not`, () => {
        // Values of which the mean is no less than the deviations.
        const x = randomFloats(tokens * stride, n, 5).map((value) => value + 3);
        const weight = hasWeight ? randomFloats(n, 7) : null;
        const bias = hasBias ? randomFloats(n, 8) : null;
        const norm = (core: CoreHarness, inPlace: boolean): Float32Array => {
          const p = core.put(x);
          const y = inPlace ? p : core.put(x);
          const [weights, biases] = [weight, bias].map((values) => (values ? core.put(values) : 0));
          core.run('layerNorm', p, weights!, biases!, y, n, epsilon, tokens, ...strides);
          return core.f32(y, tokens * stride);
        };
        const result = onAll(cores, (core) => norm(core, true));
        expect(bits(onAll(cores, (core) => norm(core, false)))).to.deep.equal(bits(result));
        for (let token = 0; token < tokens; token++) {
          const row = x.slice(token * stride, token * stride + n);
          const wanted = reference.layerNorm(row, weight, bias, epsilon);
          // The sums are f64. The rounded mean shifts all by up to half an ulp of it; then the difference, the factor and
          // two products are rounded, and the sum with the bias.
          const mean = Math.abs(reference.mean(row));
          const factor = 1 / Math.sqrt(reference.variance(row) + epsilon);
          expectWithin(result.slice(token * stride, token * stride + n), wanted, (i) => {
            const product = Math.abs(wanted[i]! - (bias?.[i] ?? 0));
            const shift = mean * factor * Math.abs(weight?.[i] ?? 1);
            return (ulp / 2) * (4 * product + shift + Math.abs(wanted[i]!)) + 2 ** -149;
          });
          // What pads a row stays.
          const padding = [token * stride + n, (token + 1) * stride] as const;
          expect(bits(result.slice(...padding))).to.deep.equal(bits(x.slice(...padding)));
        }
      });
    }
  }

  it('do not overflow on squares beyond f32', () => {
    const x = Float32Array.from({length: 16}, (_, i) => (i % 2 ? 1e25 : -1e25));
    const ones = new Float32Array(16).fill(1);
    const rms = onAll(cores, (core) => {
      const p = core.put(x);
      core.run('rmsNorm', p, core.put(ones), p, 16, epsilon, 1, 64, 64);
      return core.f32(p, 16);
    });
    expect(rms.every(Number.isFinite)).to.be.true;
    const layer = onAll(cores, (core) => {
      const p = core.put(x);
      core.run('layerNorm', p, core.put(ones), 0, p, 16, epsilon, 1, 64, 64);
      return core.f32(p, 16);
    });
    expect(relativeError(layer, x.map(Math.sign))).to.be.below(4 * ulp);
  });

  it('layerNorm of equal values is the bias, and passes on what is not finite', () => {
    const bias = randomFloats(16, 3);
    const norm = (x: Float32Array): Float32Array =>
      onAll(cores, (core) => {
        const p = core.put(x);
        core.run('layerNorm', p, 0, core.put(bias), p, 16, epsilon, 1, 64, 64);
        return core.f32(p, 16);
      });
    expect([...norm(new Float32Array(16).fill(7))]).to.deep.equal([...bias]);
    for (const special of [NaN, Infinity, -Infinity]) {
      const x = randomFloats(16, 4);
      x[5] = special;
      expect(norm(x).some(Number.isNaN)).to.be.true;
    }
  });
});
