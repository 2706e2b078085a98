import {expect} from '@open-wc/testing';
import {ggmlTypeById, ggmlTypes, isRemovedGgmlType} from '../../../worker-runtime/gguf/ggml-types.ts';

describe('ggmlTypes', () => {
  it('has every number once, and none that was removed', () => {
    const ids = Object.values(ggmlTypes).map(({id}) => id);
    expect(new Set(ids).size).to.equal(ids.length);
    expect(ids.filter(isRemovedGgmlType)).to.deep.equal([]);
  });

  it('finds types by number', () => {
    expect([0, 8, 14, 42].map(ggmlTypeById)).to.deep.equal(['F32', 'Q8_0', 'Q6_K', 'Q2_0']);
    expect(ggmlTypeById(4)).to.equal(undefined);
    expect(ggmlTypeById(2 ** 32 - 1)).to.equal(undefined);
  });
});
