import {expect} from '@open-wc/testing';
import {sigmoid} from '../helpers/activation-reference.ts';
import {bonus, keyDecay, removalKeys} from '../helpers/rwkv7-reference.ts';
import {allCores, bits, randomFloats} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';
import {expectWithin, onAll, ulp} from './op-checks.ts';

const {fround} = Math;
const tokens = 3;
const half = ulp / 2;

/** Relative error of 1 / (1 + e^-x): sum and quotient are rounded, e^-x is within 2 ulp. */
const sigmoidError = (x: number): number => ulp * (1 + 2 * sigmoid(-x));

/** From where e^-x leaves f32, a sigmoid is 0 instead of less than this. */
const vanishing = 1e-30;

describe('what RWKV-7 does around its memory, in the core', () => {
  let cores: CoreHarness[];
  before(async () => {
    cores = await allCores();
  });
  afterEach(() => cores.forEach((core) => core.reset()));

  describe('tokenShift', () => {
    const [n, stride] = [36, 48];
    const x = randomFloats(tokens * stride, 1);
    const [before, shares] = [randomFloats(n, 2), randomFloats(n, 3)];

    /** Of the tokens from `first` on. */
    const shift = (core: CoreHarness, first: number, count: number, past: Float32Array): Float32Array => {
      const y = core.allocate(count * stride * 4);
      const own = core.put(x.subarray(first * stride, (first + count) * stride));
      core.run('tokenShift', own, core.put(past), core.put(shares), y, n, count, stride * 4);
      return core.f32(y, count * stride);
    };
    const columns = (y: Float32Array): number[] => [...y].filter((_, i) => i % stride < n);

    it('moves each row by its shares towards the one before', () => {
      const result = onAll(cores, (core) => shift(core, 0, tokens, before));
      const wanted = Array.from({length: tokens * stride}, (_, i) => {
        const previous = i < stride ? before[i]! : x[i - stride]!;
        return fround(x[i]! + fround(fround(previous - x[i]!) * shares[i % stride]!));
      });
      expect(columns(result)).to.deep.equal(columns(Float32Array.from(wanted)));
    });

    it('gives the same in slices, of which each is given the last row before it', () => {
      const whole = onAll(cores, (core) => shift(core, 0, tokens, before));
      const second = onAll(cores, (core) => shift(core, 1, tokens - 1, x.slice(0, n)));
      expect(columns(second)).to.deep.equal(columns(whole.subarray(stride)));
    });
  });

  it('sigmoid: from 0 to 1', () => {
    const x = Float32Array.from({length: 4096}, (_, i) => (i - 2048) / 20);
    const result = onAll(cores, (core) => {
      const pointer = core.put(x);
      core.run('sigmoid', pointer, x.length);
      return core.f32(pointer, x.length);
    });
    const wanted = Float64Array.from(x, sigmoid);
    expectWithin(result, wanted, (i) => wanted[i]! * sigmoidError(x[i]!) + vanishing);
  });

  it('keyDecay: within (e^-0.607, 1), also for infinite numbers', () => {
    const x = Float32Array.from({length: 4096}, (_, i) => (i - 2048) / 20);
    const decayed = (values: Float32Array): Float32Array =>
      onAll(cores, (core) => {
        const pointer = core.put(values);
        core.run('keyDecay', pointer, values.length);
        return core.f32(pointer, values.length);
      });
    const wanted = Float64Array.from(x, keyDecay);
    // The exponent: its factor and the product are rounded. Then e^x within 2 ulp, to which an error of the exponent adds.
    expectWithin(decayed(x), wanted, (i) => {
      const exponent = 0.606531 * sigmoid(x[i]!);
      return wanted[i]! * (2 * ulp + exponent * (sigmoidError(x[i]!) + ulp));
    });
    const ends = decayed(Float32Array.of(Infinity, -Infinity, NaN, -0));
    expect(ends[0]).to.be.closeTo(Math.exp(-0.606531), 2 * ulp);
    expect(ends[1]).to.equal(1);
    expect(ends[2]).to.be.NaN;
  });

  it('mixBySigmoid: y as far towards x as the gate says', () => {
    const gate = Float32Array.from({length: 512}, (_, i) => (i - 256) / 2.5);
    const [x, y] = [randomFloats(512, 4), randomFloats(512, 5)];
    const result = onAll(cores, (core) => {
      const pointer = core.put(y);
      core.run('mixBySigmoid', core.put(gate), core.put(x), pointer, 512);
      return core.f32(pointer, 512);
    });
    const wanted = Float64Array.from(y, (value, i) => value + (x[i]! - value) * sigmoid(gate[i]!));
    // Difference, product and sum are rounded.
    expectWithin(result, wanted, (i) => {
      const way = Math.abs(x[i]! - y[i]!) * sigmoid(gate[i]!);
      return way * (sigmoidError(gate[i]!) + ulp) + half * Math.abs(wanted[i]!) + vanishing;
    });
  });

  for (const [heads, length] of [
    [1, 16],
    [3, 32],
    [2, 64],
  ] as const) {
    describe(`${heads} heads of ${length}`, () => {
      const channels = heads * length;
      const stride = channels + 16;
      const rows = (seed: number, scale = 1): Float32Array => randomFloats(tokens * stride, seed, scale);
      const [r, k, v, rates, gate, y] = [rows(1), rows(2), rows(3), rows(4, 3), rows(5), rows(6)];
      const factors = (seed: number): Float32Array => randomFloats(channels, seed).map((x) => 1 + x / 2);
      const [removal, replacement, weights] = [factors(7), factors(8), factors(9)];

      /** What a head has of a row, or of factors. */
      const part = (values: Float32Array, token: number, head: number): Float32Array =>
        values.subarray(token * stride + head * length, token * stride + (head + 1) * length);
      const eachHead = (check: (token: number, head: number) => void): void => {
        for (let token = 0; token < tokens; token++)
          for (let head = 0; head < heads; head++) check(token, head);
      };

      /** The keys of `count` heads from `first` on: removed, replaced, stored, one behind the other. */
      const keysOf = (keys: Float32Array, first: number, count: number, inPlace = false): Float32Array =>
        onAll(cores, (core) => {
          core.reset();
          const at = first * length * 4;
          const [stored, rate] = [core.put(keys), core.put(rates)];
          const [a, b] = [core.put(new Float32Array(keys.length)), core.put(new Float32Array(keys.length))];
          const replaced = inPlace ? rate : b;
          const given = [core.put(removal), core.put(replacement), a, replaced].map((p) => p + at);
          const sizes = [count, length, 1e-12, tokens, stride * 4];
          core.run('removalKeys', stored + at, rate + at, ...given, ...sizes);
          const all = [a, replaced, stored].flatMap((p) => [...core.f32(p, keys.length)]);
          return Float32Array.from(all);
        });
      const third = (keys: Float32Array, index: number): Float32Array =>
        keys.subarray((index * keys.length) / 3, ((index + 1) * keys.length) / 3);

      it('removalKeys: unit vectors to remove and to replace, and keys to store', () => {
        const result = keysOf(k, 0, heads);
        // In halves of a unit in the last place: the product of key and factor, twice in the sum; its square; the sum; the
        // root; the quotient and the product with it.
        const unitError = half * (1 + (2 + 1 + length / 16 + 4) / 2 + 1 + 1 + 1);
        eachHead((token, head) => {
          const own = (values: Float32Array): Float32Array => part(values, token, head);
          const [rate, factor] = [own(rates), part(replacement, 0, head)];
          const wanted = removalKeys(own(k), rate, part(removal, 0, head), factor);
          expectWithin(
            own(third(result, 0)),
            wanted.removed,
            (i) => unitError * Math.abs(wanted.removed[i]!),
          );
          expectWithin(own(third(result, 1)), wanted.replaced, (i) => {
            return (unitError + sigmoidError(rate[i]!) + half) * Math.abs(wanted.replaced[i]!);
          });
          expectWithin(own(third(result, 2)), wanted.stored, (i) => {
            const share = sigmoid(rate[i]!);
            const change = sigmoidError(rate[i]!) * share + 3 * half * (1 - share);
            return Math.abs(own(k)[i]! * factor[i]!) * change + half * Math.abs(wanted.stored[i]!);
          });
        });
      });

      it('removalKeys: the same where the replaced keys take the place of the rates', () => {
        const [apart, inPlace] = [keysOf(k, 0, heads), keysOf(k, 0, heads, true)];
        for (const index of [0, 1, 2]) {
          eachHead((token, head) => {
            const [a, b] = [apart, inPlace].map((keys) => bits(part(third(keys, index), token, head)));
            expect(a).to.deep.equal(b);
          });
        }
      });

      it('removalKeys: keys of nothing remove nothing', () => {
        const result = keysOf(new Float32Array(k.length), 0, heads);
        expect(result.every((value) => value === 0)).to.be.true;
      });

      const finish = (first: number, count: number): Float32Array =>
        onAll(cores, (core) => {
          core.reset();
          const target = core.put(y);
          const pointers = [core.put(r), core.put(k), core.put(v), core.put(weights), core.put(gate), target];
          const given = pointers.map((pointer) => pointer + first * length * 4);
          core.run('addBonus', ...given, count, length, tokens, stride * 4);
          return core.f32(target, y.length);
        });

      it('addBonus: the value as often as receptance and key say, then the gate', () => {
        const result = finish(0, heads);
        eachHead((token, head) => {
          const own = (values: Float32Array): Float32Array => part(values, token, head);
          const weight = part(weights, 0, head);
          const factor = bonus(own(r), own(k), weight);
          const size = bonus(own(r).map(Math.abs), own(k).map(Math.abs), weight.map(Math.abs));
          // Two products and a sum over the head.
          const factorError = half * (2 + length / 16 + 4) * size;
          const wanted = Array.from(own(y), (value, i) => (value + own(v)[i]! * factor) * own(gate)[i]!);
          expectWithin(own(result), wanted, (i) => {
            const added = Math.abs(own(v)[i]!) * (factorError + half * Math.abs(factor));
            return Math.abs(own(gate)[i]!) * added + 2 * half * Math.abs(wanted[i]!);
          });
        });
      });

      it('gives heads that are computed by themselves the same bits', () => {
        const [keys, finished] = [keysOf(k, 0, heads), finish(0, heads)];
        for (let head = 0; head < heads; head++) {
          const [ownKeys, own] = [keysOf(k, head, 1), finish(head, 1)];
          for (let token = 0; token < tokens; token++) {
            expect(bits(part(own, token, head))).to.deep.equal(bits(part(finished, token, head)));
            for (const index of [0, 1, 2]) {
              const [a, b] = [ownKeys, keys].map((all) => bits(part(third(all, index), token, head)));
              expect(a).to.deep.equal(b);
            }
          }
        }
      });
    });
  }
});
