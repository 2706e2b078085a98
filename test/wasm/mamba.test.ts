import {expect} from '@open-wc/testing';
import {softplus} from '../helpers/mixer-reference.ts';
import {allCores, paddedColumns, randomFloats} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';
import {column, columns, runSlices, sameInAllWays, tokens} from './mixer-checks.ts';
import type {Given} from './mixer-checks.ts';
import {expectWithin, onAll, ulp} from './op-checks.ts';
import {expectChannel} from './state-space-checks.ts';

describe('the scan of Mamba in the core', () => {
  let cores: CoreHarness[];
  before(async () => {
    cores = await allCores();
  });
  afterEach(() => cores.forEach((core) => core.reset()));

  /** y = softplus(dt): Mamba with x, B and C of 1 in one place of a state that was 0. */
  const softplusOf = (dt: Float32Array): Float32Array =>
    onAll(cores, (core) => {
      const channels = dt.length;
      const x = core.put(new Float32Array(channels).fill(1));
      const rates = core.put(new Float32Array(channels * 4));
      const one = core.put(Float32Array.of(1, 0, 0, 0));
      const skip = core.put(new Float32Array(channels));
      const state = core.put(new Float32Array(channels * 4));
      const y = core.allocate(dt.byteLength);
      const shape = [channels, 4, 1, channels * 4, 64, channels * 4];
      core.run('mambaScan', x, core.put(dt), rates, one, one, skip, state, state, y, ...shape);
      return core.f32(y, channels);
    });

  it('softplus within 5 units in the last place', () => {
    const dt = Float32Array.from({length: 8192}, (_, i) => (i - 4096) / 47.1);
    const wanted = Float64Array.from(dt, softplus);
    expectWithin(softplusOf(dt), wanted, (i) => 5 * ulp * wanted[i]!);
    const small = randomFloats(8192, 1, 0.01);
    const near = Float64Array.from(small, softplus);
    expectWithin(softplusOf(small), near, (i) => 5 * ulp * near[i]!);
  });

  it('softplus of what is large or not a number', () => {
    const [nan, ...rest] = softplusOf(Float32Array.of(NaN, -Infinity, 1e30, -1e30, 88, -88, -0, 0));
    expect(nan).to.be.NaN;
    // Below e^-87.3 a power is 0.
    expect(rest).to.deep.equal([0, Math.fround(1e30), 0, 88, 0, ...Float32Array.of(Math.LN2, Math.LN2)]);
  });

  for (const [channels, stateLength] of [
    [1, 4],
    [3, 16],
    [8, 16],
    [18, 8],
    [34, 64],
  ] as const) {
    describe(`Mamba, ${channels} channels with states of ${stateLength}`, () => {
      const [stride, bcStride] = [paddedColumns(channels), paddedColumns(2 * stateLength)];
      const x = randomFloats(tokens * stride, 1, 2);
      const dt = randomFloats(tokens * stride, 2, 3);
      const bc = randomFloats(tokens * bcStride, 3);
      const rates = randomFloats(channels * stateLength, 4).map((value) => -1 - value);
      const skip = randomFloats(channels, 5);
      const before = randomFloats(channels * stateLength, 6);

      /** Channels from `first` on, `count` of them. */
      const scanPart = (core: CoreHarness, first: number, count: number) => {
        const [input, steps, selection] = [x, dt, bc].map((values) => core.put(values)) as [
          number,
          number,
          number,
        ];
        const [a, d] = [core.put(rates), core.put(skip)];
        const y = core.put(new Float32Array(x.length));
        const skipped = first * stateLength * 4;
        const step = (start: number, length: number, from: number, to: number): void => {
          const at = (start * stride + first) * 4;
          const b = selection + start * bcStride * 4;
          const shape = [count, stateLength, length, stride * 4, bcStride * 4, stride * 4];
          core.run(
            'mambaScan',
            ...[input + at, steps + at, a + skipped, b, b + stateLength * 4, d + first * 4],
            ...[from + skipped, to + skipped, y + at, ...shape],
          );
        };
        return {y, step};
      };

      const run = (core: CoreHarness, slices: readonly number[], inPlace: boolean): Given => {
        const {y, step} = scanPart(core, 0, channels);
        const state = runSlices(core, slices, before, step, inPlace);
        return {outputs: core.f32(y, x.length), state};
      };

      it('is the recurrence, in any slices', () => {
        const {outputs, state} = sameInAllWays(cores, run);
        for (let channel = 0; channel < channels; channel++) {
          const first = channel * stateLength;
          const own = (values: Float32Array): number[] => [...values.subarray(first, first + stateLength)];
          const recurrence = {
            inputs: column(x, stride, channel),
            steps: column(dt, stride, channel).map(softplus),
            b: columns(bc, bcStride, 0, stateLength),
            c: columns(bc, bcStride, stateLength, stateLength),
            rates: own(rates),
            skip: skip[channel]!,
          };
          const errors = {stepError: 5, powerError: 2};
          expectChannel(column(outputs, stride, channel), own(state), recurrence, own(before), errors);
        }
      });

      it('gives channels that are computed by themselves the same bits', () => {
        const whole = run(cores[0]!, [tokens], true).outputs;
        for (let first = 0; first < channels; first += 4) {
          const count = Math.min(4, channels - first);
          const part = onAll(cores, (core) => {
            core.reset();
            const {y, step} = scanPart(core, first, count);
            runSlices(core, [tokens], before, step, true);
            return core.f32(y, x.length);
          });
          expect(columns(part, stride, first, count)).to.deep.equal(columns(whole, stride, first, count));
        }
      });
    });
  }
});
