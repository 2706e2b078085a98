import {expect} from '@open-wc/testing';
import type {Logits} from '../../../worker-runtime/sampling/logits.ts';
import {logProbabilities} from '../../../worker-runtime/sampling/log-probabilities.ts';
import {naturalLogarithm} from '../../../worker-runtime/sampling/natural-logarithm.ts';
import {coreVariants, placeLogits} from '../../helpers/core-logits.ts';
import {Random} from '../../helpers/gguf/random.ts';
import {expectRefusal} from '../../helpers/refusal.ts';
import {exponential, rankByFullSort} from '../../helpers/sampling-reference.ts';

describe('logProbabilities', () => {
  let logits: Logits;
  before(async () => {
    logits = await placeLogits(Float32Array.from([0.2, 0.5, 0.1, 0.2], (share) => Math.log(share) + 7));
  });

  it('gives the logarithm of the probability', () => {
    expect(logProbabilities(logits, 2, 0).logprob).to.be.closeTo(Math.log(0.1), 1e-6);
    expect(logProbabilities(logits, 2, 0).top).to.deep.equal([]);
  });

  it('gives the most probable tokens, the lowest ID first on ties', () => {
    const {top} = logProbabilities(logits, 0, 3);
    expect(top.map(({id}) => id)).to.deep.equal([1, 0, 3]);
    expect(top[0]?.logprob).to.be.closeTo(Math.log(0.5), 1e-6);
  });

  it('gives no more than there are', () => {
    expect(logProbabilities(logits, 0, 20).top.map(({id}) => id)).to.deep.equal([1, 0, 3, 2]);
  });

  it('refuses logits that are not finite', async () => {
    const broken = await placeLogits(Float32Array.of(1, NaN));
    await expectRefusal(() => logProbabilities(broken, 0, 1), 'logits-not-finite');
  });

  for (const variant of coreVariants) {
    it(`gives the bits of a plain sum by ID and a full sort (${variant} core)`, async () => {
      const values = new Random(8).uniform(150_001, 9);
      const placed = await placeLogits(values, variant);
      const best = rankByFullSort(values).slice(0, 20);
      const largest = values[best[0]!]!;
      const total = values.reduce((sum, logit) => sum + exponential(logit - largest), 0);
      const logprob = (id: number): number => values[id]! - (largest + naturalLogarithm(total));
      expect(logProbabilities(placed, 77, 20)).to.deep.equal({
        logprob: logprob(77),
        top: best.map((id) => ({id, logprob: logprob(id)})),
      });
    });
  }
});
