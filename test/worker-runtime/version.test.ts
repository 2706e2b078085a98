import {expect} from '@open-wc/testing';
import {version} from '../../worker-runtime/version.ts';

describe('version', () => {
  it('is that of package.json', async () => {
    const response = await fetch(new URL('../../package.json', import.meta.url));
    const manifest = (await response.json()) as {version: string};
    expect(version).to.equal(manifest.version);
  });
});
