import {expect} from '@open-wc/testing';
import {CoreHarness, dotMode, hasRelaxedSimd} from './core-harness.ts';

describe('the probe of the relaxed dot product', () => {
  it('says that the baseline core has none', async () => {
    expect((await CoreHarness.create('baseline')).probed).to.equal(dotMode.none);
  });

  it('gives one of the four answers where the browser has relaxed SIMD, the same each time', async () => {
    if (!hasRelaxedSimd()) return;
    const core = await CoreHarness.create('relaxed');
    expect(core.probed).to.be.within(dotMode.broken, dotMode.sevenBit);
    expect(core.run('probeRelaxedDot')).to.equal(core.probed);
  });

  it('writes below the arena only', async () => {
    for (const variant of hasRelaxedSimd() ? (['baseline', 'relaxed'] as const) : (['baseline'] as const)) {
      const core = await CoreHarness.create(variant);
      expect(core.run('heapBase')).to.be.at.most(65536);
      const arena = new Uint8Array(core.memory.buffer, 65536).fill(0x5a);
      core.run('probeRelaxedDot');
      expect(arena.every((byte) => byte === 0x5a)).to.be.true;
    }
  });
});
