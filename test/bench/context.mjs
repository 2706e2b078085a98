/**
 * How much slower decode is where the context is long:
 *
 *   node test/bench/context.mjs [--shape llama-3.2-1b] [--type Q8_0] [--kv-type f16,q8_0] [--core relaxed|baseline]
 *                               [--contexts 128,4096] [--tokens 32] [--repetitions 7] [--json FILE] [--docs]
 *
 * The last of `--tokens` tokens reaches the length of the context. Each length has a model of its own in a Worker of its
 * own, and they take turns. Needs "npm run build" and, for each length, the memory of the model.
 */
import {mkdirSync, writeFileSync} from 'node:fs';
import {basename, dirname} from 'node:path';
import {parseArgs} from 'node:util';
import {openPage} from './browser-page.mjs';
import {writeDocsSection} from './docs-section.mjs';
import {describeEnvironment} from './environment.mjs';
import {summarize} from './statistics.mjs';
import {syntheticModel} from './synthetic-model.mjs';

function options() {
  const {values} = parseArgs({
    options: {
      shape: {type: 'string', default: 'llama-3.2-1b'},
      type: {type: 'string', default: 'Q8_0'},
      'kv-type': {type: 'string', default: 'f16,q8_0'},
      core: {type: 'string'},
      contexts: {type: 'string', default: '128,4096'},
      tokens: {type: 'string', default: '32'},
      repetitions: {type: 'string', default: '7'},
      json: {type: 'string'},
      docs: {type: 'boolean', default: false},
    },
  });
  const contexts = values.contexts.split(',').map(Number);
  const [tokens, repetitions] = [Number(values.tokens), Number(values.repetitions)];
  if (!contexts.every((length) => Number.isSafeInteger(length) && length > tokens)) {
    throw new Error(`--contexts must be whole numbers above ${tokens}, not "${values.contexts}"`);
  }
  if (!(tokens >= 2 && repetitions >= 1))
    throw new Error('--tokens must be 2 or more, --repetitions 1 or more');
  return {...values, kvTypes: values['kv-type'].split(','), contexts, tokens, repetitions};
}

/** Milliseconds a token at every length of context, with one type of cache. */
async function measure(model, kvType, {core, contexts, tokens, repetitions}) {
  const page = await openPage('test/bench/page/context.html');
  try {
    const environment = describeEnvironment(page.browserVersion);
    let diagnostics;
    for (const context of contexts) {
      process.stderr.write(`${kvType}: filling a context of ${context}\n`);
      diagnostics = await page.call('open', {
        model: `/test/bench/models/${basename(model.path)}`,
        ...(core === undefined ? {} : {core}),
        kvType,
        contextLength: Math.max(...contexts),
        length: context - tokens + 1,
      });
    }
    const samples = contexts.map(() => []);
    for (let repetition = 0; repetition <= repetitions; repetition++) {
      for (const index of contexts.keys()) {
        const ms = await page.call('decode', index, tokens);
        if (repetition > 0) samples[index].push(ms);
      }
    }
    const decode = samples.map((times) =>
      summarize(
        'tok/s',
        times.map((ms) => 1000 / ms),
      ),
    );
    return {kvType, environment, diagnostics, decode};
  } finally {
    await page.close();
  }
}

function markdownOf(results, {shape, type, contexts, tokens, repetitions}) {
  const [{environment, diagnostics}] = results;
  const {core} = diagnostics;
  const rows = results.map(({kvType, decode, diagnostics: {memory}}) => {
    const medians = decode.map(({median}) => median);
    const rates = medians.map((median) => `${median.toPrecision(3)} tok/s`);
    const share = Math.round((medians.at(-1) / medians[0]) * 100);
    return `| ${kvType} | ${(memory.plan.kvCache / 1e6).toFixed(1)} MB | ${rates.join(' | ')} | **${share} %** |`;
  });
  return [
    `### ${shape}, ${type}, ${core.variant} core`,
    '',
    `- ${environment.date}, revision ${environment.revision}${environment.uncommittedChanges ? ' with changes' : ''}; ${tokens} tokens, ${repetitions} repetitions after a warm-up, medians`,
    `- ${environment.browser} (headless), ${environment.processor}, ${environment.processorCount} cores, load average before ${environment.loadAverage.toFixed(2)}; core ${core.sha256.slice(0, 12)}`,
    '',
    `| KV cache | its bytes | ${contexts.map((context) => `decode at ${context}`).join(' | ')} | of the first |`,
    `|---|---:|${contexts.map(() => '---:|').join('')}---:|`,
    ...rows,
    '',
  ].join('\n');
}

const chosen = options();
const model = syntheticModel({
  shape: chosen.shape,
  type: chosen.type,
  contextLength: Math.max(4096, ...chosen.contexts),
});
const results = [];
for (const kvType of chosen.kvTypes) results.push(await measure(model, kvType, chosen));
const markdown = markdownOf(results, chosen);
process.stdout.write(`${markdown}\n`);
if (chosen.json) {
  mkdirSync(dirname(chosen.json), {recursive: true});
  writeFileSync(chosen.json, `${JSON.stringify({schema: 1, options: chosen, model, results}, null, 2)}\n`);
}
if (chosen.docs) writeDocsSection('context', markdown);
