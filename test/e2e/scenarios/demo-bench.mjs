import assert from 'node:assert/strict';
import {mkdtempSync, readFileSync, readdirSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {audit} from '../audit.mjs';
import {focus, textOf, visitDemo} from '../visit-demo.mjs';

const noModel = fileURLToPath(import.meta.url);

/** Measures, stops at any time, keeps what was measured through a stop and a failure, and exports it. */
export async function bench(setting) {
  await visitDemo(setting, 'bench.html', async (visitor, origin) => {
    await setting.context.overridePermissions(origin, ['clipboard-read', 'clipboard-sanitized-write']);
    await measuresByKeyboard(visitor);
    await audit(visitor, 'with a result');
    await stopsWhileTheModelIsMade(visitor);
    await stopsWhileItMeasures(visitor);
    await explainsAFailure(visitor);
    await measuresPip(visitor);
    await visitor.page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: 'dark'}]);
    await audit(visitor, 'with results, dark');
    await copies(visitor);
    await exports(visitor, setting.context);
    await visitor.click('button', 'Clear');
    assert.equal(await visitor.page.$('.result'), null);
  });
}

/** Waits for the words of the status line. */
async function said(visitor, pattern) {
  await visitor.page.waitForFunction(
    (source) => new RegExp(source).test(document.querySelector('#status').textContent),
    {timeout: 60_000, polling: 20},
    pattern.source,
  );
}

async function enter(visitor, name, value) {
  await focus(visitor, 'spinbutton', name);
  await visitor.page.keyboard.down('Control');
  await visitor.page.keyboard.press('a');
  await visitor.page.keyboard.up('Control');
  await visitor.page.keyboard.type(String(value));
}

const focused = (visitor) => visitor.page.evaluate(() => document.activeElement.textContent);
const resultCount = async (visitor) => (await visitor.page.$$('.result')).length;

async function measuresByKeyboard(visitor) {
  const {page} = visitor;
  await page.select('#shape', 'smoke');
  await visitor.click('checkbox', 'Q4_K_M');
  await enter(visitor, 'Repetitions', 1);
  await enter(visitor, 'Prefill tokens', 40);
  await enter(visitor, 'Decode tokens', 8);
  await focus(visitor, 'button', 'Start');
  await page.keyboard.press('Enter');
  assert.equal(await focused(visitor), 'Stop', 'the focus is not lost with the button that is disabled');
  await said(visitor, /^Done: one model measured/);
  assert.equal(await focused(visitor), 'Start');
  const shown = await textOf(page, '.result');
  for (const words of ['smoke, Q8_0', 'decode, 8 tokens', 'prefill, 40 tokens', 'load', 'memory'])
    assert.ok(shown.includes(words), `${words} in ${shown}`);
}

async function stopsWhileTheModelIsMade(visitor) {
  await visitor.page.select('#shape', 'llama-3.2-1b');
  await startAndStopAt(visitor, 'making the model', 0);
  assert.equal(await resultCount(visitor), 1, 'nothing was measured, nothing is shown');
  await visitor.page.select('#shape', 'smoke');
}

/** The samples that there are by then are kept. */
async function stopsWhileItMeasures(visitor) {
  await enter(visitor, 'Repetitions', 100);
  await startAndStopAt(visitor, 'decode', 0.05);
  assert.match(await textOf(visitor.page, '.result:last-child'), /Stopped before its end/);
  await enter(visitor, 'Repetitions', 1);
}

/** Stops in the midst of a step, once a share of the whole is done. */
async function startAndStopAt(visitor, step, share) {
  await visitor.click('button', 'Start');
  await visitor.page.waitForFunction(
    (label, least) =>
      document.querySelector('#step').textContent.endsWith(label) &&
      document.querySelector('#progress').value >= least,
    {timeout: 60_000, polling: 5},
    step,
    share,
  );
  await visitor.click('button', 'Stop');
  await said(visitor, /^Stopped/);
  assert.equal(await visitor.page.$eval('#start', ({disabled}) => disabled), false);
}

/** A file that is no model: the error has its name, what was measured is still there. */
async function explainsAFailure(visitor) {
  const before = await resultCount(visitor);
  await visitor.click('radio', 'A file');
  const input = await visitor.page.$('#file');
  await input.uploadFile(noModel);
  await visitor.click('button', 'Start');
  await said(visitor, /failed: .*400 not-gguf/);
  assert.equal(await resultCount(visitor), before + 1);
}

async function measuresPip(visitor) {
  await visitor.click('radio', 'Pip, built in');
  await visitor.click('button', 'Start');
  await said(visitor, /^Done/);
}

async function copies(visitor) {
  await visitor.click('button', 'Copy as Markdown');
  await visitor.page.waitForFunction(() => document.querySelector('#copied').textContent === 'Copied.');
  const markdown = await visitor.page.evaluate(() => navigator.clipboard.readText());
  assert.match(markdown, /^### smoke, Q8_0\n\n- 20\d\d-.*\n- Browser: .*Chrom/);
  assert.match(markdown, /\| decode, 8 tokens \| [\d.]+ tok\/s \| [\d.]+ tok\/s \|/);
  assert.match(markdown, /\| \*\*decode of reading memory in one stream\*\* \|/);
  assert.match(markdown, /### Pip\n/);
}

async function exports(visitor, context) {
  const [first, ...others] = await exported(visitor, context);
  assert.equal(first.schema, 1);
  assert.equal(first.status, 'complete');
  assert.equal(first.error, null);
  assert.deepEqual(first.options, {prompt: 40, tokens: 8, repetitions: 1});
  const {source, shape, type, seed, fileBytes, weightBytesPerToken} = first.model;
  assert.deepEqual({source, shape, type, seed}, {source: 'synthetic', shape: 'smoke', type: 'Q8_0', seed: 1});
  assert.ok(fileBytes > weightBytesPerToken && weightBytesPerToken > 1e6);
  assert.equal(first.loaded.fileBytes, fileBytes, 'the file has the size that was said');
  assert.ok(first.loaded.timings.totalMs > 0);
  const {userAgent, hardwareConcurrency, crossOriginIsolated} = first.environment;
  assert.match(userAgent, /Chrome/);
  assert.ok(hardwareConcurrency >= 1);
  assert.equal(crossOriginIsolated, false);
  const {core, shards, version, memory} = first.diagnostics;
  assert.ok(core.variant && 'relaxedDot' in core && shards.each.length >= 1 && version);
  assert.ok(memory.wasmHighWaterBytes > weightBytesPerToken);
  for (const name of ['memoryRead', 'memoryStreams', 'dotPeak', 'firstToken', 'prefill', 'decode']) {
    const {unit, median, p95, samples} = first.figures[name];
    assert.ok(unit && median > 0 && p95 > 0, name);
    assert.deepEqual(samples, [median], 'one repetition, one sample');
  }
  assert.ok(first.ratios.decodeOfMemoryRead > 0 && first.ratios.prefillOfDotPeak > 0);
  assert.equal(others.at(-1).model.name, 'Pip');
  assert.ok(others.at(-1).figures.decode.median > 0);
  const stopped = others.find(({status}) => status === 'stopped');
  const {samples} = stopped.figures.decode;
  assert.ok(samples.length >= 1 && samples.length < 100, `${samples.length} samples before the stop`);
  const failed = others.find(({status}) => status === 'failed');
  assert.equal(failed.error.name, 'not-gguf');
  assert.deepEqual(failed.figures, {});
}

/** What the file says that the page has saved. */
async function exported({page}, context) {
  const folder = mkdtempSync(join(tmpdir(), 'gguf-chat-bench-'));
  const client = await page.createCDPSession();
  await client.send('Browser.setDownloadBehavior', {
    behavior: 'allow',
    downloadPath: folder,
    browserContextId: context.id,
    eventsEnabled: true,
  });
  const finished = new Promise((resolve) =>
    client.on('Browser.downloadProgress', ({state}) => state === 'completed' && resolve()),
  );
  await page.locator('::-p-aria([role="button"][name="Export as JSON"])').click();
  await finished;
  const [name] = readdirSync(folder);
  assert.match(name, /^gguf-chat-bench-\d{4}-\d\d-\d\d\.json$/);
  return JSON.parse(readFileSync(join(folder, name), 'utf8'));
}
