/**
 * Where the Worker's time goes in decode and in prefill: its shares by function of the core, from Chromium's sampling
 * profiler.
 *
 *   node test/bench/profile.mjs [--shape 215m] [--type Q8_0] [--core relaxed|baseline] [--tokens 256] [--prompt 512] [--docs]
 *
 * Needs "npm run build". What is not the core's is the Worker's JavaScript, the garbage collector, and waiting.
 */
import {readFileSync} from 'node:fs';
import {basename, join} from 'node:path';
import {parseArgs} from 'node:util';
import binaryen from 'binaryen';
import {openPage, repositoryRoot} from './browser-page.mjs';
import {writeDocsSection} from './docs-section.mjs';
import {describeEnvironment} from './environment.mjs';
import {Random} from './random.mjs';
import {syntheticModel} from './synthetic-model.mjs';
import {promptOfLength} from './vocabulary.mjs';

const {values: chosen} = parseArgs({
  options: {
    shape: {type: 'string', default: '215m'},
    type: {type: 'string', default: 'Q8_0'},
    core: {type: 'string'},
    tokens: {type: 'string', default: '256'},
    prompt: {type: 'string', default: '512'},
    docs: {type: 'boolean', default: false},
  },
});

/** The names under which the core exports functions, by the names that the profiler gives them. */
function exportNames(variant) {
  const binary = readFileSync(join(repositoryRoot, `wasm/build/core-${variant}.wasm`));
  const module = binaryen.readBinary(new Uint8Array(binary));
  const exports = Array.from({length: module.getNumExports()}, (_, index) =>
    binaryen.getExportInfo(module.getExportByIndex(index)),
  );
  // Functions have no names of their own in a stripped binary: binaryen and V8 number them alike.
  const names = new Map(exports.map(({name, value}) => [`wasm-function[${value}]`, name]));
  module.dispose();
  return names;
}

/** Milliseconds by export of the core, with all that it calls; what is outside of the core by what it is. */
function timeByFunction({nodes, samples, timeDeltas}, names) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({id, children = []}) => children.map((child) => [child, id])));
  const ownerOf = (id) => {
    for (let at = id; at !== undefined; at = parents.get(at)) {
      const name = names.get(byId.get(at).callFrame.functionName);
      if (name) return name;
    }
    const {functionName, url} = byId.get(id).callFrame;
    return functionName.startsWith('(')
      ? functionName
      : url.startsWith('wasm:')
        ? functionName
        : 'JavaScript';
  };
  const times = new Map();
  samples.forEach((id, index) => {
    const owner = ownerOf(id);
    times.set(owner, (times.get(owner) ?? 0) + timeDeltas[index] / 1000);
  });
  return times;
}

/** Profiles one call of a function of the page. */
async function profile(page, names, ...call) {
  const client = page.workers().at(-1).client;
  await client.send('Profiler.enable');
  await client.send('Profiler.setSamplingInterval', {interval: 100});
  await client.send('Profiler.start');
  const {timings} = await page.call(...call);
  const result = await client.send('Profiler.stop');
  return {timings, times: timeByFunction(result.profile, names)};
}

function table(title, times) {
  const total = [...times.values()].reduce((sum, ms) => sum + ms, 0);
  const rows = [...times]
    .sort(([, a], [, b]) => b - a)
    .filter(([, ms]) => ms >= total / 1000)
    .map(([name, ms]) => `| ${name} | ${((100 * ms) / total).toFixed(1)} % |`);
  return [`| ${title} | share |`, '|---|---:|', ...rows, ''].join('\n');
}

const model = syntheticModel({shape: chosen.shape, type: chosen.type});
const page = await openPage('test/bench/page/index.html');
try {
  const environment = describeEnvironment(page.browserVersion);
  const tokens = Number(chosen.tokens),
    prompt = Number(chosen.prompt);
  await page.call('loadOurs', {
    model: `/test/bench/models/${basename(model.path)}`,
    contextLength: prompt + tokens,
    ...(chosen.core && {core: chosen.core}),
  });
  const {core} = await page.call('diagnoseOurs');
  const text = (length) => promptOfLength(length, new Random('profile'));
  const names = exportNames(core.variant);
  const warmUp = await page.call('runOurs', {prompt: text(3), maxTokens: tokens});
  const decode = await profile(page, names, 'runOurs', {prompt: text(3), maxTokens: tokens});
  const prefill = await profile(page, names, 'runOurs', {prompt: text(prompt), maxTokens: 1});
  const markdown = [
    `### ${chosen.shape}, ${chosen.type}, ${core.variant} core`,
    '',
    `- ${environment.date}, revision ${environment.revision}${environment.uncommittedChanges ? ' with changes' : ''}; ${environment.browser} (headless), ${environment.processor}, load average before ${environment.loadAverage.toFixed(2)}`,
    `- sampled every 0.1 ms; ${tokens} tokens took ${decode.timings.decodeMs.toFixed(0)} ms (${warmUp.timings.decodeMs.toFixed(0)} ms without the profiler)`,
    '',
    table(`decode, ${tokens} tokens`, decode.times),
    table(`prefill, ${prompt} tokens`, prefill.times),
  ].join('\n');
  process.stdout.write(`${markdown}\n`);
  if (chosen.docs) writeDocsSection('profile', markdown);
} finally {
  await page.close();
}
