import {expect} from '@open-wc/testing';
import {exponential, naturalLogarithm} from '../../../worker-runtime/sampling/exponential.ts';

describe('exponential', () => {
  it('agrees with Math.exp to the last places', () => {
    for (let x = 0; x > -700; x -= 0.0379) {
      expect(exponential(x) / Math.exp(x), String(x)).to.be.closeTo(1, 4e-15);
    }
  });

  it('is exact where the result is', () => {
    expect(exponential(0)).to.equal(1);
    expect(exponential(-1e9)).to.equal(0);
    expect(exponential(-Infinity)).to.equal(0);
  });

  it('goes down to the smallest numbers', () => {
    expect(exponential(-744)).to.be.closeTo(Math.exp(-744), 5e-324);
    expect(exponential(-720) / Math.exp(-720)).to.be.closeTo(1, 1e-9);
  });

  it('gives these bits in every engine', () => {
    const bits = (value: number): string =>
      new BigUint64Array(Float64Array.of(value).buffer)[0]?.toString(16) ?? '';
    expect([-1e-3, -0.5, -1, -10.25, -87.3].map((x) => bits(exponential(x)))).to.deep.equal([
      '3feff7cfe56f1a9e',
      '3fe368b2fc6f960a',
      '3fd78b56362cef38',
      '3f02899a7a835446',
      '38109874c0b9cacb',
    ]);
  });
});

describe('naturalLogarithm', () => {
  it('agrees with Math.log', () => {
    for (let x = 1e-9; x < 1e12; x *= 1.37) {
      expect(naturalLogarithm(x), String(x)).to.be.closeTo(
        Math.log(x),
        1e-14 * Math.max(1, Math.abs(Math.log(x))),
      );
    }
    expect(naturalLogarithm(1)).to.equal(0);
  });
});
