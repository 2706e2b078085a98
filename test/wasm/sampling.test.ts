import {expect} from '@open-wc/testing';
import {exponential, rankByFullSort} from '../helpers/sampling-reference.ts';
import {allCores, paddedColumns, randomFloats} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';

/** Halves of the bits of f64 values. */
const wideBits = (values: ArrayLike<number>): Uint32Array =>
  new Uint32Array(Float64Array.from(values).buffer);

/** An assertion on arrays of 150 000 numbers takes seconds: this one is for the place where they differ. */
function expectSameBits(actual: ArrayLike<number>, wanted: ArrayLike<number>): void {
  const [actualBits, wantedBits] = [wideBits(actual), wideBits(wanted)];
  expect(actual.length).to.equal(wanted.length);
  const at = actualBits.findIndex((half, i) => half !== wantedBits[i]);
  if (at >= 0) expect(actual[at >> 1], `number ${at >> 1}`).to.equal(wanted[at >> 1]);
  expect(at, 'the first half of a number with other bits').to.equal(-1);
}

const vocabularies = [1, 5, 511, 150_001];

/** Logits by the kind of their distribution. */
const distributions: Record<string, (n: number) => Float32Array> = {
  random: (n) => randomFloats(n, n, 12),
  rounded: (n) => randomFloats(n, n, 12).map(Math.round),
  equal: (n) => new Float32Array(n).fill(-3.5),
  flat: (n) => randomFloats(n, n, 1e-3),
  peaked: (n) => randomFloats(n, n, 2).map((logit, id) => (id % 97 === 3 ? logit + 30 : logit)),
  'zeros of both signs': (n) => Float32Array.from({length: n}, (_, id) => (id % 3 ? -0 : 0)),
  'the largest and smallest numbers': (n) =>
    Float32Array.from({length: n}, (_, id) => [-3.4e38, 3.4e38, 1e-45, -1e-45, 0, -1e-38][id % 6]!),
};

describe('sampling in the core', () => {
  let cores: CoreHarness[];
  before(async () => {
    cores = await allCores(96);
  });
  afterEach(() => cores.forEach((core) => core.reset()));

  /** f32 in the arena as a row; what pads it is NaN. */
  function putRow(core: CoreHarness, values: Float32Array): number {
    const row = new Float32Array(paddedColumns(values.length)).fill(NaN);
    row.set(values);
    return core.put(row);
  }

  /** Runs `operation` on all cores, which must agree; returns what they say. */
  function onAll<T extends ArrayLike<number>>(operation: (core: CoreHarness) => T): T {
    const results = cores.map(operation);
    for (const result of results) expectSameBits(result, results[0]!);
    return results[0]!;
  }

  describe('ranks tokens in tiers', () => {
    /** Tiers of at least `tier` tokens until `wanted` are there: the candidates' IDs. */
    function rank(core: CoreHarness, logits: Float32Array, tier: number, wanted: number): number[] {
      const n = logits.length;
      const [row, largest] = [putRow(core, logits), logits.reduce((a, b) => Math.max(a, b), -Infinity)];
      const tally = core.allocate(core.run('tallyBytes'));
      const [candidates, spare] = [core.allocate(n * 8), core.allocate(n * 8)];
      core.run('tallyDistances', row, n, largest, tally);
      let count = 0;
      for (let first = 0; count < wanted;) {
        const last = core.run('lastBucket', tally, first, Math.min(tier, wanted - count));
        const places = [candidates + count * 8, spare + count * 8];
        const added = core.run('rankBuckets', row, n, largest, first, last, ...places, tally);
        expect(added).to.be.at.least(Math.min(tier, wanted - count));
        count += added;
        first = last + 1;
      }
      expect(count).to.be.at.most(n);
      const pairs = new Uint32Array(core.memory.buffer, candidates, count * 2);
      const ids = Array.from({length: count}, (_, i) => pairs[2 * i]!);
      const ranked = core.f32(candidates, count * 2).filter((_, i) => i % 2 === 1);
      // -0 becomes 0.
      expectSameBits(
        [...ranked],
        ids.map((id) => logits[id]! + 0),
      );
      core.reset();
      return ids;
    }

    for (const n of vocabularies) {
      for (const [name, make] of Object.entries(distributions)) {
        it(`${n} logits, ${name}`, () => {
          const logits = make(n);
          const sorted = rankByFullSort(logits);
          expectSameBits(
            onAll((core) => rank(core, logits, n, n)),
            sorted,
          );
          expectSameBits(
            onAll((core) => rank(core, logits, Math.ceil(n / 7), n)),
            sorted,
          );
          const some = onAll((core) => rank(core, logits, 3, Math.min(n, 40)));
          expectSameBits(some, sorted.slice(0, some.length));
        });
      }
    }

    it('few, where few are wanted', () => {
      const logits = randomFloats(150_001, 4, 12);
      for (const core of cores) expect(rank(core, logits, 40, 40).length).to.be.below(2000);
    });
  });

  describe('sums weights', () => {
    /** Running sums as they are documented. */
    function reference(
      logits: Float32Array,
      largest: number,
      temperature: number,
      least: number,
    ): Float64Array {
      let sum = 0;
      return Float64Array.from(logits, (logit) => {
        const distance = logit - largest;
        return (sum += distance < least ? 0 : exponential(distance / temperature));
      });
    }

    function accumulate(
      core: CoreHarness,
      logits: Float32Array,
      stride: 4 | 8,
      draw: readonly [largest: number, temperature: number, least: number],
    ): Float64Array {
      const n = logits.length;
      const spaced = new Float32Array((n * stride) / 4);
      logits.forEach((logit, i) => (spaced[(i * stride) / 4] = logit));
      const sums = core.allocate(n * 8);
      const total = core.run('accumulateWeights', core.put(spaced), stride, n, ...draw, 0, sums);
      const result = new Float64Array(core.memory.buffer, sums, n).slice();
      expect(total).to.equal(result.at(-1));
      core.reset();
      return result;
    }

    for (const n of vocabularies) {
      for (const [name, make] of Object.entries(distributions)) {
        it(`of ${n} logits, ${name}`, () => {
          const logits = make(n);
          const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
          for (const [temperature, least] of [
            [1, -Infinity],
            [0.7, -3],
            [1e-300, -Infinity],
            [1e300, 0],
          ] as const) {
            const wanted = reference(logits, largest, temperature, least);
            for (const stride of [4, 8] as const) {
              const sums = onAll((core) => accumulate(core, logits, stride, [largest, temperature, least]));
              expectSameBits(sums, wanted);
            }
          }
          const sum = onAll((core) => [core.run('sumOfExponentials', putRow(core, logits), n, largest)]);
          expectSameBits(sum, reference(logits, largest, 1, -Infinity).slice(-1));
        });
      }
    }

    it('from a sum to start with', () => {
      for (const core of cores) {
        const sums = core.allocate(24);
        core.run('accumulateWeights', core.put(Float32Array.of(2, 2, 2)), 4, 3, 2, 1, -Infinity, 7.5, sums);
        expect([...new Float64Array(core.memory.buffer, sums, 3)]).to.deep.equal([8.5, 9.5, 10.5]);
      }
    });

    it('also where e^x is subnormal or nothing', () => {
      // Every distance alone, so that no sum hides its bits.
      for (let x = -700; x > -750; x -= 0.0625 + 1 / 256) {
        const [single, beside] = [Float32Array.of(x), Float32Array.of(x, 0)];
        const draw = [0, 1, -Infinity] as const;
        const wanted = [exponential(Math.fround(x))];
        const alone = onAll((core) => accumulate(core, single, 4, draw));
        expectSameBits(alone, wanted);
        const first = onAll((core) => accumulate(core, beside, 4, draw)).slice(0, 1);
        expectSameBits(first, wanted);
      }
    });
  });
});

describe('the reference exponential', () => {
  it('agrees with Math.exp to the last places', () => {
    for (let x = 0; x > -700; x -= 0.0379) {
      expect(exponential(x) / Math.exp(x), String(x)).to.be.closeTo(1, 4e-15);
    }
  });

  it('is exact where the result is', () => {
    expect(exponential(0)).to.equal(1);
    expect(exponential(-1e9)).to.equal(0);
    expect(exponential(-Infinity)).to.equal(0);
  });

  it('goes down to the smallest numbers', () => {
    expect(exponential(-744)).to.be.closeTo(Math.exp(-744), 5e-324);
    expect(exponential(-720) / Math.exp(-720)).to.be.closeTo(1, 1e-9);
  });

  it('gives these bits in every engine', () => {
    const values = Float64Array.of(-1e-3, -0.5, -1, -10.25, -87.3).map(exponential);
    expect(Array.from(new BigUint64Array(values.buffer), (bits) => bits.toString(16))).to.deep.equal([
      '3feff7cfe56f1a9e',
      '3fe368b2fc6f960a',
      '3fd78b56362cef38',
      '3f02899a7a835446',
      '38109874c0b9cacb',
    ]);
  });
});
