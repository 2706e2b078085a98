import {expect} from '@open-wc/testing';
import {naturalLogarithm} from '../../../worker-runtime/sampling/natural-logarithm.ts';

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
