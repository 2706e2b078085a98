/**
 * The same bits in every engine: logits and sampled tokens of a model of each weight type, in Chromium and in Firefox
 * (where it is installed), in both cores.
 *
 *   node test/e2e/engines.mjs
 *
 * Needs "npm run build". Fails where anything differs.
 */
import puppeteer from 'puppeteer-core';
import {chromiumFlags, findChromium, findFirefox} from '../helpers/find-browser.mjs';
import {builtScripts, serve} from './static-server.mjs';
import {modelsByType} from './test-model.mjs';

const print = (text) => process.stdout.write(`${text}\n`);
const models = await modelsByType(['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0']);
const site = await serve(
  new Map([
    ['/', {body: '<!doctype html><title>Engines</title>', type: 'text/html'}],
    ...builtScripts(),
    ...models.map(({weightType, file}) => [`/${weightType}.gguf`, {file}]),
  ]),
);

/** Runs in the page: a digest of logits and sampled tokens for each type. */
async function digests(types, core) {
  const {GgufRuntime} = await import('/runtime.js');
  const runtime = await GgufRuntime.boot({core});
  const {relaxedDot} = (await runtime.diagnostics()).core;
  const results = {};
  for (const type of types) {
    const {vocabularySize} = await runtime.loadModel(`/${type}.gguf`);
    const tokens = Array.from({length: 100}, (_, index) => (index * 37) % vocabularySize);
    const {logits} = await runtime.evaluate(tokens);
    const sampling = {temperature: 1, topK: 40, topP: 0.9, minP: 0.01, repeatPenalty: 1.1, seed: 5};
    const run = runtime.generate({
      tokens: tokens.slice(0, 9),
      maxTokens: 50,
      sampling,
      ignoreEndOfGeneration: true,
    });
    const sampled = (await run.result).tokens;
    const hash = await crypto.subtle.digest(
      'SHA-256',
      await new Blob([logits, Int32Array.from(sampled)]).arrayBuffer(),
    );
    results[type] = Array.from(new Uint8Array(hash).slice(0, 8), (byte) =>
      byte.toString(16).padStart(2, '0'),
    ).join('');
  }
  runtime.terminate();
  return {relaxedDot, results};
}

const engines = [{executablePath: findChromium(), args: chromiumFlags}];
const firefox = findFirefox();
if (firefox) engines.push({browser: 'firefox', executablePath: firefox});
else print('Firefox is not installed: compared in Chromium alone.');

const types = models.map(({weightType}) => weightType);
const found = new Map(types.map((type) => [type, new Set()]));
for (const engine of engines) {
  const browser = await puppeteer.launch({headless: true, ...engine});
  const page = await browser.newPage();
  await page.goto(site.origin);
  for (const core of ['relaxed', 'baseline']) {
    const {relaxedDot, results} = await page.evaluate(digests, types, core);
    print(`${await browser.version()}, ${core} core${relaxedDot ? `, relaxed dot ${relaxedDot}` : ''}`);
    for (const [type, digest] of Object.entries(results)) {
      found.get(type)?.add(digest);
      print(`  ${type.padEnd(5)} ${digest}`);
    }
  }
  await browser.close();
}
await site.close();

const different = types.filter((type) => found.get(type)?.size !== 1);
print(different.length === 0 ? 'the same bits everywhere' : `DIFFERENT: ${different.join(', ')}`);
process.exitCode = different.length === 0 ? 0 : 1;
