/**
 * The models on the device: offline, changed on the server, too large for the quota, in several tabs, cancelled, inspected.
 *
 *   node test/e2e/store.mjs
 *
 * Needs "npm run build".
 */
import assert from 'node:assert/strict';
import {createHash} from 'node:crypto';
import {splitGguf} from '../helpers/split-gguf.mjs';
import {launch, makeModel, megabyte, openTab, startPageServer} from './download-site.mjs';

const print = (text) => process.stdout.write(`${text}\n`);
const {bytes, remove} = makeModel();
const server = await startPageServer();
const browser = await launch();
const {page, call} = await openTab(browser, server.origin);
/** So slow that a download takes half a second. */
const slow = 'chunk=131072&delay=5';
const request = {retryDelaysMs: [20, 40], timeoutMs: 2000};
server.register('model.gguf', bytes);
const {digest: right} = await call('load', `${server.origin}/model.gguf`, {withoutCache: true});
assert(right);
let names = 0;

/** The URL of a file that no test before has used. */
function fresh(query = '', content = bytes) {
  const name = `store-${++names}.gguf`;
  server.register(name, content);
  return {name, url: `${server.origin}/${name}${query && `?${query}`}`};
}

const stored = async (url) => (await call('list')).find((entry) => entry.url === url);
const client = await page.createCDPSession();
/** Browsers do not tell it: they refuse to write more. */
const setQuota = async (quotaSize) => {
  await client.send('Storage.overrideQuotaForOrigin', {origin: server.origin, ...(quotaSize && {quotaSize})});
};

const tests = {
  async 'a stored model loads while its server is gone'() {
    const {name, url} = fresh('gone=2');
    assert.equal((await call('load', url, {request})).digest, right);
    const before = server.sent(name);
    assert.equal((await call('load', url, {request})).digest, right);
    assert.equal(server.sent(name), before);
  },

  async 'and while the browser is offline, also in a new tab'() {
    const {url} = fresh();
    await call('load', url);
    const tab = await openTab(browser, server.origin);
    await tab.call('boot');
    await tab.page.setOfflineMode(true);
    assert.equal((await tab.call('load', url)).digest, right);
    await tab.page.close();
  },

  async 'a file that has changed on the server is downloaded anew, and takes the place of the old one'() {
    const {name, url} = fresh();
    await call('load', url);
    const old = await stored(url);
    server.replace(name, Buffer.concat([bytes, Buffer.from('changed')]));
    assert.equal((await call('load', url)).digest, right);
    const now = await stored(url);
    assert.notEqual(now.sha256, old.sha256);
    assert.equal(now.bytes, old.bytes + 7);
    assert.equal((await call('list')).filter((entry) => entry.url === url).length, 1);
  },

  async 'a download that breaks leaves the old file in place'() {
    const {name, url} = fresh('gone=3&cuts=2');
    await call('load', url, {request});
    server.replace(name, bytes.subarray(0, bytes.length - 1));
    // The second request is for the new file; there is no third one.
    const {name: failed} = fresh();
    assert(failed);
    assert.equal((await stored(url)).state, 'installed');
  },

  async 'too small a quota: a clear error, and what was stored stays'() {
    for (const entry of await call('list')) await call('remove', entry.id);
    const kept = fresh();
    await call('load', kept.url);
    // Read from the store, it is in use.
    await call('load', kept.url);
    const {usedBytes} = await call('estimate');
    await setQuota(usedBytes + 8 * megabyte);
    const {url} = fresh();
    const {error} = await call('load', url);
    assert.equal(error?.name, 'storage-full');
    assert.match(error.message, /bytes/);
    assert.equal((await stored(kept.url)).state, 'installed');
    assert.equal((await call('resident')).digest, right);
    assert.equal((await call('load', url, {withoutCache: true})).digest, right);
    await setQuota();
  },

  async 'room is made by removing what was not used for longest, and never what is in use'() {
    for (const entry of await call('list')) await call('remove', entry.id);
    const [oldest, newer, used] = [fresh(), fresh(), fresh()];
    for (const {url} of [used, oldest, newer]) await call('load', url);
    // In use, though it is the oldest.
    await call('load', used.url);
    const {usedBytes} = await call('estimate');
    await setQuota(usedBytes + 8 * megabyte);
    const more = fresh();
    // The last load is still the resident model while this one is downloaded.
    assert.equal((await call('load', more.url)).digest, right);
    const states = await Promise.all([oldest, newer, used, more].map(({url}) => stored(url)));
    assert.deepEqual(
      states.map((entry) => entry?.state),
      [undefined, 'installed', 'installed', 'installed'],
    );
    await setQuota();
  },

  async 'a model in use cannot be removed, one that is freed can'() {
    const {url} = fresh();
    await call('load', url);
    // The download has its bytes in memory; the next load reads from the store and holds on to it.
    await call('load', url);
    assert.equal((await call('remove', url)).error?.name, 'storage-busy');
    await call('free');
    assert.equal((await call('remove', url)).freedBytes, bytes.length);
    assert.equal(await stored(url), undefined);
  },

  async 'two tabs download once: the second one waits'() {
    const {name, url} = fresh(slow);
    const tab = await openTab(browser, server.origin);
    await tab.call('boot');
    const first = call('load', url);
    await new Promise((resolve) => setTimeout(resolve, 200));
    const second = await tab.call('load', url);
    assert.equal((await first).digest, right);
    assert.equal(second.digest, right);
    assert(second.phases.includes('waiting'), second.phases.join());
    assert.equal(server.sent(name), bytes.length);
    await tab.page.close();
  },

  async 'where the first tab is closed half-way the second one goes on'() {
    const {name, url} = fresh(slow);
    const tab = await openTab(browser, server.origin);
    await tab.call('boot');
    void tab.call('load', url).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 400));
    const second = call('load', url);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await tab.page.close();
    assert.equal((await second).digest, right);
    assert(server.sent(name) < bytes.length + 6 * megabyte, `${server.sent(name)} bytes were sent`);
  },

  async 'a cancelled download is over at once, and is taken up again'() {
    const {name, url} = fresh(slow);
    const {error, ms} = await call('load', url, {}, 6 * megabyte);
    assert.equal(error?.name, 'load-aborted');
    assert(ms < 50, `${ms} ms`);
    const partial = await stored(url);
    assert.equal(partial.state, 'partial');
    assert(partial.bytes >= 6 * megabyte);
    assert.equal((await call('load', url)).digest, right);
    assert(server.sent(name) < bytes.length + megabyte, `${server.sent(name)} bytes were sent`);
  },

  async 'a tab that waits can be cancelled'() {
    const {url} = fresh(slow);
    const tab = await openTab(browser, server.origin);
    await tab.call('boot');
    const first = call('load', url);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const second = tab.call('load', url);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await tab.call('abort');
    assert.equal((await second).error?.name, 'load-aborted');
    assert.equal((await first).digest, right);
    await tab.page.close();
  },

  async 'an inspection reads the header only, and says what the load will take'() {
    const {name, url} = fresh();
    const {refusal, model, fileBytes, headerBytes, stored: isStored} = await call('inspect', url);
    assert.deepEqual([refusal, fileBytes, isStored], [null, bytes.length, false]);
    assert(server.sent(name) <= headerBytes + megabyte, `${server.sent(name)} bytes for ${headerBytes}`);
    assert.equal(model.architecture, 'llama');
    assert.equal((await call('load', url)).fileBytes, fileBytes);
    const before = server.sent(name);
    assert.equal((await call('inspect', url)).stored, true);
    assert.equal(server.sent(name), before);
  },

  async 'an inspection of a server without ranges stops after the header'() {
    const {name, url} = fresh('norange&chunk=65536&delay=20');
    const {model, headerBytes} = await call('inspect', url);
    assert.equal(model.architecture, 'llama');
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert(server.sent(name) <= headerBytes + megabyte, `${server.sent(name)} bytes for ${headerBytes}`);
  },

  async 'a model that cannot run is refused by its header'() {
    const file = Buffer.from(bytes);
    file.write('llamb', file.indexOf('llama'));
    const {url} = fresh('', file);
    const {refusal, model} = await call('inspect', url);
    assert.equal(model, null);
    assert.equal(refusal.name, 'unsupported-architecture');
    assert.equal((await call('load', url)).error?.name, 'unsupported-architecture');
    const entry = await stored(url);
    assert.equal(entry?.bytes ?? 0, 0);
  },

  async 'a model in parts is found by the name of any of them, stored in parts, and loads offline'() {
    const parts = splitGguf(bytes, 3);
    const name = (part) => `split-whole-0000${part}-of-00003.gguf`;
    parts.forEach((part, index) => server.register(name(index + 1), part));
    const url = `${server.origin}/${name(2)}`;
    const {model, fileBytes} = await call('inspect', url);
    assert.equal(
      fileBytes,
      parts.reduce((sum, part) => sum + part.length, 0),
    );
    assert.equal(model.architecture, 'llama');
    const result = await call('load', url);
    assert.equal(result.digest, right, result.error?.message);
    assert.equal(result.fileBytes, fileBytes);
    const entries = (await call('list')).filter((entry) => entry.url.includes('split-whole'));
    assert.deepEqual(
      entries.map(({state}) => state),
      ['installed', 'installed', 'installed'],
    );
    await page.setOfflineMode(true);
    assert.equal((await call('load', url)).digest, right);
    await page.setOfflineMode(false);
  },

  async 'two tabs, four tags in each: one download, one entry, one Worker a tab, a conversation for each tag'() {
    const {name, url} = fresh('chunk=131072&delay=3');
    const tag = `<gguf-chat src="${url}" shards="1" max-tokens="6"></gguf-chat>`;
    const html = `<!doctype html><title>Tags</title><script type="module" src="/gguf-chat.js"></script>${tag.repeat(4)}`;
    server.register('tags', Buffer.from(html), {type: 'text/html'});
    const tabs = await Promise.all([1, 2].map(() => browser.newPage()));
    for (const tab of tabs) {
      await tab.goto(`${server.origin}/tags`);
      await tab.waitForFunction(() => customElements.get('gguf-chat'));
    }
    const loads = tabs.map((tab) =>
      tab.evaluate(() => Promise.all([...document.querySelectorAll('gguf-chat')].map((chat) => chat.load()))),
    );
    for (const models of await Promise.all(loads)) assert.equal(models.length, 4);
    // Of the inspections, the headers.
    assert(server.sent(name) < bytes.length + 2 * megabyte, `${server.sent(name)} bytes were sent`);
    assert.equal((await call('list')).filter((entry) => entry.url === url).length, 1);
    for (const tab of tabs) {
      await tab.waitForFunction(() => true);
      assert.equal(tab.workers().length, 1);
      const answers = await tab.evaluate(async () => {
        const chats = [...document.querySelectorAll('gguf-chat')];
        await Promise.all(chats.map((chat, index) => chat.send(`hello ${index}`)));
        await chats[0].send('and again');
        return chats.map(({messages}) => messages.length);
      });
      assert.deepEqual(answers, [4, 2, 2, 2]);
      const left = await tab.evaluate(async () => {
        const [first, ...others] = document.querySelectorAll('gguf-chat');
        for (const chat of others) chat.remove();
        await new Promise((resolve) => setTimeout(resolve, 1500));
        const {content} = await first.send('still there?');
        first.remove();
        return content.length;
      });
      assert(left > 0);
      // A chat that is moved in the page keeps its model for some seconds; timers of a tab in the background are slow.
      for (let wait = 0; wait < 100 && tab.workers().length > 0; wait++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      assert.equal(tab.workers().length, 0);
      await tab.close();
    }
  },

  async 'a part that is missing is named'() {
    const [first] = splitGguf(bytes, 2);
    server.register('lonely-00001-of-00002.gguf', first);
    const {error} = await call('load', `${server.origin}/lonely-00001-of-00002.gguf`);
    assert.equal(error?.name, 'network-status');
    assert.match(error.message, /lonely-00002-of-00002/);
    server.register('alone.gguf', first);
    const unnamed = await call('load', `${server.origin}/alone.gguf`);
    assert.equal(unnamed.error?.field, 'split.count');
  },

  async 'a file on a hub by its path, and by its quantisation'() {
    const options = {hubEndpoint: `${server.origin}/hub`};
    server.register('hub/maker/tiny/resolve/main/sub/tiny-Q4_K_M.gguf', bytes);
    server.register('hub/maker/tiny/resolve/main/tiny-Q8_0.gguf', bytes.subarray(0, 1000));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const files = [
      {type: 'file', path: 'README.md'},
      {type: 'file', path: 'tiny-Q8_0.gguf', lfs: {oid: 'f'.repeat(64)}},
      {type: 'file', path: 'mmproj-Q4_K_M.gguf'},
      {type: 'file', path: 'sub/tiny-Q4_K_M.gguf', lfs: {oid: sha256}},
    ];
    server.register('hub/api/models/maker/tiny/tree/main', Buffer.from(JSON.stringify(files)), {
      type: 'application/json',
    });
    assert.equal((await call('load', 'hf:maker/tiny/sub/tiny-Q4_K_M.gguf', options)).digest, right);
    assert.equal((await call('load', 'hf:maker/tiny:q4_k_m', options)).digest, right);
    const other = await call('load', 'hf:maker/tiny:Q5_K', options);
    assert.equal(other.error?.name, 'invalid-source');
    assert.match(other.error.message, /tiny-Q8_0.gguf/);
    const broken = await call('load', 'hf:maker/tiny:Q8_0', options);
    assert(broken.error, 'a file with another SHA-256 was loaded');
    assert.equal((await call('load', 'hf:maker/none:Q8_0', options)).error?.name, 'invalid-source');
    assert.equal((await call('load', 'hf:nothing', options)).error?.name, 'invalid-source');
    await page.setOfflineMode(true);
    assert.equal((await call('load', 'hf:maker/tiny:Q4_K_M', options)).digest, right);
    await page.setOfflineMode(false);
  },
};

let failed = 0;
for (const [title, test] of Object.entries(tests)) {
  try {
    await test();
    print(`ok      ${title}`);
  } catch (error) {
    failed++;
    print(`FAILED  ${title}: ${error instanceof Error ? error.message : error}`);
    await setQuota();
  }
}
await browser.close();
await server.stop();
remove();
print(`store: ${Object.keys(tests).length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
