/** A visit to a page of the demo. */
import assert from 'node:assert/strict';
import {audit} from './audit.mjs';
import {Visitor} from './visitor.mjs';

/**
 * Opens a page of the demo, and checks what must hold on each of them: axe finds nothing, the console is silent, nothing
 * is asked of another site, no request fails, and the page fits a small phone.
 *
 * @param {{context: import('puppeteer-core').BrowserContext, demo: import('./demo-server.mjs').DemoServer}} setting
 * @param {string} path of the page, under `/demo/`
 * @param {(visitor: Visitor, origin: string) => Promise<void>} whatHappens
 */
export async function visitDemo({context, demo}, path, whatHappens) {
  const origin = await demo.origin();
  // The listeners of the requests must be there before the page is.
  const visitor = await Visitor.open(context, 'about:blank');
  const requests = watchRequests(visitor.page);
  await visitor.page.setViewport({width: 1200, height: 800});
  await visitor.page.goto(`${origin}/demo/${path}`);
  await visitor.page.waitForFunction(() => document.querySelector('gguf-chat:not(:defined)') === null);
  await audit(visitor, 'as it opens');
  await whatHappens(visitor, origin);
  await audit(visitor, 'after its use');
  await assertFits(visitor.page, 320);
  visitor.assertNoProblems();
  assert.deepEqual(requests.failed, [], 'no request fails');
  assert.deepEqual(
    requests.urls.filter((url) => !url.startsWith(origin) && !url.startsWith('data:')),
    [],
    'no request leaves the site',
  );
}

/** Everything that the page and its Workers ask for. */
function watchRequests(page) {
  const watched = {urls: [], failed: []};
  page.on('request', (request) => watched.urls.push(request.url()));
  page.on('requestfailed', (request) => {
    // What the page itself ended, such as the download of a file that is no model, has not failed.
    const reason = request.failure()?.errorText;
    if (reason !== 'net::ERR_ABORTED') watched.failed.push(`${reason} ${request.url()}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) watched.failed.push(`${response.status()} ${response.url()}`);
  });
  return watched;
}

/** No part of the page is out of reach to the right of a screen of this width. */
async function assertFits(page, width) {
  await page.setViewport({width, height: 640});
  const needed = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(needed <= width, `the page needs ${needed} px of a screen of ${width} px`);
}

/** Waits until every chat of the page has an answer that has ended. */
export async function waitForAnswers(page, count = 1) {
  await page.waitForFunction(
    (wanted) =>
      [...document.querySelectorAll('gguf-chat')].every(
        ({messages}) => messages.filter(({finishReason}) => finishReason).length >= wanted,
      ),
    {timeout: 60_000, polling: 20},
    count,
  );
}

/** The text of the first element that matches, as a reader sees it. */
export function textOf(page, selector) {
  return page.$eval(selector, (element) => element.innerText);
}

/** Moves the focus there, as a click on a label does. */
export async function focus(visitor, role, name) {
  const element = await visitor.find(role, name);
  await element.focus();
}
