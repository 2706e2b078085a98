/** The benchmark: `npm run bench -- --help`. Figures are taken in a real browser through the public API. */
import {mkdirSync, writeFileSync} from 'node:fs';
import {basename, dirname, join} from 'node:path';
import {openPage} from './browser-page.mjs';
import {writeDocsSection} from './docs-section.mjs';
import {describeEnvironment} from './environment.mjs';
import {installPeer} from './install-peer.mjs';
import {figuresOf, ratiosOf, repetitions} from './measurement.mjs';
import {help, parseOptions} from './options.mjs';
import {Random} from './random.mjs';
import {markdownOf, summaryOf} from './report.mjs';
import {syntheticModel} from './synthetic-model.mjs';
import {promptOfLength} from './vocabulary.mjs';

const log = (text) => process.stderr.write(`${text}\n`);

/** What `measurement.mjs` asks for, done by the page. */
function benchIn(page) {
  const run = (name) => (promptTokens, maxTokens) => {
    const prompt = promptOfLength(promptTokens, new Random(`prompt of ${promptTokens}`));
    return page.call(name, {prompt, maxTokens});
  };
  return {
    memoryRead: (bytes) => page.call('memoryRead', bytes),
    dotPeak: () => page.call('dotPeak'),
    run: run('runOurs'),
    runPeer: run('runPeer'),
  };
}

async function measure(page, model, options) {
  const samples = [];
  log('warm-up and first repetition');
  for await (const sample of repetitions(benchIn(page), model, options)) {
    samples.push(sample);
    log(`${samples.length} of ${options.repetitions} repetitions done`);
  }
  return figuresOf(samples, model, options);
}

/** Measures one file with one core, in a browser of its own. */
async function benchmark({type, core, ...options}) {
  const {path, ...facts} = syntheticModel({shape: options.shape, type});
  const peerVersion = options.withPeer ? installPeer() : null;
  const page = await openPage('test/bench/page/index.html', {isolated: options.isolated});
  try {
    const environment = describeEnvironment(page.browserVersion);
    const url = `/test/bench/models/${basename(path)}`;
    const contextLength = Math.ceil((options.prompt + options.tokens + 1) / 256) * 256;
    log(`${options.shape} ${type} (${core}): loading`);
    const loaded = await page.call('loadOurs', {
      model: url,
      contextLength,
      ...(core === 'auto' ? {} : {core}),
    });
    const peer = options.withPeer && {
      version: peerVersion,
      llamaCpp: await page.call('loadPeer', {model: url, contextLength}),
    };
    const diagnostics = await page.call('diagnoseOurs');
    // All of them are read for every token: the embedding matrix is the output matrix, too.
    const computeBytes = Object.values(diagnostics.memory.plan.weights).reduce(
      (sum, bytes) => sum + bytes,
      0,
    );
    const model = {type, ...facts, computeBytes};
    const figures = await measure(page, model, options);
    return {
      schema: 1,
      environment,
      options,
      model,
      peer: peer || null,
      loaded,
      diagnostics,
      ratios: ratiosOf(figures),
      figures,
    };
  } finally {
    await page.close();
  }
}

function save(file, text) {
  mkdirSync(dirname(file), {recursive: true});
  writeFileSync(file, text);
  log(`wrote ${file}`);
}

async function main() {
  const {
    help: wantsHelp,
    types,
    cores,
    json,
    summary,
    docs,
    ...options
  } = parseOptions(process.argv.slice(2));
  if (wantsHelp) {
    process.stdout.write(help);
    return;
  }
  const results = [];
  for (const type of types) {
    for (const core of cores) {
      const result = await benchmark({...options, type, core});
      results.push(result);
      if (!summary) process.stdout.write(`${markdownOf(result)}\n`);
    }
  }
  const name = `${options.shape}-${types.join('+')}-${cores.join('+')}.json`.toLowerCase();
  save(json ?? join(import.meta.dirname, 'results', name), `${JSON.stringify(results, null, 2)}\n`);
  const section = summary ? `types ${options.shape}` : 'figures';
  const markdown = summary ? summaryOf(results) : results.map(markdownOf).join('\n');
  if (summary) process.stdout.write(`${markdown}\n`);
  if (docs) writeDocsSection(section, markdown);
}

try {
  await main();
} catch (error) {
  log(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
