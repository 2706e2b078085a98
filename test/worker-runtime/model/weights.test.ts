import {expect} from '@open-wc/testing';
import {columnGroups} from '../../../worker-runtime/model/weights.ts';

describe('columnGroups', () => {
  it('cuts into 8 where the shape allows it', () => {
    expect(columnGroups(2048, 8, 32)).to.equal(8);
    expect(columnGroups(256, 256, 32)).to.equal(8);
  });

  it('cuts no block of 32 columns', () => {
    expect(columnGroups(128, 128, 32)).to.equal(4);
    expect(columnGroups(64, 64, 32)).to.equal(2);
    expect(columnGroups(96, 96, 32)).to.equal(1);
    expect(columnGroups(172, 172, 32)).to.equal(1);
  });

  it('cuts no super-block of 256 columns', () => {
    expect(columnGroups(2048, 8, 256)).to.equal(8);
    expect(columnGroups(1024, 1024, 256)).to.equal(4);
    expect(columnGroups(768, 768, 256)).to.equal(1);
  });

  it('cuts floats as the 32 columns of their activations', () => {
    expect(columnGroups(128, 128, 1)).to.equal(4);
  });

  it('cuts no key/value head', () => {
    expect(columnGroups(2048, 4, 32)).to.equal(4);
    expect(columnGroups(2048, 6, 32)).to.equal(2);
    expect(columnGroups(2048, 5, 32)).to.equal(1);
    expect(columnGroups(2048, 1, 32)).to.equal(1);
  });
});
