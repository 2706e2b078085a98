import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../worker-runtime/client/index.ts';
import type {GenerateResult} from '../../worker-runtime/client/index.ts';
import {tinyLlama} from '../helpers/gguf-writer.ts';
import {expectRefusal} from '../helpers/refusal.ts';
import {greedy} from '../helpers/tiny-runs.ts';

describe('generate samples', () => {
  let runtime: GgufRuntime;
  let expected: GenerateResult;
  before(async () => {
    runtime = await GgufRuntime.boot();
    await runtime.loadModel(tinyLlama());
    expected = await runtime.generate(greedy).result;
  });
  after(() => runtime.terminate());
  beforeEach(() => runtime.resetContext());

  const sampled = async (seed: number, temperature = 1.5): Promise<readonly number[]> =>
    (await runtime.generate({...greedy, sampling: {temperature, seed}}).result).tokens;

  it('the same for the same seed', async () => {
    const first = await sampled(7);
    expect(await sampled(7)).to.deep.equal(first);
    expect(await sampled(8)).to.not.deep.equal(first);
    expect(await sampled(2 ** 53 - 1)).to.deep.equal(await sampled(2 ** 53 - 1));
    expect(first).to.not.deep.equal(expected.tokens);
  });

  it('greedily at temperature 0, whatever the seed', async () => {
    expect(await sampled(7, 0)).to.deep.equal(expected.tokens);
  });

  it('by the configured settings, which one run may override for itself', async () => {
    const settings = await runtime.configureSampling({temperature: 1.5, seed: 7});
    expect(settings).to.include({temperature: 1.5, seed: 7, topP: 1});
    const {tokens} = await runtime.generate(greedy).result;
    expect((await runtime.generate({...greedy, sampling: {temperature: 0}}).result).tokens).to.deep.equal(
      expected.tokens,
    );
    expect((await runtime.generate(greedy).result).tokens).to.deep.equal(tokens);
    expect((await runtime.diagnostics()).sampling).to.deep.equal(settings);
    await runtime.configureSampling({temperature: 0, seed: 1});
    expect(await sampled(7)).to.deep.equal(tokens);
  });

  it('by the settings before, where new ones are refused', async () => {
    const before = (await runtime.diagnostics()).sampling;
    for (const [key, values] of Object.entries({
      temperature: [-1, NaN, Infinity, '1'],
      topP: [0, 1.1, NaN],
      topK: [-1, 1.5],
      minP: [-0.1, 1.1],
      repeatPenalty: [0, -1],
      repeatLastN: [-1, 0.5],
      seed: [-1, 0.5, 2 ** 53],
      warmth: [1],
    })) {
      for (const value of values) {
        const bad = {topK: 5, [key]: value};
        const error = await expectRefusal(() => runtime.configureSampling(bad), 'invalid-setting', key);
        expect(error.field).to.equal(key);
        await expectRefusal(
          () => runtime.generate({...greedy, sampling: bad}).result,
          'invalid-setting',
          key,
        );
      }
    }
    expect((await runtime.diagnostics()).sampling).to.deep.equal(before);
    expect((await runtime.generate(greedy).result).tokens).to.deep.equal(expected.tokens);
  });
});
