import {expect} from '@open-wc/testing';
import {Random} from '../../../worker-runtime/sampling/random.ts';

const stream = (seed: number, length = 8): number[] => {
  const random = new Random(seed);
  return Array.from({length}, () => random.bits());
};

describe('Random', () => {
  it('gives the same stream for the same seed, another one for another', () => {
    expect(stream(7)).to.deep.equal(stream(7));
    const seeds = [0, 1, 2, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 52, Number.MAX_SAFE_INTEGER];
    expect(new Set(seeds.map((seed) => stream(seed, 4).join())).size).to.equal(seeds.length);
  });

  it('gives these numbers in every engine', () => {
    expect(stream(1, 3)).to.deep.equal([2752276810, 4071683285, 3906586102]);
    expect(stream(2 ** 53 - 1, 3)).to.deep.equal([971868181, 3136255985, 3415272330]);
  });

  it('is uniform', () => {
    const random = new Random(3);
    const buckets = new Uint32Array(64);
    for (let i = 0; i < 64_000; i++) {
      const value = random.uniform();
      expect(value >= 0 && value < 1).to.be.true;
      const bucket = Math.floor(value * 64);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    // 1000 expected in each, with a standard deviation of 31.
    expect(Math.min(...buckets)).to.be.greaterThan(850);
    expect(Math.max(...buckets)).to.be.lessThan(1150);
  });
});
