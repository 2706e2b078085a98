/**
 * Times the choice of one token among a large vocabulary, in Chromium: `node test/bench/sampling.mjs`. Takes some seconds;
 * needs `npm run build:core` first.
 */
import {parseArgs} from 'node:util';
import puppeteer from 'puppeteer-core';
import {chromiumFlags, findChromium} from '../helpers/find-browser.mjs';
import {bundlePage} from './bundle.mjs';
import {describeEnvironment} from './environment.mjs';
import {summarize} from './statistics.mjs';

const {values} = parseArgs({
  options: {tokens: {type: 'string', default: '150000'}, samples: {type: 'string', default: '40'}},
});

const browser = await puppeteer.launch({executablePath: findChromium(), args: chromiumFlags});
try {
  const page = await browser.newPage();
  await page.addScriptTag({content: await bundlePage('sampling')});
  const call = (name, ...args) => page.evaluate((name, args) => globalThis.page[name](...args), name, args);
  const environment = describeEnvironment(await browser.version());
  const {date, revision, uncommittedChanges, processor, loadAverage} = environment;
  const changes = uncommittedChanges ? ' with changes' : '';
  const core = await call('coreVariant');
  console.log(`${date}, revision ${revision}${changes}, ${environment.browser}, ${processor}`);
  console.log(
    `load average before ${loadAverage.toFixed(2)}; ${values.tokens} tokens, ${values.samples} samples, ${core} core\n`,
  );
  console.log('| one choice | median | p95 |\n|---|---|---|');
  for (const name of await call('caseNames')) {
    const times = await call('measure', name, Number(values.tokens), Number(values.samples));
    const {median, p95} = summarize('ms', times);
    console.log(`| ${name} | ${median.toFixed(2)} ms | ${p95.toFixed(2)} ms |`);
  }
} finally {
  await browser.close();
}
