/** The browsers that the comparisons of engines run in. */
import puppeteer from 'puppeteer-core';
import {chromiumFlags, findChromium, findFirefox, findWebKit} from '../helpers/find-browser.mjs';
import {WebKitBrowser} from './webkit-browser.mjs';

/** @typedef {{version: string, goto(url: string): Promise<unknown>, call(name: string, args: string[]): Promise<any>, close(): Promise<void>}} Browser */

/** @returns {Promise<Browser>} */
async function launchPuppeteer(options) {
  const browser = await puppeteer.launch({headless: true, ...options});
  const page = await browser.newPage();
  return {
    version: await browser.version(),
    goto: (url) => page.goto(url),
    call: (name, args) => page.evaluate((f, values) => globalThis[f](...values), name, args),
    close: () => browser.close(),
  };
}

/**
 * How to launch each engine that is installed.
 *
 * @param {string[]} notCompared gets those that are not
 */
export function launchers(notCompared) {
  const firefox = findFirefox();
  const webKit = findWebKit();
  if (!firefox) notCompared.push('Firefox: not installed');
  if (!webKit) notCompared.push('WebKitGTK: WebKitWebDriver and Xvfb are not installed');
  return [
    {name: 'chromium', launch: () => launchPuppeteer({executablePath: findChromium(), args: chromiumFlags})},
    ...(firefox
      ? [{name: 'firefox', launch: () => launchPuppeteer({browser: 'firefox', executablePath: firefox})}]
      : []),
    ...(webKit ? [{name: 'webkit', launch: () => WebKitBrowser.launch(webKit)}] : []),
  ];
}
