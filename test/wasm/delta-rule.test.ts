import {expect} from '@open-wc/testing';
import {sigmoid} from '../helpers/activation-reference.ts';
import {deltaRule, softplus} from '../helpers/mixer-reference.ts';
import {allCores, bits, paddedColumns, randomFloats} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';
import {absolutes, column, columns, rowsOf, runSlices, sameInAllWays, tokens} from './mixer-checks.ts';
import type {Given} from './mixer-checks.ts';
import {expectWithin, onAll, ulp} from './op-checks.ts';

describe('the gated delta rule of the core', () => {
  let cores: CoreHarness[];
  before(async () => {
    cores = await allCores();
  });
  afterEach(() => cores.forEach((core) => core.reset()));

  for (const [heads, keyHeads, keyLength, valueLength] of [
    [1, 1, 16, 1],
    [4, 2, 16, 16],
    [2, 2, 10, 24],
    [6, 3, 40, 16],
    [2, 1, 128, 128],
  ] as const) {
    describe(`${heads} heads of ${valueLength}, ${keyHeads} of ${keyLength} for keys`, () => {
      const [keysAt, valuesAt] = [keyHeads * keyLength, 2 * keyHeads * keyLength];
      const inner = heads * valueLength;
      const [stride, gateStride, yStride] = [
        paddedColumns(valuesAt + inner),
        paddedColumns(heads),
        paddedColumns(inner),
      ];
      // Keys as long as those that are normalised.
      const qkv = randomFloats(tokens * stride, 1, Math.sqrt(3 / keyLength));
      const [alpha, beta] = [2, 3].map((seed) => randomFloats(tokens * gateStride, seed, 3)) as [
        Float32Array,
        Float32Array,
      ];
      const [bias, rates] = [randomFloats(heads, 4), randomFloats(heads, 5).map((value) => (value - 1) / 4)];
      const before = randomFloats(heads * valueLength * keyLength, 6);
      const scale = Math.fround(1 / Math.sqrt(keyLength));

      /** `count` heads from `first` on; those of keys are `ownKeyHeads` from `firstKey` on. */
      const rule = (
        core: CoreHarness,
        first: number,
        count: number,
        firstKey: number,
        ownKeyHeads: number,
      ) => {
        const [x, a, b] = [qkv, alpha, beta].map((values) => core.put(values)) as [number, number, number];
        const perHead = [bias, rates].map((values) => core.put(values) + first * 4);
        const y = core.put(new Float32Array(tokens * yStride));
        const skipped = first * valueLength * keyLength * 4;
        const step = (start: number, length: number, from: number, to: number): void => {
          const row = x + start * stride * 4;
          const gates = (start * gateStride + first) * 4;
          const key = firstKey * keyLength * 4;
          core.run(
            'gatedDeltaRule',
            ...[row + key, row + keysAt * 4 + key, row + (valuesAt + first * valueLength) * 4],
            ...[a + gates, b + gates, ...perHead, from + skipped, to + skipped],
            ...[y + (start * yStride + first * valueLength) * 4, count, ownKeyHeads, keyLength, valueLength],
            ...[length, scale, stride * 4, gateStride * 4, yStride * 4],
          );
        };
        return {y, step};
      };

      const run = (core: CoreHarness, slices: readonly number[], inPlace: boolean): Given => {
        const {y, step} = rule(core, 0, heads, 0, keyHeads);
        const state = runSlices(core, slices, before, step, inPlace);
        return {outputs: core.f32(y, tokens * yStride), state};
      };

      it('is the recurrence, in any slices', () => {
        const {outputs, state} = sameInAllWays(cores, run);
        for (let head = 0; head < heads; head++) {
          const key = (head % keyHeads) * keyLength;
          const steps = column(alpha, gateStride, head).map((value) =>
            softplus(Math.fround(value + bias[head]!)),
          );
          const recurrence = {
            queries: columns(qkv, stride, key, keyLength),
            keys: columns(qkv, stride, keysAt + key, keyLength),
            values: columns(qkv, stride, valuesAt + head * valueLength, valueLength),
            decays: steps.map((step) => Math.exp(rates[head]! * step)),
            strengths: column(beta, gateStride, head).map(sigmoid),
            scale,
          };
          const first = head * valueLength * keyLength;
          const befores = rowsOf(before, first, valueLength, keyLength);
          const wanted = deltaRule(recurrence, befores);
          const sizes = deltaRule(
            {
              ...recurrence,
              queries: recurrence.queries.map(absolutes),
              keys: recurrence.keys.map(absolutes),
              values: recurrence.values.map(absolutes),
            },
            befores.map(absolutes),
            1,
          );
          // In units in the last place. A sum over keys: a product, a sixteenth of the keys or those behind them, four
          // sums. A token: that sum, decay and strength, each rounded and multiplied with, a difference; then a product and
          // a sum, or the decay's product. An output: one more sum over keys, and the scale.
          const sum = (1 + keyLength / 16 + (keyLength % 16) + 4) / 2;
          const ofState = tokens * (sum + 5 / 2 + 2 / 2);
          const ofOutput = ofState + sum + 1 / 2;
          for (let j = 0; j < valueLength; j++) {
            const at = head * valueLength + j;
            expectWithin(
              column(outputs, yStride, at),
              wanted.outputs.map((row) => row[j]!),
              (token) => ofOutput * ulp * sizes.outputs[token]![j]!,
            );
            expectWithin(
              state.subarray(first + j * keyLength, first + (j + 1) * keyLength),
              wanted.state[j]!,
              (i) => ofState * ulp * sizes.state[j]![i]!,
            );
          }
        }
      });

      it('gives heads that are computed by themselves the same bits', () => {
        const whole = run(cores[0]!, [tokens], false);
        for (let head = 0; head < heads; head++) {
          const own = onAll(cores, (core) => {
            core.reset();
            const {y, step} = rule(core, head, 1, head % keyHeads, 1);
            runSlices(core, [tokens], before, step, true);
            return core.f32(y, tokens * yStride);
          });
          const [given, wanted] = [own, whole.outputs].map((y) =>
            columns(y, yStride, head * valueLength, valueLength).flat(),
          );
          expect(bits(Float32Array.from(given!))).to.deep.equal(bits(Float32Array.from(wanted!)));
        }
      });
    });
  }

  for (const n of [1, 16, 50, 128]) {
    it(`l2Norm: rows of ${n} become unit vectors, and nothing else changes`, () => {
      const stride = paddedColumns(n);
      const x = randomFloats(3 * stride, n, 7);
      const result = onAll(cores, (core) => {
        const p = core.put(x);
        core.run('l2Norm', p, n, 1e-6, 3, stride * 4);
        return core.f32(p, x.length);
      });
      for (const [row, values] of rowsOf(x, 0, 3, stride).entries()) {
        const length = Math.sqrt(values.slice(0, n).reduce((sum, value) => sum + value * value, 0));
        const wanted = values.map((value, i) => (i < n ? value / length : value));
        // The root, its inverse and the product are rounded.
        expectWithin(result.subarray(row * stride, (row + 1) * stride), wanted, (i) =>
          i < n ? 1.5 * ulp * Math.abs(wanted[i]!) : 0,
        );
      }
    });
  }

  it('l2Norm: a row that is shorter than epsilon is divided by epsilon', () => {
    const x = Float32Array.of(3e-7, 0, -4e-7, 0, ...new Float32Array(12));
    const result = onAll(cores, (core) => {
      const p = core.put(x);
      core.run('l2Norm', p, 4, 1e-6, 1, 64);
      return core.f32(p, 4);
    });
    expectWithin(result, [0.3, 0, -0.4, 0], (i) => 2 * ulp * Math.abs(x[i]!) * 1e6);
  });
});
