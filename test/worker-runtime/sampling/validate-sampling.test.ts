import {expect} from '@open-wc/testing';
import {defaultSampling} from '../../../worker-runtime/protocol.ts';
import type {SamplingSettings} from '../../../worker-runtime/protocol.ts';
import {validateSampling} from '../../../worker-runtime/sampling/validate-sampling.ts';
import {expectRefusal} from '../../helpers/refusal.ts';

const bad: readonly [string, unknown][] = [
  ['temperature', -0.1],
  ['temperature', NaN],
  ['temperature', Infinity],
  ['temperature', '1'],
  ['temperature', null],
  ['topK', -1],
  ['topK', 1.5],
  ['topP', 0],
  ['topP', 1.01],
  ['minP', -0.01],
  ['minP', 1.01],
  ['repeatPenalty', 0],
  ['repeatPenalty', -1],
  ['repeatLastN', 0.5],
  ['seed', -1],
  ['seed', 2 ** 53],
  ['seed', 0.5],
  ['topk', 3],
  ['__proto__x', 3],
  ['toString', 3],
];

describe('validateSampling', () => {
  it('takes what is given and keeps the rest', () => {
    const base = {...defaultSampling, topK: 40};
    const settings = validateSampling({temperature: 0.7, seed: 2 ** 53 - 1}, base);
    expect(settings).to.deep.equal({...base, temperature: 0.7, seed: 2 ** 53 - 1});
    expect(base.temperature).to.equal(0);
  });

  it('takes a setting of undefined for one that is not given', () => {
    const partial = {temperature: undefined} as unknown as Partial<SamplingSettings>;
    expect(validateSampling(partial, defaultSampling)).to.deep.equal(defaultSampling);
  });

  for (const [name, value] of bad) {
    it(`refuses ${name} = ${String(value)}`, async () => {
      const partial = {[name]: value} as Partial<SamplingSettings>;
      const error = await expectRefusal(
        () => validateSampling(partial, defaultSampling),
        'invalid-setting',
        name,
      );
      expect(error.field).to.equal(name);
    });
  }

  it('refuses what is no object', async () => {
    const nothing = null as unknown as Partial<SamplingSettings>;
    await expectRefusal(() => validateSampling(nothing, defaultSampling), 'invalid-setting', 'sampling');
  });
});
