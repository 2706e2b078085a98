/**
 * The real peak of memory against the plan: what the page's process takes at most while a model is loaded from a URL and
 * answers, beside what it took before and what the plan said before anything was allocated. Linux only (/proc).
 *
 *   node test/bench/memory.mjs [--shape 215m] [--type Q8_0,Q4_K_M] [--context 2048] [--docs]
 *
 * Needs "npm run build".
 */
import {readFileSync, writeFileSync} from 'node:fs';
import {basename} from 'node:path';
import {parseArgs} from 'node:util';
import {openPage} from './browser-page.mjs';
import {writeDocsSection} from './docs-section.mjs';
import {describeEnvironment} from './environment.mjs';
import {Random} from './random.mjs';
import {syntheticModel} from './synthetic-model.mjs';
import {promptOfLength} from './vocabulary.mjs';

const {values: chosen} = parseArgs({
  options: {
    shape: {type: 'string', default: '215m'},
    type: {type: 'string', default: 'Q8_0,Q4_K_M'},
    context: {type: 'string', default: '2048'},
    docs: {type: 'boolean', default: false},
  },
});

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

/** Bytes of a line of the processes' status: `VmRSS`, or `VmHWM`, the most that it was since `forgetPeak`. */
const statusBytes = (pids, field) => pids.reduce((sum, pid) => sum + bytesOf(pid, field), 0);

function bytesOf(pid, field) {
  const [, kibibytes] = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(
    readFileSync(`/proc/${pid}/status`, 'utf8'),
  );
  return Number(kibibytes) * 1024;
}

const forgetPeak = (pid) => writeFileSync(`/proc/${pid}/clear_refs`, '5');

async function measure(type) {
  const {path, fileBytes} = syntheticModel({shape: chosen.shape, type});
  const page = await openPage('test/bench/page/index.html');
  try {
    const environment = describeEnvironment(page.browserVersion);
    const pids = await page.rendererPids();
    pids.forEach(forgetPeak);
    const before = statusBytes(pids, 'VmRSS');
    await page.call('loadOurs', {
      model: `/test/bench/models/${basename(path)}`,
      contextLength: Number(chosen.context),
    });
    const loaded = statusBytes(pids, 'VmHWM') - before;
    await page.call('runOurs', {prompt: promptOfLength(512, new Random('memory')), maxTokens: 64});
    const peak = statusBytes(pids, 'VmHWM') - before;
    const {memory} = await page.call('diagnoseOurs');
    return {environment, type, fileBytes, plan: memory.plan, loaded, peak};
  } finally {
    await page.close();
  }
}

function markdownOf(results) {
  const [{environment}] = results;
  return [
    `- ${environment.date}, revision ${environment.revision}${environment.uncommittedChanges ? ' with changes' : ''}; ${environment.browser} (headless), ${environment.processor}; ${chosen.shape}, context of ${chosen.context}`,
    '',
    '| type | file | plan | peak until loaded | peak after 512 + 64 tokens | of the plan |',
    '|---|---:|---:|---:|---:|---:|',
    ...results.map(
      ({type, fileBytes, plan, loaded, peak}) =>
        `| ${type} | ${megabytes(fileBytes)} | ${megabytes(plan.total)} | ${megabytes(loaded)} | ${megabytes(peak)} | **${(peak / plan.total).toFixed(2)}×** |`,
    ),
  ].join('\n');
}

const results = [];
for (const type of chosen.type.split(',')) results.push(await measure(type));
const markdown = markdownOf(results);
process.stdout.write(`${markdown}\n`);
if (chosen.docs) writeDocsSection('memory', markdown);
