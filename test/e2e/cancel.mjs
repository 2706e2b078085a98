/**
 * Cancels at random moments of download, load, prefill and decode of a model of 200 MB and more:
 *
 *   node test/e2e/cancel.mjs [--cancels 240] [--seed 1] [--shape 215m] [--type Q8_0] [--core relaxed|baseline] [--json FILE] [--docs]
 *
 * Prints how long it took from the call until the run or load had settled, and fails where the 99th percentile of a
 * phase is over 50 ms or where an answer after a cancel differs from the one without. Needs "npm run build".
 */
import {mkdirSync, writeFileSync} from 'node:fs';
import {basename, dirname} from 'node:path';
import {parseArgs} from 'node:util';
import {openPage} from '../bench/browser-page.mjs';
import {writeDocsSection} from '../bench/docs-section.mjs';
import {describeEnvironment} from '../bench/environment.mjs';
import {Random} from '../bench/random.mjs';
import {percentile} from '../bench/statistics.mjs';
import {syntheticModel} from '../bench/synthetic-model.mjs';
import {promptOfLength} from '../bench/vocabulary.mjs';

const limitMs = 50;
const phases = ['download', 'load', 'prefill', 'decode'];
/** Tokens of the prompt whose prefill is cancelled. */
const longPrompt = 256;
/** How long the slow server takes for the whole file. */
const downloadMs = 3000;

const print = (text) => process.stdout.write(`${text}\n`);

function options() {
  const {values} = parseArgs({
    options: {
      cancels: {type: 'string', default: '240'},
      seed: {type: 'string', default: '1'},
      shape: {type: 'string', default: '215m'},
      type: {type: 'string', default: 'Q8_0'},
      core: {type: 'string'},
      json: {type: 'string'},
      docs: {type: 'boolean', default: false},
    },
  });
  const cancels = Number(values.cancels);
  if (!Number.isSafeInteger(cancels) || cancels < phases.length) {
    throw new Error(`--cancels must be a whole number from ${phases.length}, not "${values.cancels}"`);
  }
  return {...values, perPhase: Math.ceil(cancels / phases.length)};
}

const pick = (random, values) => values[random.integer(0, values.length)];

/** One cancel: when, how, in which state, and what is asked afterwards. All from the seed. */
function plan(phase, index, random, durations) {
  const delayMs = random.next() * durations[phase];
  switch (phase) {
    case 'prefill':
      return {
        phase,
        delayMs,
        way: pick(random, ['signal', 'method']),
        before: pick(random, ['reset', 'other']),
        probe: pick(random, ['same', 'other', 'rest']),
      };
    case 'decode':
      return {
        phase,
        delayMs,
        way: pick(random, ['signal', 'method']),
        probe: pick(random, ['same', 'other', 'rest']),
      };
    default:
      return {
        phase,
        delayMs,
        // A newer load is the other way to end one. It, a start without a model and a load afterwards take their time.
        way: index % 10 === 3 ? 'newer load' : 'signal',
        before: index % 10 === 6 ? 'empty' : 'resident',
        followUp: index % 10 === 9,
      };
  }
}

/** Cancels until enough of them met the phase; one that came too late for it is checked, but not counted. */
async function torture(page, phase, count, random, durations) {
  const samples = [];
  const failures = [];
  for (let attempt = 0; samples.length < count && attempt < 3 * count; attempt++) {
    const planned = plan(phase, samples.length, random, durations);
    const {counts, latencyMs, progress, failures: found} = await page.call('cancel', planned);
    failures.push(...found.map((text) => `${phase}, attempt ${attempt} ${JSON.stringify(planned)}: ${text}`));
    if (counts) samples.push({...planned, latencyMs, progress});
  }
  if (samples.length < count)
    failures.push(`${phase}: only ${samples.length} of ${count} cancels met the phase`);
  return {phase, samples, failures};
}

const latency = ({samples}, share) =>
  percentile(
    samples.map(({latencyMs}) => latencyMs),
    share,
  ) ?? NaN;

function row(result) {
  const figures = [0.5, 0.95, 0.99, 1].map((share) => latency(result, share).toFixed(1));
  return `| ${[result.phase, result.samples.length, ...figures, result.failures.length].join(' | ')} |`;
}

/** What is left when all is over must be the resident model and nothing else. */
function leftovers({running, wasmBytes, plannedBytes}) {
  const others = running.filter((kind) => kind !== 'diagnostics');
  return [
    ...(others.length > 0 ? [`still running: ${others.join(', ')}`] : []),
    ...(wasmBytes === plannedBytes ? [] : [`${wasmBytes} bytes in use, ${plannedBytes} planned`]),
  ];
}

/** Loads the model into a page, and takes the answers and times of a runtime that nobody disturbs. */
async function prepare(page, modelPath, {fileBytes}, random, core) {
  const url = `${page.origin}/test/bench/models/${basename(modelPath)}`;
  const prepared = await page.call('prepare', {
    url,
    slowUrl: `${url}?bytes-per-second=${Math.ceil((fileBytes / downloadMs) * 1000)}`,
    contextLength: 512,
    shortPrompt: promptOfLength(16, random),
    longPrompt: promptOfLength(longPrompt, random),
    ...(core === undefined ? {} : {core}),
  });
  const {loadMs: load, prefillMs: prefill, decodeMs: decode} = prepared;
  return {...prepared, durations: {download: downloadMs, load, prefill, decode}};
}

function heading({shape, type, seed}, model, environment, prepared) {
  const {browser, processor, date, loadAverage} = environment;
  const file = `${shape}, ${type}, ${(model.fileBytes / 1e6).toFixed(0)} MB, SHA-256 ${model.sha256}`;
  return [
    `- ${date}, ${browser} (headless), ${processor}, load average before ${loadAverage.toFixed(2)}`,
    `- ${file}; ${prepared.core} core, seed ${seed}`,
    '',
    '| phase | cancels | p50 ms | p95 ms | p99 ms | max ms | unequal answers |',
    '|---|---|---|---|---|---|---|',
  ];
}

async function main() {
  const {docs, json, core, perPhase, ...asked} = options();
  const {path, ...model} = syntheticModel({shape: asked.shape, type: asked.type});
  const page = await openPage('test/bench/page/cancel.html');
  try {
    const environment = describeEnvironment(page.browserVersion);
    const random = new Random(asked.seed);
    const prepared = await prepare(page, path, model, random, core);
    const lines = heading(asked, model, environment, prepared);
    print(lines.join('\n'));
    const results = [];
    for (const phase of phases) {
      const result = await torture(page, phase, perPhase, random, prepared.durations);
      results.push(result);
      print(row(result));
    }
    const end = await page.call('settle');
    const failures = [
      ...results.flatMap(({failures}) => failures),
      ...results
        .filter((result) => latency(result, 0.99) > limitMs)
        .map(({phase}) => `${phase}: p99 over ${limitMs} ms`),
      ...leftovers(end),
    ];
    for (const failure of failures) print(`FAILED: ${failure}`);
    if (docs) writeDocsSection('cancel', [...lines, ...results.map(row)].join('\n'));
    if (json) {
      mkdirSync(dirname(json), {recursive: true});
      writeFileSync(
        json,
        `${JSON.stringify({environment, model, prepared, results, end, failures}, null, 2)}\n`,
      );
    }
    process.exitCode = failures.length > 0 ? 1 : 0;
  } finally {
    await page.close();
  }
}

await main();
