import {expect} from '@open-wc/testing';
import {defaultSampling} from '../../../worker-runtime/protocol.ts';
import type {SamplingSettings} from '../../../worker-runtime/protocol.ts';
import {Sampler} from '../../../worker-runtime/sampling/sampler.ts';
import {placeLogits} from '../../helpers/core-logits.ts';
import {Random} from '../../helpers/gguf/random.ts';
import {expectRefusal} from '../../helpers/refusal.ts';

/** How often each token is drawn from the same logits. */
async function frequencies(values: Float32Array, settings: Partial<SamplingSettings>): Promise<number[]> {
  const draws = 20_000;
  const logits = await placeLogits(values);
  const sampler = new Sampler({...defaultSampling, temperature: 1, ...settings}, values.length);
  const counts = new Array<number>(values.length).fill(0);
  for (let i = 0; i < draws; i++) counts[sampler.sample(logits, [])]! += 1 / draws;
  return counts;
}

/** One token after `recent`. */
async function sample(
  values: readonly number[],
  settings: Partial<SamplingSettings>,
  recent: readonly number[] = [],
): Promise<number> {
  const logits = await placeLogits(Float32Array.from(values));
  const token = new Sampler({...defaultSampling, ...settings}, values.length).sample(logits, recent);
  expect([...logits.values]).to.deep.equal([...Float32Array.from(values)]);
  return token;
}

function expectShares(actual: readonly number[], expected: readonly number[]): void {
  for (const [i, share] of expected.entries()) {
    if (share === 0) expect(actual[i], `token ${i}`).to.equal(0);
    else expect(actual[i], `token ${i}`).to.be.closeTo(share, 0.015);
  }
}

/** Logits of these probabilities. */
const logitsOf = (...probabilities: number[]): Float32Array =>
  Float32Array.from(probabilities, (probability) => Math.log(probability));

describe('Sampler', () => {
  it('is greedy at temperature 0, with the lowest ID on ties', async () => {
    expect(await sample([-3, 2, -1, 2, 1], {})).to.equal(1);
  });

  it('draws by probability', async () => {
    expectShares(await frequencies(logitsOf(0.1, 0.6, 0.3), {}), [0.1, 0.6, 0.3]);
  });

  it('flattens with temperature', async () => {
    // Square roots of the probabilities, normalised.
    expectShares(await frequencies(logitsOf(0.64, 0.36), {temperature: 2}), [0.8 / 1.4, 0.6 / 1.4]);
  });

  it('keeps the best K', async () => {
    expectShares(await frequencies(logitsOf(0.1, 0.4, 0.2, 0.3), {topK: 2}), [0, 4 / 7, 0, 3 / 7]);
  });

  it('keeps the lowest IDs where equal tokens do not all fit', async () => {
    expectShares(await frequencies(Float32Array.of(1, 1, 1, 1), {topK: 2}), [0.5, 0.5, 0, 0]);
  });

  it('keeps the smallest set that reaches P', async () => {
    const logits = logitsOf(0.1, 0.4, 0.2, 0.3);
    expectShares(await frequencies(logits, {topP: 0.65}), [0, 4 / 7, 0, 3 / 7]);
    expectShares(await frequencies(logits, {topP: 0.75}), [0, 4 / 9, 2 / 9, 3 / 9]);
    expectShares(await frequencies(logits, {topP: 1e-9}), [0, 1, 0, 0]);
  });

  it('judges P among what K kept', async () => {
    // Of the best two, the first has 4/7 = 0.571.
    expectShares(await frequencies(logitsOf(0.1, 0.4, 0.2, 0.3), {topK: 2, topP: 0.56}), [0, 1, 0, 0]);
  });

  it('drops what is below a share of the best', async () => {
    const logits = logitsOf(0.09, 0.4, 0.21, 0.3);
    expectShares(await frequencies(logits, {minP: 0.5}), [0, 40 / 91, 21 / 91, 30 / 91]);
    expectShares(await frequencies(logits, {minP: 0.6, topK: 3}), [0, 4 / 7, 0, 3 / 7]);
    expectShares(await frequencies(logits, {minP: 1}), [0, 1, 0, 0]);
  });

  it('judges P and the share at temperature 1', async () => {
    expectShares(await frequencies(logitsOf(0.64, 0.26, 0.1), {topP: 0.7, temperature: 100}), [0.5, 0.5, 0]);
  });

  it('penalises each recent token once and puts the logits back', async () => {
    const greedy = (recent: number[], repeatLastN = 64): Promise<number> =>
      sample([2, 1.5, -1, -1.5], {repeatPenalty: 1.6, repeatLastN}, recent);
    expect(await greedy([0, 0, 0])).to.equal(1);
    expect(await greedy([0, 1])).to.equal(0);
    expect(await greedy([0, 3], 1)).to.equal(0);
    expect(await greedy([0], 0)).to.equal(0);
    expect(await sample([-1, -1.5], {repeatPenalty: 1.6}, [0])).to.equal(1);
  });

  it('gives the same tokens for the same seed', async () => {
    const random = new Random(5);
    const steps = Array.from({length: 20}, () => random.uniform(1000, 6));
    const logits = await placeLogits(new Float32Array(1000));
    const run = (seed: number): number[] => {
      const sampler = new Sampler({...defaultSampling, temperature: 0.8, topP: 0.95, seed}, 1000);
      return steps.map((values) => {
        logits.values.set(values);
        return sampler.sample(logits, []);
      });
    };
    expect(run(42)).to.deep.equal(run(42));
    expect(run(42)).not.to.deep.equal(run(43));
    expect(run(42)).to.deep.equal([
      781, 223, 33, 199, 888, 677, 245, 606, 559, 277, 144, 406, 786, 503, 840, 991, 941, 658, 244, 54,
    ]);
  });

  it('works with extreme settings', async () => {
    const logits = [1e38, -1e38, 3e38, 0];
    const settings = {repeatPenalty: 1e-30, temperature: 1e-300, topK: 3, topP: 0.5, minP: 1};
    expect(await sample(logits, settings, [0, 1, 2, 3])).to.equal(0);
    expect(await sample(logits, {...settings, temperature: 1e300, repeatPenalty: 1})).to.equal(2);
    expect(await sample([3], {temperature: 1, topK: 1000})).to.equal(0);
  });

  it('looks at the tokens of the vocabulary only', async () => {
    // What pads a row of `placeLogits` is NaN.
    expect(await sample([1, 2], {})).to.equal(1);
    expect(await sample([1, 2], {temperature: 1, topP: 0.01})).to.equal(1);
  });

  for (const value of [NaN, Infinity, -Infinity]) {
    it(`refuses a logit of ${value}, whatever the settings`, async () => {
      for (const settings of [{}, {temperature: 1}, {temperature: 1, topK: 2}, {repeatPenalty: 2}]) {
        const sampler = new Sampler({...defaultSampling, ...settings}, 3);
        const logits = await placeLogits(Float32Array.of(1, value, 2));
        await expectRefusal(() => sampler.sample(logits, [1]), 'logits-not-finite', 'token 1');
        expect([...logits.values]).to.deep.equal([1, value, 2]);
      }
    });
  }
});
