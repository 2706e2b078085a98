import {expect} from '@open-wc/testing';
import {wkv7} from '../helpers/mixer-reference.ts';
import type {Wkv7} from '../helpers/mixer-reference.ts';
import {allCores, bits, randomFloats} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';
import {absolutes, column, columns, rowsOf, runSlices, sameInAllWays, tokens} from './mixer-checks.ts';
import type {Given} from './mixer-checks.ts';
import {expectWithin, onAll, ulp} from './op-checks.ts';

const names = ['r', 'w', 'k', 'v', 'a', 'b'] as const;

describe("RWKV-7's time mixing in the core", () => {
  let cores: CoreHarness[];
  before(async () => {
    cores = await allCores();
  });
  afterEach(() => cores.forEach((core) => core.reset()));

  for (const [heads, length] of [
    [1, 16],
    [3, 32],
    [2, 64],
  ] as const) {
    describe(`${heads} heads of ${length}`, () => {
      const stride = heads * length;
      const rows = new Map(
        names.map((name, seed) => {
          const values = randomFloats(tokens * stride, seed, Math.sqrt(3 / length));
          // Decays lie between e^(-1 / √e) and 1.
          return [name, name === 'w' ? randomFloats(tokens * stride, 9, 0.2).map((x) => 0.78 + x) : values];
        }),
      );
      const before = randomFloats(stride * length, 7);

      /** `count` heads from `first` on. */
      const mix = (core: CoreHarness, first: number, count: number) => {
        const inputs = names.map((name) => core.put(rows.get(name)!) + first * length * 4);
        const y = core.put(new Float32Array(tokens * stride));
        const skipped = first * length * length * 4;
        const step = (start: number, slice: number, from: number, to: number): void => {
          const at = start * stride * 4;
          core.run(
            'wkv7',
            ...inputs.map((pointer) => pointer + at),
            ...[from + skipped, to + skipped, y + first * length * 4 + at],
            ...[count, length, slice, stride * 4, stride * 4],
          );
        };
        return {y, step};
      };

      const run = (core: CoreHarness, slices: readonly number[], inPlace: boolean): Given => {
        const {y, step} = mix(core, 0, heads);
        const state = runSlices(core, slices, before, step, inPlace);
        return {outputs: core.f32(y, tokens * stride), state};
      };

      it('is the recurrence, in any slices', () => {
        const {outputs, state} = sameInAllWays(cores, run);
        for (let head = 0; head < heads; head++) {
          const own = (change: (row: readonly number[]) => readonly number[]): Wkv7 => {
            const of = (name: (typeof names)[number]) =>
              columns(rows.get(name)!, stride, head * length, length).map(change);
            return {r: of('r'), w: of('w'), k: of('k'), v: of('v'), a: of('a'), b: of('b')};
          };
          const first = head * length * length;
          const befores = rowsOf(before, first, length, length);
          const wanted = wkv7(
            own((row) => row),
            befores,
          );
          const sizes = wkv7(own(absolutes), befores.map(absolutes));
          // In units in the last place. A sum over keys: a product, a sixteenth of the keys, four sums. A token: that sum, a
          // product and two sums. An output: one more sum over keys.
          const sum = (1 + length / 16 + 4) / 2;
          const ofState = tokens * (sum + 3 / 2);
          for (let i = 0; i < length; i++) {
            expectWithin(
              column(outputs, stride, head * length + i),
              wanted.outputs.map((row) => row[i]!),
              (token) => (ofState + sum) * ulp * sizes.outputs[token]![i]!,
            );
            expectWithin(
              state.subarray(first + i * length, first + (i + 1) * length),
              wanted.state[i]!,
              (j) => ofState * ulp * sizes.state[i]![j]!,
            );
          }
        }
      });

      it('gives heads that are computed by themselves the same bits', () => {
        const whole = run(cores[0]!, [tokens], false).outputs;
        for (let head = 0; head < heads; head++) {
          const own = onAll(cores, (core) => {
            core.reset();
            const {y, step} = mix(core, head, 1);
            runSlices(core, [tokens], before, step, true);
            return core.f32(y, tokens * stride);
          });
          const [given, wanted] = [own, whole].map((y) => columns(y, stride, head * length, length).flat());
          expect(bits(Float32Array.from(given!))).to.deep.equal(bits(Float32Array.from(wanted!)));
        }
      });
    });
  }
});
