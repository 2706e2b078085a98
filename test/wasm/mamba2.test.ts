import {expect} from '@open-wc/testing';
import {softplus} from '../helpers/mixer-reference.ts';
import {allCores, bits, paddedColumns, randomFloats} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';
import {column, columns, rowsOf, runSlices, sameInAllWays, tokens} from './mixer-checks.ts';
import type {Given} from './mixer-checks.ts';
import {onAll} from './op-checks.ts';
import {expectChannel} from './state-space-checks.ts';

describe('the scan of Mamba-2 in the core', () => {
  let cores: CoreHarness[];
  before(async () => {
    cores = await allCores();
  });
  afterEach(() => cores.forEach((core) => core.reset()));

  for (const [heads, headLength, stateLength, groups] of [
    [1, 1, 4, 1],
    [4, 3, 16, 2],
    [6, 16, 24, 3],
    [2, 64, 128, 1],
    [2, 8, 256, 2],
  ] as const) {
    describe(`Mamba-2, ${heads} heads of ${headLength} in ${groups} groups, states of ${stateLength}`, () => {
      const inner = heads * headLength;
      const stride = paddedColumns(inner + 2 * groups * stateLength);
      const [dtStride, yStride] = [paddedColumns(heads), paddedColumns(inner)];
      const xbc = randomFloats(tokens * stride, 1);
      const dt = randomFloats(tokens * dtStride, 2, 3);
      const bias = randomFloats(heads, 3, 2);
      const rates = randomFloats(heads, 4).map((value) => -1 - value);
      const skip = randomFloats(heads, 5);
      const before = randomFloats(inner * stateLength, 6);

      const run = (core: CoreHarness, slices: readonly number[], inPlace: boolean, inputs = xbc): Given => {
        const [x, steps] = [core.put(inputs), core.put(dt)];
        const perHead = [bias, rates, skip].map((values) => core.put(values));
        const y = core.put(new Float32Array(tokens * yStride));
        const shape = [heads, headLength, stateLength, groups];
        const step = (start: number, count: number, from: number, to: number): void => {
          const [row, dtRow, yRow] = [stride, dtStride, yStride].map((length) => start * length * 4);
          const strides = [stride * 4, dtStride * 4, yStride * 4];
          const states = [from, to, y + yRow!];
          core.run(
            'mamba2Scan',
            x + row!,
            steps + dtRow!,
            ...perHead,
            ...states,
            ...shape,
            count,
            ...strides,
          );
        };
        const state = runSlices(core, slices, before, step, inPlace);
        return {outputs: core.f32(y, tokens * yStride), state};
      };

      it('is the recurrence, in any slices', () => {
        const {outputs, state} = sameInAllWays(cores, run);
        const states = rowsOf(state, 0, inner, stateLength);
        const befores = rowsOf(before, 0, inner, stateLength);
        for (let channel = 0; channel < inner; channel++) {
          const head = Math.floor(channel / headLength);
          const b = inner + Math.floor((head * groups) / heads) * stateLength;
          const recurrence = {
            inputs: column(xbc, stride, channel),
            steps: column(dt, dtStride, head).map((value) => softplus(Math.fround(value + bias[head]!))),
            b: columns(xbc, stride, b, stateLength),
            c: columns(xbc, stride, b + groups * stateLength, stateLength),
            rates: new Array<number>(stateLength).fill(rates[head]!),
            skip: skip[head]!,
          };
          // Both in f64, then rounded.
          const errors = {stepError: 0.5, powerError: 0.5};
          expectChannel(
            column(outputs, yStride, channel),
            states[channel]!,
            recurrence,
            befores[channel]!,
            errors,
          );
        }
      });

      it('gives a head the same bits whatever the others see', () => {
        const whole = run(cores[0]!, [tokens], false).outputs;
        const others = xbc.map((value, i) => {
          const at = i % stride;
          return at >= headLength && at < inner ? -3 * value : value;
        });
        const changed = onAll(cores, (core) => {
          core.reset();
          return run(core, [tokens], false, others).outputs;
        });
        const [wanted, given] = [whole, changed].map((y) => columns(y, yStride, 0, headLength).flat());
        expect(bits(Float32Array.from(given!))).to.deep.equal(bits(Float32Array.from(wanted!)));
      });
    });
  }
});
