/**
 * The element as a visitor meets it: the built package, an HTTP server, a real Chromium, a real keyboard.
 *
 *   node test/e2e/run.mjs [--only TEXT]
 *   node test/e2e/run.mjs --screenshots DIR     pictures for a critical eye instead of tests
 *
 * Needs "npm run build"; the pages of the demo are tested from the sources, as "npm start" serves them. Uses the trained
 * model of the reference data where they stand beside the project, else a random one that it writes itself; it says which.
 */
import {mkdirSync} from 'node:fs';
import {parseArgs} from 'node:util';
import puppeteer from 'puppeteer-core';
import {chromiumFlags, findChromium} from '../helpers/find-browser.mjs';
import {DemoServer} from './demo-server.mjs';
import {testModel} from './test-model.mjs';
import {scenarios} from './scenarios/index.mjs';
import {screenshots} from './scenarios/screenshots.mjs';

const {values} = parseArgs({options: {only: {type: 'string', default: ''}, screenshots: {type: 'string'}}});
const print = (text) => process.stdout.write(`${text}\n`);

const model = await testModel();
print(`end-to-end tests with ${model.description}`);
if (values.screenshots) mkdirSync(values.screenshots, {recursive: true});
const browser = await puppeteer.launch({executablePath: findChromium(), args: chromiumFlags});
const demo = new DemoServer();
let passed = 0;
let failed = 0;
const chosen = (values.screenshots ? screenshots : scenarios).filter(({name}) => name.includes(values.only));
for (const {name, run} of chosen) {
  const context = await browser.createBrowserContext();
  try {
    await run({context, model, demo, screenshots: values.screenshots});
    passed++;
    print(`  ok      ${name}`);
  } catch (error) {
    failed++;
    print(`  FAILED  ${name}\n${error instanceof Error ? error.stack : String(error)}`);
  } finally {
    await context.close();
  }
}
await browser.close();
await demo.close();
print(`end-to-end: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
