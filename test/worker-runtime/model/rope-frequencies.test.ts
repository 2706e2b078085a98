import {expect} from '@open-wc/testing';
import type {RopeScaling, RopeSpec} from '../../../worker-runtime/model/decoder-spec.ts';
import {ropeFrequencies} from '../../../worker-runtime/model/rope-frequencies.ts';

const dimensions = 64;
const base = 10000;
const spec = (scaling: RopeScaling, attentionFactor: number): RopeSpec => ({
  style: 'normal',
  dimensions,
  base,
  scaling,
  attentionFactor,
  factorsTensor: 'rope_freqs.weight',
});
const yarn = {
  kind: 'yarn',
  factor: 4,
  originalContextLength: 2048,
  extrapolationFactor: 1,
  betaFast: 32,
  betaSlow: 1,
} as const;

const plain = Array.from({length: dimensions / 2}, (_, pair) => base ** ((-2 * pair) / dimensions));
const compute = (scaling: RopeScaling, factors: Float32Array | null = null, attentionFactor = 1) =>
  ropeFrequencies(spec(scaling, attentionFactor), factors, Math);

function expectClose(actual: ArrayLike<number>, expected: readonly number[]): void {
  expect(actual.length).to.equal(expected.length);
  expected.forEach((value, index) => expect((actual[index] ?? NaN) / value).to.be.closeTo(1, 1e-12));
}

describe('ropeFrequencies', () => {
  it('is a geometric series', () => {
    const {frequencies, scale} = compute({kind: 'none'});
    expectClose(frequencies, plain);
    expect(scale).to.equal(1);
  });

  it('divides all by a linear factor', () => {
    const {frequencies, scale} = compute({kind: 'linear', factor: 4});
    expectClose(
      frequencies,
      plain.map((frequency) => frequency / 4),
    );
    expect(scale).to.equal(1);
  });

  it("divides each by the file's own factor", () => {
    const factors = Float32Array.from(plain, (_, pair) => 1 + pair / 8);
    const {frequencies} = compute({kind: 'none'}, factors);
    expectClose(
      frequencies,
      plain.map((frequency, pair) => frequency / (1 + pair / 8)),
    );
  });

  it('leaves fast pairs alone and stretches slow ones with YaRN', () => {
    const {frequencies} = compute(yarn);
    const turns = plain.map((frequency) => (yarn.originalContextLength * frequency) / (2 * Math.PI));
    plain.forEach((frequency, pair) => {
      const ratio = (frequencies[pair] ?? NaN) / frequency;
      const turning = turns[pair] ?? NaN;
      // The ramp begins and ends at whole pairs, so a pair beside a bound may belong to either side.
      if (turning > yarn.betaFast * 2) expect(ratio, `pair ${pair}`).to.be.closeTo(1, 1e-12);
      else if (turning < yarn.betaSlow / 2) expect(ratio, `pair ${pair}`).to.be.closeTo(1 / 4, 1e-12);
      else expect(ratio, `pair ${pair}`).to.be.within(1 / 4, 1);
    });
  });

  it('goes from one to the other along a straight line', () => {
    const {frequencies} = compute(yarn);
    const shares = plain.map((frequency, pair) => ((frequencies[pair] ?? NaN) / frequency - 1 / 4) / (3 / 4));
    const inside = shares.filter((share) => share > 1e-9 && share < 1 - 1e-9);
    expect(inside.length).to.be.greaterThan(2);
    const steps = inside.slice(1).map((share, index) => (inside[index] ?? NaN) - share);
    for (const step of steps) expect(step).to.be.closeTo(steps[0] ?? NaN, 1e-9);
  });

  it('raises the temperature of attention with YaRN', () => {
    expect(compute(yarn).scale).to.be.closeTo(1 + 0.1 * Math.log(4), 1e-12);
    expect(compute(yarn, null, 0.5).scale).to.be.closeTo(0.5 + 0.05 * Math.log(4), 1e-12);
    expect(compute({...yarn, factor: 0.5}).scale).to.equal(1);
  });

  it('is linear scaling where nothing is extrapolated', () => {
    const {frequencies, scale} = compute({...yarn, extrapolationFactor: 0});
    expectClose(
      frequencies,
      plain.map((frequency) => frequency / 4),
    );
    expect(scale).to.equal(1);
  });
});
