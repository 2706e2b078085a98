import {existsSync} from 'node:fs';
import {join, resolve} from 'node:path';
import puppeteer from 'puppeteer-core';
import {chromiumFlags, findChromium} from '../helpers/find-browser.mjs';
import {serve} from './server.mjs';

export const repositoryRoot = resolve(import.meta.dirname, '../..');

/** @throws if the build that the page uses is not there */
function requireBuild() {
  for (const file of ['dist/runtime.js', 'dist/gguf-chat.worker.js', 'wasm/build/bench.wasm']) {
    if (!existsSync(join(repositoryRoot, file)))
      throw new Error(`${file} is missing: run "npm run build" first`);
  }
}

/**
 * Opens a page of this folder in Chromium, served from this machine, and gives access to the functions that its script
 * exports as `globalThis.page`.
 *
 * @param {string} path of the page's HTML file under the repository
 * @param {{isolated?: boolean}} [options]
 */
export async function openPage(path, {isolated = false} = {}) {
  requireBuild();
  const server = await serve(repositoryRoot, {isolated});
  // A call of a page's function lasts as long as a measurement: no limit on it.
  const browser = await puppeteer.launch({
    executablePath: findChromium(),
    args: chromiumFlags,
    protocolTimeout: 0,
  });
  const page = await browser.newPage();
  const failures = [];
  page.on('pageerror', (error) => failures.push(error));
  page.on('console', (message) => process.stderr.write(`page: ${message.text()}\n`));
  await page.goto(`${server.origin}/${path}`);
  const close = async () => {
    await browser.close();
    server.close();
  };
  try {
    await page.waitForFunction(() => 'page' in globalThis, {timeout: 10_000});
  } catch (cause) {
    await close();
    throw failures[0] ?? new Error(`The script of ${path} did not start`, {cause});
  }
  return {
    browserVersion: await browser.version(),
    origin: server.origin,
    /** Calls a function of the page with arguments, and awaits its result; both must be plain data. */
    call: (name, ...args) => page.evaluate((name, args) => globalThis.page[name](...args), name, args),
    /** The numbers of the processes that run pages: this one's with its Workers, and perhaps an idle one. */
    rendererPids: async () => {
      const client = await browser.target().createCDPSession();
      const {processInfo} = await client.send('SystemInfo.getProcessInfo');
      return processInfo.filter(({type}) => type === 'renderer').map(({id}) => id);
    },
    /** The page's Workers, of puppeteer. */
    workers: () => page.workers(),
    close,
  };
}
