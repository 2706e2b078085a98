import {expect} from '@open-wc/testing';
import {GgufError} from '../../worker-runtime/errors.ts';
import {HandleTable} from '../../worker-runtime/handles.ts';
import type {ModelHandle} from '../../worker-runtime/protocol.ts';

interface Thing {
  readonly handle: ModelHandle;
  readonly name: string;
}

const thing = (name: string) => (handle: ModelHandle) => ({handle, name});
const isStale = (error: unknown) => error instanceof GgufError && error.name === 'stale-handle';

describe('HandleTable', () => {
  let table: HandleTable<'model', Thing>;
  beforeEach(() => (table = new HandleTable<'model', Thing>('model')));

  function expectStale(handle: unknown): void {
    expect(() => table.get(handle as ModelHandle), JSON.stringify(handle)).to.satisfy(
      (action: () => void) => {
        try {
          action();
          return false;
        } catch (error) {
          return isStale(error);
        }
      },
    );
  }

  it('finds what was added', () => {
    const a = table.add(thing('a'));
    const b = table.add(thing('b'));
    expect(table.get(a.handle)).to.equal(a);
    expect(table.get({...b.handle})).to.equal(b);
  });

  it('never reaches the successor under an old handle', () => {
    const old = table.add(thing('old'));
    table.remove(old.handle);
    expectStale(old.handle);
    const successor = table.add(thing('new'));
    expect(successor.handle.id).to.equal(old.handle.id);
    expect(successor.handle.generation).to.not.equal(old.handle.generation);
    expectStale(old.handle);
    expect(table.get(successor.handle)).to.equal(successor);
  });

  it('ignores a second removal, which must not hit the successor', () => {
    const old = table.add(thing('old'));
    table.remove(old.handle);
    const successor = table.add(thing('new'));
    table.remove(old.handle);
    expect(table.get(successor.handle)).to.equal(successor);
  });

  it('refuses what is no handle of its kind', () => {
    const {handle} = table.add(thing('a'));
    for (const bad of [{...handle, kind: 'sequence'}, {...handle, id: 7}, {}, null, undefined, 0, 'model']) {
      expectStale(bad);
    }
    for (const id of ['length', 'push', '__proto__', -1, 0.5, NaN]) expectStale({kind: 'model', id});
  });
});
