import {expect} from '@open-wc/testing';
import {columnGroups} from '../../../worker-runtime/model/weights.ts';

describe('columnGroups', () => {
  it('cuts into 8 where the shape allows it', () => {
    expect(columnGroups(2048, 8)).to.equal(8);
    expect(columnGroups(256, 256)).to.equal(8);
  });

  it('cuts no block of 32 columns', () => {
    expect(columnGroups(128, 128)).to.equal(4);
    expect(columnGroups(64, 64)).to.equal(2);
    expect(columnGroups(96, 96)).to.equal(1);
    expect(columnGroups(172, 172)).to.equal(1);
  });

  it('cuts no key/value head', () => {
    expect(columnGroups(2048, 4)).to.equal(4);
    expect(columnGroups(2048, 6)).to.equal(2);
    expect(columnGroups(2048, 5)).to.equal(1);
    expect(columnGroups(2048, 1)).to.equal(1);
  });
});
