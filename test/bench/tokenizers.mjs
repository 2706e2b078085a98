/**
 * Times tokenizers in Chromium: loading vocabularies, prose, and texts that would show quadratic behaviour.
 *
 *   node test/bench/tokenizers.mjs [--repetitions 5] [--json FILE] [--docs]
 *
 * Vocabularies and texts are made from seeds; the real vocabularies of the reference data are measured as well where these
 * stand beside the project.
 */
import {existsSync, mkdirSync, readdirSync, writeFileSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {parseArgs} from 'node:util';
import puppeteer from 'puppeteer-core';
import {serve} from '../e2e/static-server.mjs';
import {chromiumFlags, findChromium} from '../helpers/find-browser.mjs';
import {writeDocsSection} from './docs-section.mjs';
import {bundlePage} from './bundle.mjs';
import {describeEnvironment} from './environment.mjs';
import {summarize} from './statistics.mjs';

const {values} = parseArgs({
  options: {
    repetitions: {type: 'string', default: '5'},
    json: {type: 'string'},
    docs: {type: 'boolean', default: false},
  },
});
const repetitions = Number(values.repetitions);
const lengths = [50_000, 100_000];
const reference = join(import.meta.dirname, '../../../shared/tokenizers');
const real = existsSync(reference)
  ? readdirSync(reference)
      .filter((name) => name.endsWith('.gguf.gz'))
      .map((name) => basename(name, '.gguf.gz'))
  : [];

const log = (text) => process.stderr.write(`${text}\n`);

async function measure(call, name) {
  log(name);
  const {samples: loads, vocabulary} = await call('timeLoads', name, repetitions);
  const rates = await call('timeProse', name, 1, repetitions);
  const texts = {};
  for (const kind of await call('textNames')) {
    texts[kind] = [];
    for (const length of lengths) texts[kind].push(await call('timeText', name, kind, length, repetitions));
  }
  return {name, vocabulary, loads, rates, texts};
}

const median = (samples) => summarize('', samples).median;

function markdownOf(results, kinds, {date, revision, uncommittedChanges, browser, processor, loadAverage}) {
  const growth = (texts) => {
    const factors = kinds.map((kind) => ({kind, factor: median(texts[kind][1]) / median(texts[kind][0])}));
    return factors.reduce((worst, each) => (each.factor > worst.factor ? each : worst));
  };
  return [
    `- ${date}, revision ${revision}${uncommittedChanges ? ' with changes' : ''}; ${browser} (headless), ${processor}, load average before ${loadAverage.toFixed(2)}; medians of ${repetitions}`,
    `- growth: how much longer ${lengths[1]} characters take than ${lengths[0]}, of ${kinds.join(', ')} the kind that grows most`,
    '',
    '| vocabulary | tokens | loading | prose | growth |',
    '|---|---:|---:|---:|---|',
    ...results.map(({name, vocabulary, loads, rates, texts}) => {
      const {kind, factor} = growth(texts);
      return `| ${name} | ${vocabulary} | ${median(loads).toFixed(0)} ms | ${median(rates).toFixed(1)} MB/s | ${factor.toFixed(1)}× (${kind}) |`;
    }),
    '',
  ].join('\n');
}

const site = await serve(
  new Map([
    ['/', {body: '<!doctype html><title>Tokenizers</title>', type: 'text/html'}],
    ...real.map((name) => [`/${name}.gguf.gz`, {file: join(reference, `${name}.gguf.gz`)}]),
  ]),
);
const browser = await puppeteer.launch({executablePath: findChromium(), args: chromiumFlags});
try {
  const environment = describeEnvironment(await browser.version());
  const page = await browser.newPage();
  await page.goto(site.origin);
  await page.addScriptTag({content: await bundlePage('tokenizers')});
  const call = (name, ...args) => page.evaluate((name, args) => globalThis.page[name](...args), name, args);
  const kinds = await call('textNames');
  const results = [];
  for (const name of await call('syntheticNames')) {
    await call('makeSynthetic', name);
    results.push(await measure(call, name));
  }
  for (const name of real) {
    await call('fetchReal', name, `/${name}.gguf.gz`);
    results.push(await measure(call, name));
  }
  const markdown = markdownOf(results, kinds, environment);
  process.stdout.write(`${markdown}\n`);
  if (values.json) {
    mkdirSync(dirname(values.json), {recursive: true});
    writeFileSync(values.json, `${JSON.stringify({schema: 1, environment, lengths, results}, null, 2)}\n`);
  }
  if (values.docs) writeDocsSection('tokenizers', markdown);
} finally {
  await browser.close();
  await site.close();
}
