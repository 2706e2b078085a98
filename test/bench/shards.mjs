/**
 * What several shards gain over one:
 *
 *   node test/bench/shards.mjs [--shape llama-3.2-1b] [--type Q8_0,Q4_K_M] [--core relaxed|baseline] [--shards 1,2,auto]
 *                              [--prompt 256] [--tokens 32] [--repetitions 5] [--isolated] [--peer] [--json FILE] [--docs]
 *
 * Each number of shards has a runtime of its own, and they take turns, between them the memory-read figure of one Worker
 * and of two at once. Needs "npm run build" and, for each of them, the memory of the model.
 */
import {mkdirSync, writeFileSync} from 'node:fs';
import {basename, dirname} from 'node:path';
import {parseArgs} from 'node:util';
import {openPage} from './browser-page.mjs';
import {writeDocsSection} from './docs-section.mjs';
import {describeEnvironment} from './environment.mjs';
import {installPeer} from './install-peer.mjs';
import {Random} from './random.mjs';
import {summarize} from './statistics.mjs';
import {syntheticModel} from './synthetic-model.mjs';
import {promptOfLength} from './vocabulary.mjs';

function options() {
  const {values} = parseArgs({
    options: {
      shape: {type: 'string', default: 'llama-3.2-1b'},
      type: {type: 'string', default: 'Q8_0,Q4_K_M'},
      core: {type: 'string'},
      shards: {type: 'string', default: '1,2'},
      prompt: {type: 'string', default: '256'},
      tokens: {type: 'string', default: '32'},
      repetitions: {type: 'string', default: '5'},
      isolated: {type: 'boolean', default: false},
      peer: {type: 'boolean', default: false},
      json: {type: 'string'},
      docs: {type: 'boolean', default: false},
    },
  });
  const counts = values.shards.split(',').map((count) => (count === 'auto' ? count : Number(count)));
  const [prompt, tokens, repetitions] = [values.prompt, values.tokens, values.repetitions].map(Number);
  if (!(prompt >= 2 && tokens >= 2 && repetitions >= 1)) throw new Error('--prompt, --tokens, --repetitions');
  return {...values, types: values.type.split(','), counts, prompt, tokens, repetitions};
}

const log = (text) => process.stderr.write(`${text}\n`);

/** Beyond any cache. */
const readBytes = 256 * 2 ** 20;
const peerPrompt = 32;
const peerTokens = 16;

async function measurePeer(page) {
  const prompt = promptOfLength(peerPrompt, new Random('peer'));
  const {usage, timings} = await page.call('runPeer', {prompt, maxTokens: peerTokens});
  return {
    prefill: (usage.promptTokens / timings.prefillMs) * 1000,
    decode: ((usage.completionTokens - 1) / timings.decodeMs) * 1000,
  };
}

/** All numbers of shards with one file. */
async function measure(model, {core, counts, prompt, tokens, repetitions, isolated, peer}) {
  const peerVersion = peer ? installPeer() : null;
  const page = await openPage('test/bench/page/shards.html', {isolated});
  try {
    const environment = describeEnvironment(page.browserVersion);
    const file = `/test/bench/models/${basename(model.path)}`;
    const contextLength = Math.ceil((prompt + tokens + 1) / 256) * 256;
    const diagnostics = [];
    for (const shards of counts) {
      log(`${basename(model.path)}: loading over ${shards}`);
      const request = {model: file, shards, contextLength, ...(core === undefined ? {} : {core})};
      diagnostics.push(await page.call('open', request));
    }
    if (peer) await page.call('loadPeer', {model: file, contextLength});
    const samples = counts.map(() => []);
    const peerSamples = [];
    const memory = {one: [], two: []};
    for (let repetition = 0; repetition <= repetitions; repetition++) {
      const read = [
        await page.call('readTogether', 1, readBytes),
        await page.call('readTogether', 2, readBytes),
      ];
      for (const [index, shards] of counts.entries()) {
        const sample = await page.call('run', {shards, prompt, maxTokens: tokens});
        if (repetition > 0) samples[index].push(sample);
      }
      const peerSample = peer ? await measurePeer(page) : null;
      log(`${repetition} of ${repetitions} repetitions done`);
      if (repetition === 0) continue;
      memory.one.push(read[0]);
      memory.two.push(read[1]);
      if (peerSample) peerSamples.push(peerSample);
    }
    return {environment, model, diagnostics, samples, peerVersion, peerSamples, memory};
  } finally {
    await page.close();
  }
}

const median = (values) => summarize('', values).median;
const ratios = (of, to) => median(of.map((value, index) => value / to[index]));

function rowsOf({diagnostics, samples, memory, model, peerSamples}, {counts}) {
  const bytes = Object.values(diagnostics[0].memory.plan.weights).reduce((sum, each) => sum + each, 0);
  const single = samples[counts.indexOf(1)];
  return counts.map((count, index) => {
    const own = samples[index];
    const {shards} = diagnostics[index];
    const of = (name) => own.map((sample) => sample[name]);
    const against = (name) =>
      single
        ? `${ratios(
            of(name),
            single.map((sample) => sample[name]),
          ).toFixed(2)}×`
        : '';
    const read = ratios(
      of('decode').map((rate) => (rate * bytes) / 1e9),
      shards.each.length === 1 ? memory.one : memory.two,
    );
    const exchange = median(
      own.map(({exchanges, exchangeMs}) => (exchanges ? (exchangeMs / exchanges) * 1000 : 0)),
    );
    const peer = peerSamples.length
      ? `${ratios(
          of('decode'),
          peerSamples.map(({decode}) => decode),
        ).toFixed(1)}×`
      : '–';
    return `| ${model.type ?? ''} | ${count === 'auto' ? `auto: ${shards.each.length}` : count} | ${shards.transport ?? '–'} | ${median(of('decode')).toPrecision(3)} tok/s | ${against('decode')} | ${Math.round(read * 100)} % | ${median(of('prefill')).toPrecision(3)} tok/s | ${against('prefill')} | ${exchange.toFixed(0)} µs | ${peer} |`;
  });
}

function markdownOf(results, chosen) {
  const [{environment, diagnostics, memory}] = results;
  const [{core}] = diagnostics;
  const revision = `${environment.revision}${environment.uncommittedChanges ? ' with changes' : ''}`;
  return [
    `### ${chosen.shape}, ${core.variant} core, page ${chosen.isolated ? '' : 'not '}isolated`,
    '',
    `- ${environment.date}, revision ${revision}; prefill of ${chosen.prompt} tokens, decode of ${chosen.tokens}, ${chosen.repetitions} repetitions after a warm-up in turns, medians; ratios repetition by repetition`,
    `- ${environment.browser} (headless), ${environment.processor}, ${environment.processorCount} cores, load average before ${environment.loadAverage.toFixed(2)}`,
    `- one Worker reads ${median(memory.one).toPrecision(3)} GB/s, two at once ${median(memory.two).toPrecision(3)} GB/s`,
    '',
    '| type | shards | over | decode | of one shard | of as many Workers reading | prefill | of one shard | an exchange, waiting included | decode of wllama, 1 thread |',
    '|---|---|---|---:|---:|---:|---:|---:|---:|---:|',
    ...results.flatMap((result) => rowsOf(result, chosen)),
    '',
  ].join('\n');
}

const chosen = options();
const results = [];
for (const type of chosen.types) {
  const model = {...syntheticModel({shape: chosen.shape, type}), type};
  results.push(await measure(model, chosen));
}
const markdown = markdownOf(results, chosen);
process.stdout.write(`${markdown}\n`);
if (chosen.json) {
  mkdirSync(dirname(chosen.json), {recursive: true});
  writeFileSync(chosen.json, `${JSON.stringify({schema: 1, options: chosen, results}, null, 2)}\n`);
}
if (chosen.docs) {
  const place = `shards ${chosen.shape}${chosen.core ? ` ${chosen.core}` : ''}${chosen.isolated ? ' isolated' : ''}`;
  writeDocsSection(place, markdown);
}
