import {expect} from '@open-wc/testing';
import {defaultSampling} from '../../../worker-runtime/protocol.ts';
import type {SamplingSettings} from '../../../worker-runtime/protocol.ts';
import {Sampler} from '../../../worker-runtime/sampling/sampler.ts';
import {coreVariants, placeLogits} from '../../helpers/core-logits.ts';
import {Random} from '../../helpers/gguf/random.ts';
import {ReferenceSampler} from '../../helpers/sampling-reference.ts';

type Step = readonly [name: string, logits: Float32Array];

/** Logits of `count` tokens, one set of each kind. */
function steps(count: number): Step[] {
  const random = new Random(count);
  const bell = random.uniform(count, 4).map((logit, id) => logit + random.next() * 4 + (id % 3));
  return [
    ['random', random.uniform(count, 8)],
    ['ties', random.uniform(count, 5).map(Math.round)],
    ['equal', new Float32Array(count).fill(2.5)],
    ['flat', random.uniform(count, 1e-3)],
    ['peaked', bell.map((logit) => (random.next() < 0.01 ? logit + 12 : logit))],
    ['extreme', random.uniform(count, 3e38)],
  ];
}

/** Every combination of the values, of each setting one. */
function combinations(values: {
  readonly [K in keyof SamplingSettings]?: readonly number[];
}): SamplingSettings[] {
  return Object.entries(values).reduce<SamplingSettings[]>(
    (all, [name, some]) => all.flatMap((settings) => some.map((value) => ({...settings, [name]: value}))),
    [{...defaultSampling, seed: 2026}],
  );
}

const everything = combinations({
  temperature: [0, 0.2, 1, 1.7],
  topK: [0, 1, 40, 1e6],
  topP: [1, 0.95, 0.3],
  minP: [0, 0.05, 1],
  repeatPenalty: [1, 1.3],
});

/** What a large vocabulary makes different; a full sort of it takes a tenth of a second. */
const some = combinations({temperature: [0.8], topK: [0, 40], topP: [1, 0.95], minP: [0, 0.02]});

const cases: [count: number, settings: SamplingSettings[]][] = [
  [1, everything],
  [5, everything],
  [511, everything],
  [150_001, some],
];

describe('Sampler agrees with a full sort', () => {
  for (const [count, settings] of cases) {
    for (const [name, values] of steps(count)) {
      it(`${count} logits, ${name}: ${settings.length} combinations of filters`, async () => {
        const placed = await Promise.all(coreVariants.map((variant) => placeLogits(values, variant)));
        const recent = [0, count - 1, count >> 1, 0];
        for (const setting of settings) {
          const reference = new ReferenceSampler(setting);
          const samplers = placed.map(() => new Sampler(setting, count));
          for (let draw = 0; draw < (count > 1000 ? 1 : 3); draw++) {
            const wanted = reference.sample(values, recent);
            placed.forEach((logits, i) => {
              const token = samplers[i]!.sample(logits, recent);
              expect(token, `${coreVariants[i]} core, ${JSON.stringify(setting)}`).to.equal(wanted);
            });
          }
        }
      });
    }
  }
});
