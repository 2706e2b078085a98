/**
 * Times the products of one matrix with one token and with a batch, by type, in Chromium and without a model:
 *
 *   node test/bench/kernels.mjs [--type Q4_K,Q8_0] [--core relaxed|baseline] [--samples 7] [--docs]
 *
 * Needs `npm run build:core`. A matrix of 256 rows × 1024 columns stays in the cache of a processor; one of 65 536 rows is
 * read from memory. Rates are medians; what a whole model reaches, `npm run bench` shows.
 */
import {parseArgs} from 'node:util';
import puppeteer from 'puppeteer-core';
import {chromiumFlags, findChromium} from '../helpers/find-browser.mjs';
import {writeDocsSection} from './docs-section.mjs';
import {bundlePage} from './bundle.mjs';
import {describeEnvironment} from './environment.mjs';
import {summarize} from './statistics.mjs';
import {tensorTypes} from './tensor-types.mjs';

const {values} = parseArgs({
  options: {
    type: {type: 'string', default: Object.keys(tensorTypes).join(',')},
    core: {type: 'string'},
    samples: {type: 'string', default: '7'},
    docs: {type: 'boolean', default: false},
  },
});

const cases = [
  {title: 'one token, cache', rows: 256, tokens: 1},
  {title: 'one token, memory', rows: 65536, tokens: 1},
  {title: '64 tokens', rows: 4096, tokens: 64},
];

/** `GMAC/s` and, for one token, the `GB/s` at which the matrix is read. */
function cell({bytes, macs, milliseconds}, tokens) {
  const {median} = summarize('ms', milliseconds);
  const products = `${(macs / median / 1e6).toFixed(1)} GMAC/s`;
  return tokens > 1 ? products : `${products}, ${(bytes / median / 1e6).toFixed(1)} GB/s`;
}

const browser = await puppeteer.launch({
  executablePath: findChromium(),
  args: chromiumFlags,
  protocolTimeout: 0,
});
try {
  const page = await browser.newPage();
  await page.addScriptTag({content: await bundlePage('kernels')});
  const call = (name, ...args) => page.evaluate((name, args) => globalThis.page[name](...args), name, args);
  const environment = describeEnvironment(await browser.version());
  const {date, revision, uncommittedChanges, processor, loadAverage} = environment;
  const core = await call('coreVariant', values.core);
  const lines = [
    `- ${date}, revision ${revision}${uncommittedChanges ? ' with changes' : ''}, ${environment.browser}, ${processor}, load average before ${loadAverage.toFixed(2)}, ${core} core`,
    '',
    `| type | ${cases.map(({title}) => title).join(' | ')} |`,
    `|---|${cases.map(() => '---:|').join('')}`,
  ];
  for (const type of values.type.split(',')) {
    const cells = [];
    for (const {rows, tokens} of cases) {
      const request = {core, type, rows, tokens, samples: Number(values.samples)};
      cells.push(cell(await call('measure', request), tokens));
    }
    lines.push(`| ${type} | ${cells.join(' | ')} |`);
    process.stderr.write(`${lines.at(-1)}\n`);
  }
  const markdown = lines.join('\n');
  process.stdout.write(`${markdown}\n`);
  if (values.docs) writeDocsSection('kernels', markdown);
} finally {
  await browser.close();
}
