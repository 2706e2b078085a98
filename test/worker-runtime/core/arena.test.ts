import {expect} from '@open-wc/testing';
import {Arena} from '../../../worker-runtime/core/arena.ts';
import {arenaBase} from '../../../worker-runtime/core/core-exports.ts';
import {expectRefusal} from '../../helpers/refusal.ts';

const page = 65536;
const gibibyte = 2 ** 30;

describe('Arena', () => {
  it('hands out places that do not overlap, aligned to 64 bytes', () => {
    const arena = new Arena();
    const sizes = [1, 64, 65, 100, 7];
    const places = sizes.map((bytes) => ({start: arena.allocate(bytes, 'scratch'), bytes}));
    let top = arenaBase;
    for (const {start, bytes} of places) {
      expect(start % 64).to.equal(0);
      expect(start).to.be.at.least(top);
      top = start + bytes;
    }
  });

  it('plans exactly what it handed out, by kind, in whole pages', () => {
    const arena = new Arena();
    arena.allocate(1000, 'weights:Q8_0');
    arena.allocate(64, 'weights:F32');
    arena.allocate(1000, 'weights:Q8_0');
    arena.allocate(300_000, 'kvCache');
    arena.allocate(128, 'scratch');
    arena.allocate(1, 'logits');
    expect(arena.plan()).to.deep.equal({
      weights: {Q8_0: 2048, F32: 64},
      kvCache: 300_032,
      scratch: 128,
      logits: 64,
      total: Math.ceil((arenaBase + 2048 + 64 + 300_032 + 128 + 64) / page) * page,
    });
  });

  it('takes all that 32 bits can address, and refuses one byte more', async () => {
    const whole = new Arena();
    whole.allocate(4 * gibibyte - arenaBase, 'kvCache');
    expect(whole.plan().total).to.equal(4 * gibibyte);
    const more = new Arena();
    more.allocate(4 * gibibyte - arenaBase, 'kvCache');
    more.allocate(1, 'weights:F32');
    const error = await expectRefusal(() => more.plan(), 'memory-plan', /4\.00 GiB.*KV cache 4\.00 GiB/);
    expect(error.field).to.equal('contextLength');
  });
});
