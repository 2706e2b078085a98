import {expect} from '@open-wc/testing';
import {allCores, bits, randomFloats} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';
import {expectWithin, onAll, ulp} from './op-checks.ts';

const {fround} = Math;

describe('elementwise operations of the core', () => {
  let cores: CoreHarness[];
  before(async () => {
    cores = await allCores();
  });
  afterEach(() => cores.forEach((core) => core.reset()));

  /** An operation on `x` in place. */
  const inPlace = (x: Float32Array, operation: (core: CoreHarness, pointer: number) => void): Float32Array =>
    onAll(cores, (core) => {
      const pointer = core.put(x);
      operation(core, pointer);
      return core.f32(pointer, x.length);
    });

  const [a, b] = [randomFloats(48, 1), randomFloats(48, 2)];

  it('add: rounded sums, in place or not', () => {
    const wanted = a.map((value, i) => value + b[i]!);
    expect(inPlace(a, (core, p) => core.run('add', p, p, core.put(b), 48))).to.deep.equal(wanted);
    expect(inPlace(b, (core, p) => core.run('add', p, core.put(a), p, 48))).to.deep.equal(wanted);
  });

  it('addScaled: a rounded product, then a rounded sum, in place or not', () => {
    const factor = fround(0.22);
    const wanted = a.map((value, i) => value + fround(b[i]! * factor));
    expect(inPlace(a, (core, p) => core.run('addScaled', p, p, core.put(b), factor, 48))).to.deep.equal(
      wanted,
    );
    expect(inPlace(b, (core, p) => core.run('addScaled', p, core.put(a), p, factor, 48))).to.deep.equal(
      wanted,
    );
  });

  it('scale: rounded products', () => {
    const factor = fround(-7.3);
    expect(inPlace(a, (core, p) => core.run('scale', p, factor, 48))).to.deep.equal(
      a.map((value) => value * factor),
    );
  });

  for (const n of [1, 3, 4, 7, 16, 35]) {
    it(`addBias: the same ${n} values to each row, and nothing to what pads it`, () => {
      const stride = Math.ceil(n / 16) * 16;
      const x = randomFloats(3 * stride, 3);
      const bias = randomFloats(n, 4);
      const result = inPlace(x, (core, p) => core.run('addBias', p, core.put(bias), n, 3, stride * 4));
      expect(result).to.deep.equal(x.map((value, i) => (i % stride < n ? value + bias[i % stride]! : value)));
    });
  }

  it('clamp: what lies within stays as it is, and NaN too', () => {
    const limit = 1.5;
    const x = Float32Array.of(-Infinity, -2, -1.5, -1.25, -0, 0, 1e-40, 1.25, 1.5, 2, 3e38, Infinity);
    const wanted = x.map((value) => Math.min(limit, Math.max(-limit, value)));
    const result = inPlace(x, (core, p) => core.run('clamp', p, limit, x.length));
    expect(bits(result)).to.deep.equal(bits(wanted));
    const withNan = inPlace(Float32Array.of(NaN, 3, -3, 1), (core, p) => core.run('clamp', p, limit, 4));
    expect([...withNan]).to.deep.equal([NaN, limit, -limit, 1]);
  });

  for (const cap of [1, 30, 50]) {
    it(`softCap of ${cap}: cap · tanh(x / cap)`, () => {
      const x = Float32Array.from({length: 4096}, (_, i) => ((i - 2048) / 200) * cap);
      const result = inPlace(x, (core, p) => core.run('softCap', p, cap, x.length));
      const wanted = Float64Array.from(x, (value) => cap * Math.tanh(value / cap));
      // tanh is within one ulp of 1; its rounded argument u moves it by less, u (1 - tanh² u) / 2 < 0.23 ulp; and the product
      // with the cap is rounded.
      expectWithin(result, wanted, () => 2 * cap * ulp);
      expect(result.every((value) => Math.abs(value) <= cap)).to.be.true;
    });
  }

  it('softCap: infinity becomes the cap, NaN stays, signs too', () => {
    const x = Float32Array.of(Infinity, -Infinity, NaN, -0, 3e38, -3e38, 0, NaN);
    const result = inPlace(x, (core, p) => core.run('softCap', p, 30, x.length));
    expect([...result]).to.deep.equal([30, -30, NaN, -0, 30, -30, 0, NaN]);
  });
});
