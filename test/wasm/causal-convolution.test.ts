import {sigmoid} from '../helpers/activation-reference.ts';
import {convolve} from '../helpers/mixer-reference.ts';
import {allCores, paddedColumns, randomFloats} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';
import {absolutes, column, runSlices, sameInAllWays, tokens} from './mixer-checks.ts';
import type {Given} from './mixer-checks.ts';
import {expectWithin, ulp} from './op-checks.ts';

describe('the causal convolution of the core', () => {
  let cores: CoreHarness[];
  before(async () => {
    cores = await allCores();
  });
  afterEach(() => cores.forEach((core) => core.reset()));

  for (const channels of [1, 4, 7, 35, 64]) {
    for (const [length, hasBias, silu] of [
      [3, false, false],
      [4, true, true],
      [4, false, true],
      [2, true, false],
      // Longer than all tokens: what is kept comes from the old state, too.
      [8, true, true],
    ] as const) {
      const what = `${hasBias ? 'a bias' : 'no bias'}${silu ? ' and SiLU' : ''}`;

      it(`${channels} channels, kernel of ${length}, ${what}`, () => {
        const stride = paddedColumns(channels);
        const x = randomFloats(tokens * stride, 1, 2);
        const kernel = randomFloats(length * channels, 2, 2);
        const bias = hasBias ? randomFloats(channels, 3, 2) : null;
        const before = randomFloats((length - 1) * stride, 4, 2);

        const run = (core: CoreHarness, slices: readonly number[]): Given => {
          const [input, taps] = [core.put(x), core.put(kernel)];
          const summand = bias ? core.put(bias) : 0;
          const y = core.allocate(x.byteLength);
          const state = runSlices(core, slices, before, (start, count, from, to) => {
            const at = start * stride * 4;
            const strides = [stride * 4, stride * 4];
            const shape = [channels, length, count, ...strides, silu ? 1 : 0];
            core.run('causalConvolution', input + at, taps, summand, from, to, y + at, ...shape);
          });
          return {outputs: core.f32(y, x.length), state};
        };

        const {outputs, state} = sameInAllWays(cores, run, false);
        for (let channel = 0; channel < channels; channel++) {
          const past = Array.from({length: length - 1}, (_, row) => before[row * stride + channel]!);
          const taps = Array.from({length}, (_, k) => kernel[k * channels + channel]!);
          const inputs = column(x, stride, channel);
          const own = bias?.[channel] ?? 0;
          const sums = convolve(inputs, past, taps, own);
          const sizes = convolve(absolutes(inputs), absolutes(past), absolutes(taps), Math.abs(own));
          const wanted = silu ? sums.map((sum) => sum * sigmoid(sum)) : sums;
          expectWithin(column(outputs, stride, channel), wanted, (token) => {
            // A product is rounded, and then at most `length` sums.
            const error = ((length + 1) / 2) * ulp * sizes[token]!;
            // The slope of SiLU is below 1.1; its own error is that of e^-x, a sum and a quotient.
            return silu ? 1.1 * error + 3 * ulp * Math.abs(wanted[token]!) : error;
          });
          const kept = [...past, ...inputs].slice(1 - length);
          expectWithin(
            kept.map((_, row) => state[row * stride + channel]!),
            kept,
            () => 0,
          );
        }
      });
    }
  }
});
