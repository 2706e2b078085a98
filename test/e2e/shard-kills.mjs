/**
 * Ends a random shard at a random moment of an answer, again and again, in the page with the tag:
 *
 *   node test/e2e/shard-kills.mjs [--kills 100] [--seed 1]
 *
 * Each time there must be a clean error within a second, and one click must bring the model back; in the end there must be as many
 * Workers and about as much memory as at the beginning. Needs "npm run build".
 */
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {Random} from '../bench/random.mjs';
import {percentile} from '../bench/statistics.mjs';
import {syntheticModel} from '../bench/synthetic-model.mjs';
import {launch} from './download-site.mjs';
import {builtScripts, serve} from './static-server.mjs';

const {values} = parseArgs({
  options: {kills: {type: 'string', default: '100'}, seed: {type: 'string', default: '1'}},
});
const kills = Number(values.kills);
const shards = 3;
const boundMs = 1000;
/** Of the memory of the page's process, what may come and go. */
const memoryTolerance = 0.25;
const print = (text) => process.stdout.write(`${text}\n`);

const folder = mkdtempSync(join(tmpdir(), 'gguf-chat-shard-kills-'));
const file = join(folder, 'model.gguf');
syntheticModel({shape: 'smoke', type: 'Q8_0', contextLength: 4096, path: file});
const html = `<!doctype html><title>Kills</title><script type="module" src="/gguf-chat.js"></script>
<gguf-chat src="/model.gguf" shards="${shards}" style="block-size: 90vh"></gguf-chat>`;
const server = await serve(
  new Map([['/', {body: html, type: 'text/html'}], ['/model.gguf', {file}], ...builtScripts()]),
);
const browser = await launch();
const page = await browser.newPage();
await page.goto(`${server.origin}/`);
await page.waitForFunction(() => customElements.get('gguf-chat'));
await page.evaluate(() => document.querySelector('gguf-chat').load());

/** Resident bytes of the process that runs the page and its Workers. */
async function residentBytes() {
  const client = await browser.target().createCDPSession();
  const {processInfo} = await client.send('SystemInfo.getProcessInfo');
  await client.detach();
  const sizes = processInfo
    .filter(({type}) => type === 'renderer')
    .map(
      ({id}) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1] ?? 0) * 1024,
    );
  return Math.max(...sizes);
}

const random = new Random(Number(values.seed));
const times = [];
const problems = [];
let atFirst = 0;
for (let round = 0; round < kills; round++) {
  // The first rounds fill caches of the engine.
  if (round === Math.min(10, Math.floor(kills / 2))) atFirst = await residentBytes();
  const workers = page.workers().filter((worker) => worker.url() !== '');
  if (workers.length !== shards)
    problems.push(`round ${round}: ${workers.length} Workers instead of ${shards}`);
  await page.evaluate(() => {
    const chat = document.querySelector('gguf-chat');
    globalThis.failure = null;
    chat.addEventListener(
      'gguf-error',
      ({detail}) =>
        (globalThis.failure = {name: detail.error.name, at: performance.timeOrigin + performance.now()}),
      {once: true},
    );
    globalThis.answer = chat.send('hello', {maxTokens: 4000}).catch(() => null);
  });
  await new Promise((resolve) => setTimeout(resolve, random.next() * 300));
  // Not the first one, which is the runtime itself.
  const victim = workers[1 + random.integer(0, shards - 1)];
  const killed = Date.now();
  void victim.evaluate(() => self.close()).catch(() => undefined);
  try {
    await page.waitForFunction(() => globalThis.failure !== null, {timeout: 5000, polling: 20});
  } catch {
    problems.push(`round ${round}: no error within 5 s`);
    break;
  }
  const failure = await page.evaluate(() => globalThis.failure);
  times.push(failure.at - killed);
  if (failure.name !== 'shard-failed') problems.push(`round ${round}: ${failure.name}`);
  if (failure.at - killed > boundMs) problems.push(`round ${round}: after ${failure.at - killed} ms`);
  await page.evaluate(() => {
    const root = document.querySelector('gguf-chat').shadowRoot;
    root.querySelector('[part~="retry-button"], [part~="load-button"]').click();
  });
  try {
    await page.waitForFunction(() => document.querySelector('gguf-chat').status === 'ready', {
      timeout: 10_000,
    });
  } catch {
    problems.push(`round ${round}: not ready again`);
    break;
  }
  await page.evaluate(() => document.querySelector('gguf-chat').clear());
}
const atLast = await residentBytes();
const left = page.workers().length;
if (left !== shards) problems.push(`${left} Workers in the end`);
if (atLast > atFirst * (1 + memoryTolerance)) problems.push(`${atFirst} bytes became ${atLast}`);
await browser.close();
server.close();
rmSync(folder, {recursive: true});
for (const problem of problems) print(`FAILED  ${problem}`);
const ms = (share) => percentile(times, share).toFixed(0);
print(
  `${times.length} shards ended, ${problems.length} problems; error after ${ms(0.5)} ms (median), ${ms(0.99)} ms (p99); ` +
    `memory ${(atFirst / 1e6).toFixed(0)} MB, then ${(atLast / 1e6).toFixed(0)} MB; ${left} Workers`,
);
process.exitCode = problems.length > 0 ? 1 : 0;
