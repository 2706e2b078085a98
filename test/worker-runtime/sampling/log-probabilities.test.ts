import {expect} from '@open-wc/testing';
import {logProbabilities} from '../../../worker-runtime/sampling/log-probabilities.ts';
import {expectRefusal} from '../../helpers/refusal.ts';

describe('logProbabilities', () => {
  const logits = Float32Array.from([0.2, 0.5, 0.1, 0.2], (probability) => Math.log(probability) + 7);

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
    await expectRefusal(() => logProbabilities(Float32Array.of(1, NaN), 0, 1), 'logits-not-finite');
  });
});
