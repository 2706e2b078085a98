/**
 * Ends the browser's processes at random moments of a download, and starts it again with the same profile:
 *
 *   node test/e2e/kills.mjs [--kills 30] [--seed 1]
 *
 * Each time the store must be consistent, and the next load must give the right model and transfer no more than what was missing
 * and 4 MB. Needs "npm run build".
 */
import {rmSync} from 'node:fs';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import {Random} from '../bench/random.mjs';
import {launch, makeModel, megabyte, openTab, startPageServer} from './download-site.mjs';

const {values} = parseArgs({
  options: {kills: {type: 'string', default: '30'}, seed: {type: 'string', default: '1'}},
});
const print = (text) => process.stdout.write(`${text}\n`);
/** What may be lost: the journal's step, and what was on its way. */
const allowed = 5 * megabyte;
/** Pace of the server: a download takes about a second. */
const pace = 'chunk=262144&delay=12';

const {folder, bytes, remove} = makeModel();
const server = await startPageServer();
server.register('model.gguf', bytes);

async function open(userDataDir) {
  const browser = await launch(userDataDir);
  const {call} = await openTab(browser, server.origin);
  return {browser, call};
}

async function killed(browser) {
  const child = browser.process();
  const gone = new Promise((resolve) => child.once('exit', resolve));
  // The whole group: no process of the browser may tidy up.
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL');
  }
  await gone;
}

const profile = (name) => join(folder, name);
const reference = await open(profile('reference'));
const {digest: right} = await reference.call('load', `${server.origin}/model.gguf`, {withoutCache: true});
await reference.browser.close();

const random = new Random(Number(values.seed));
let failures = 0;
let largestLoss = 0;
for (let round = 0; round < Number(values.kills); round++) {
  const name = `${round}.gguf`;
  server.alias(name, 'model.gguf');
  const url = `${server.origin}/${name}?${pace}`;
  const userDataDir = profile(`round-${round}`);
  const first = await open(userDataDir);
  const loading = first.call('load', url, {}).catch(() => null);
  const delay = random.next() * 1400;
  await new Promise((resolve) => setTimeout(resolve, delay));
  await killed(first.browser);
  await loading;
  const before = server.sent(name);

  const second = await open(userDataDir);
  const entries = await second.call('list');
  const result = await second.call('load', url, {});
  const after = await second.call('list');
  await second.browser.close();
  const loss = server.sent(name) - bytes.length;
  largestLoss = Math.max(largestLoss, loss);
  const problems = [
    ...(result.digest === right ? [] : [`not the right model: ${result.error?.message ?? result.digest}`]),
    ...(loss <= allowed ? [] : [`${loss} bytes were transferred twice`]),
    ...(after.length === 1 && after[0].state === 'installed'
      ? []
      : [`the store has ${JSON.stringify(after)}`]),
  ];
  failures += problems.length > 0 ? 1 : 0;
  const state = entries[0] ? `${entries[0].state}, ${(entries[0].bytes / megabyte).toFixed(1)} MB` : 'empty';
  const what = `killed after ${delay.toFixed(0)} ms, ${(before / megabyte).toFixed(1)} MB sent; store ${state}; lost ${(Math.max(0, loss) / megabyte).toFixed(1)} MB`;
  print(
    `${problems.length > 0 ? 'FAILED ' : 'ok     '} ${what}${problems.map((problem) => `; ${problem}`).join('')}`,
  );
  rmSync(userDataDir, {recursive: true, force: true, maxRetries: 5});
}
await server.stop();
remove();
print(
  `${values.kills} kills, ${failures} failed, at most ${(largestLoss / megabyte).toFixed(1)} MB transferred twice`,
);
process.exitCode = failures > 0 ? 1 : 0;
