import {expect} from '@open-wc/testing';
import {Ranking} from '../../../worker-runtime/sampling/ranking.ts';
import {Random} from '../../helpers/gguf/random.ts';

describe('Ranking', () => {
  for (const range of [0.5, 10, 100, 1e38]) {
    it(`sorts logits in ±${range} completely`, () => {
      // Rounded, so that there are ties.
      const logits = new Random(2)
        .uniform(500, range)
        .map((logit) => Math.round((logit / range) * 100) * (range / 100));
      const sorted = [...logits.keys()].sort((a, b) => (logits[b] ?? 0) - (logits[a] ?? 0) || a - b);
      const ranking = new Ranking(logits.length);
      ranking.begin(logits, Math.max(...logits));
      expect(ranking.at(7)).to.equal(sorted[7]);
      expect(Array.from(logits, (_, rank) => ranking.at(rank))).to.deep.equal(sorted);
    });
  }

  it('starts over with other logits', () => {
    const ranking = new Ranking(3);
    ranking.begin(Float32Array.of(1, 2, 3), 3);
    expect([0, 1, 2].map((rank) => ranking.at(rank))).to.deep.equal([2, 1, 0]);
    ranking.begin(Float32Array.of(30, -20, 3), 30);
    expect([0, 1, 2].map((rank) => ranking.at(rank))).to.deep.equal([0, 2, 1]);
  });
});
