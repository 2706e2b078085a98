import {expect} from '@open-wc/testing';
import {placeLogits} from '../../helpers/core-logits.ts';
import {Random} from '../../helpers/gguf/random.ts';
import {exponential, rankByFullSort} from '../../helpers/sampling-reference.ts';

const ids = (count: number): number[] => Array.from({length: count}, (_, rank) => rank);

describe('Ranking', () => {
  for (const range of [0.5, 10, 100, 1e38]) {
    it(`sorts logits in ±${range}, as far as it is asked`, async () => {
      // Rounded, so that there are ties.
      const values = new Random(2)
        .uniform(500, range)
        .map((logit) => Math.round((logit / range) * 100) * (range / 100));
      const sorted = rankByFullSort(values);
      const largest = Math.max(...values);
      const {ranking} = await placeLogits(values);
      ranking.begin(largest);
      for (const wanted of [1, 7, 7, 100, 499, 1000]) {
        const ranked = ranking.reach(wanted);
        expect(ranked).to.be.within(Math.min(wanted, 500), 500);
        expect(ids(ranked).map((rank) => ranking.id(rank))).to.deep.equal(sorted.slice(0, ranked));
        let sum = 0;
        const sums = sorted.slice(0, ranked).map((id) => (sum += exponential(values[id]! - largest)));
        expect([...ranking.sums.subarray(0, ranked)]).to.deep.equal(sums);
      }
    });
  }

  it('starts over with other logits', async () => {
    const logits = await placeLogits(Float32Array.of(1, 2, 3));
    const {ranking} = logits;
    const all = (): number[] => ids(ranking.reach(3)).map((rank) => ranking.id(rank));
    ranking.begin(3);
    expect(all()).to.deep.equal([2, 1, 0]);
    logits.values.set([30, -20, 3]);
    ranking.begin(30);
    expect(all()).to.deep.equal([0, 2, 1]);
  });
});
