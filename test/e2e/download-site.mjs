/** What the tests of downloads share: a small model, servers that can fail, and a page with the functions of downloads-page.js. */
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import puppeteer from 'puppeteer-core';
import {syntheticModel} from '../bench/synthetic-model.mjs';
import {FaultServer} from '../helpers/fault-server.mjs';
import {chromiumFlags, findChromium} from '../helpers/find-browser.mjs';
import {builtScripts} from './static-server.mjs';

export const megabyte = 1024 * 1024;

/** A folder that is removed by `remove`, and a model in it: some 14 MB, three steps of the journal. */
export function makeModel() {
  const folder = mkdtempSync(join(tmpdir(), 'gguf-chat-downloads-'));
  const path = join(folder, 'model.gguf');
  syntheticModel({shape: 'smoke', type: 'F32', contextLength: 256, path});
  return {
    folder,
    bytes: readFileSync(path),
    remove: () => rmSync(folder, {recursive: true, force: true, maxRetries: 5}),
  };
}

/** A server with the page at its root. */
export async function startPageServer() {
  const server = await new FaultServer().start();
  const html =
    '<!doctype html><title>Downloads</title><script type="module" src="/downloads-page.js"></script>';
  server.register('', Buffer.from(html), {type: 'text/html'});
  const script = readFileSync(join(import.meta.dirname, 'downloads-page.js'));
  server.register('downloads-page.js', script, {type: 'text/javascript'});
  for (const [name, {file}] of builtScripts()) {
    server.register(name.slice(1), readFileSync(file), {type: 'text/javascript'});
  }
  return server;
}

/** @param {string} [userDataDir] */
export function launch(userDataDir) {
  return puppeteer.launch({
    executablePath: findChromium(),
    args: chromiumFlags,
    protocolTimeout: 120_000,
    ...(userDataDir && {userDataDir}),
  });
}

/** A tab with the page, and access to its functions. */
export async function openTab(browser, origin) {
  const page = await browser.newPage();
  page.on('pageerror', (error) => process.stderr.write(`page error: ${error}\n`));
  await page.goto(`${origin}/`);
  await page.waitForFunction(() => globalThis.page);
  const call = (name, ...args) => page.evaluate((name, args) => globalThis.page[name](...args), name, args);
  return {page, call};
}
