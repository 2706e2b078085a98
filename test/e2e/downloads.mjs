/**
 * Downloads that fail in every way (`test/helpers/fault-server.mjs`), from the page's own origin and from another one, in Chromium:
 *
 *   node test/e2e/downloads.mjs [--only TEXT]
 *
 * In each case either the right model is loaded or a clear error is given, the store is consistent, and the next attempt takes up
 * what is there: the bytes are counted. Needs "npm run build".
 */
import {createHash} from 'node:crypto';
import {parseArgs} from 'node:util';
import {FaultServer} from '../helpers/fault-server.mjs';
import {launch, makeModel, megabyte, openTab, startPageServer} from './download-site.mjs';

const {values} = parseArgs({options: {only: {type: 'string', default: ''}}});
const print = (text) => process.stdout.write(`${text}\n`);
const {bytes, remove} = makeModel();
const digestBytes = createHash('sha256').update(bytes).digest();
const integrity = `sha256-${digestBytes.toString('base64')}`;
const own = await startPageServer();
const other = await new FaultServer().start();
for (const server of [own, other]) {
  server.register('model.gguf', bytes);
  server.register('page.gguf', Buffer.from('<!doctype html><title>Not found</title>'.padEnd(2000)));
  server.register('short.gguf', bytes.subarray(0, 9 * megabyte));
}

/** Short waits, so that giving up takes a second. */
const request = {retryDelaysMs: [20, 40, 80, 160], timeoutMs: 700};
/** What a browser may throw away when a connection breaks. */
const lost = megabyte;
const half = Math.floor(bytes.length / 2);

/**
 * `query`: what goes wrong. `expect`: `loaded`, or the name of an error. `again`: what the next attempt gives, by default `loaded`,
 * and how many bytes of the body it may need at most.
 */
const cases = [
  ['nothing goes wrong', '', {expect: 'loaded', sent: bytes.length}],
  ['the connection is cut once, in the header', 'cut=1000&cuts=1', {expect: 'loaded', sent: bytes.length}],
  [
    'the connection is cut once, in the weights',
    `cut=${half}&cuts=1`,
    {expect: 'loaded', sent: bytes.length},
  ],
  ['the connection is cut four times', `cut=${2 * megabyte}&cuts=4`, {expect: 'loaded', sent: bytes.length}],
  ['the connection is cut at byte 0', 'cut=0&cuts=1', {expect: 'loaded'}],
  [
    'the connection is cut one byte before the end',
    `cut=${bytes.length - 1}&cuts=1`,
    {expect: 'loaded', sent: bytes.length},
  ],
  ['the connection is cut too often', `cut=${half}&cuts=1&status=503&statuses=0`, {expect: 'loaded'}],
  [
    'the connection breaks and the server is gone',
    `cut=${half}&cuts=1&gone=2`,
    {expect: 'network-failed', again: half + megabyte},
  ],
  ['the connection stalls once', `stall=${half}&stalls=1`, {expect: 'loaded'}],
  ['the connection stalls in the header', 'stall=500&stalls=1', {expect: 'loaded'}],
  ['the server says 503 once', 'status=503&statuses=1', {expect: 'network-status'}],
  ['the server says 503 when reading goes on', `cut=${half}&cuts=1`, {expect: 'loaded'}],
  ['the server says 404', 'status=404&statuses=1', {expect: 'network-status'}],
  ['the server says 403', 'status=403&statuses=1', {expect: 'network-status'}],
  ['the server says 429 once', 'status=429&statuses=1', {expect: 'network-status'}],
  ['the server knows no ranges', `norange&cut=${half}&cuts=1`, {expect: 'loaded'}],
  ['the server gives a wrong range', `badrange&cut=${half}&cuts=1`, {expect: 'network-status', again: null}],
  ['no validators, no cut', 'novalidator', {expect: 'loaded', sent: bytes.length}],
  [
    'no validators, one cut',
    `novalidator&cut=${half}&cuts=1`,
    {expect: 'network-truncated', again: bytes.length},
  ],
  [
    'a weak ETag only, one cut',
    `weak&cut=${half}&cuts=1`,
    {expect: 'network-truncated', again: bytes.length},
  ],
  ['Last-Modified only, one cut', `noetag&cut=${half}&cuts=1`, {expect: 'loaded', sent: bytes.length}],
  [
    'the file changes while it is downloaded',
    `cut=${half}&cuts=1&changeafter=2`,
    {expect: 'network-changed', again: null},
  ],
  ['Content-Length is too small', `length=${half}`, {expect: 'gguf-truncated', again: null}],
  [
    'Content-Length is too large',
    `length=${bytes.length + 5000}`,
    {expect: 'network-truncated', again: null},
  ],
  ['there is no Content-Length', 'nolength', {expect: 'loaded', sent: bytes.length}],
  ['there is no Content-Length, one cut', `nolength&cut=${half}&cuts=1`, {expect: 'loaded'}],
  ['the body is compressed', 'gzip', {expect: 'loaded'}],
  ['a redirect', 'redirect', {expect: 'loaded', sent: bytes.length}],
  ['a slow server', 'chunk=262144&delay=5', {expect: 'loaded', sent: bytes.length}],
  ['pieces of one byte at first', `cut=7&cuts=3`, {expect: 'loaded'}],
  ['a byte is wrong, and nobody checks', `corrupt=${half}&corruptuntil=1`, {expect: 'wrong', again: null}],
  [
    'a byte is wrong, with integrity',
    `corrupt=${half}&corruptuntil=1`,
    {expect: 'integrity-mismatch', options: {integrity}},
  ],
  ['all is right, with integrity', '', {expect: 'loaded', options: {integrity}}],
  ['integrity and a cut', `cut=${half}&cuts=1`, {expect: 'loaded', options: {integrity}}],
  ['integrity in hexadecimal', '', {expect: 'loaded', options: {integrity: digestBytes.toString('hex')}}],
  [
    'integrity of another file',
    '',
    {
      expect: 'integrity-mismatch',
      options: {integrity: `sha256-${Buffer.alloc(32).toString('base64')}`},
      again: 'integrity-mismatch',
    },
  ],
  [
    'integrity that is none',
    '',
    {expect: 'invalid-setting', options: {integrity: 'md5-x'}, again: 'invalid-setting', silent: true},
  ],
  ['an HTML page', '', {file: 'page.gguf', expect: 'not-gguf', again: 'not-gguf'}],
  ['a file that is too short', '', {file: 'short.gguf', expect: 'gguf-truncated', again: 'gguf-truncated'}],
  ['a file that is not there', '', {file: 'nothing.gguf', expect: 'network-status', again: 'network-status'}],
  [
    'a header is asked for',
    'token=secret',
    {expect: 'loaded', options: {request: {...request, headers: {'X-Token': 'secret'}}}},
  ],
  ['a header is missing', 'token=secret', {expect: 'network-status', again: 'network-status'}],
  ['without the store', '', {expect: 'loaded', options: {withoutCache: true}, stored: null}],
  [
    'without the store, one cut',
    `cut=${half}&cuts=1`,
    {expect: 'loaded', options: {withoutCache: true}, stored: null, sent: bytes.length},
  ],
];

const onlyElsewhere = [
  ['the origin is not allowed', 'nocors', {expect: 'network-failed', again: 'network-failed'}],
  [
    'the validators are hidden but Last-Modified',
    `hidden&cut=${half}&cuts=1`,
    {expect: 'loaded', sent: bytes.length},
  ],
];

const browser = await launch();
const {page, call} = await openTab(browser, own.origin);
const right = (
  await page.evaluate(async (url) => {
    const blob = await (await fetch(url)).blob();
    return globalThis.page.load(blob);
  }, `${own.origin}/model.gguf`)
).digest;
if (!right) throw new Error('the model cannot be loaded at all');

let passed = 0;
let caseNumber = 0;
const failed = [];

const outcome = ({digest, error}) => (error ? error.name : digest === right ? 'loaded' : 'wrong');

async function check(
  server,
  where,
  [
    name,
    query,
    {file = 'model.gguf', expect, options = {}, sent, again = bytes.length, stored, silent = false},
  ],
) {
  const title = `${where}: ${name}`;
  if (!title.includes(values.only)) return;
  // A file of its own: what an earlier answer still sends does not count here.
  const alias = `${++caseNumber}-${file}`;
  server.alias(alias, file);
  // So slow that the browser has little in its buffers when the connection breaks: it throws that away.
  const pace = query.includes('cut=') ? '&chunk=131072&delay=2' : '';
  const url = `${server.origin}/${alias}${query && `?${query}${pace}`}`;
  const problems = [];
  const all = {request, ...options};
  const first = await call('load', url, all);
  if (outcome(first) !== expect)
    problems.push(`${outcome(first)} instead of ${expect}: ${first.error?.message ?? ''}`);
  if (first.error && !silent && !/[\w/.:-]+/.test(first.error.message)) problems.push('no message');
  if (sent !== undefined && server.sent(alias) > sent + lost)
    problems.push(`${server.sent(alias)} bytes were sent, not ${sent}`);
  // The model before is there still.
  const resident = await call('resident');
  if (outcome(resident) !== (expect === 'wrong' ? 'wrong' : 'loaded'))
    problems.push(`the resident model is ${outcome(resident)}`);
  const entries = (await call('list')).filter((entry) => entry.url === url);
  const state = entries[0]?.state ?? null;
  if (stored !== undefined && state !== stored) problems.push(`stored as ${state}`);
  if (stored === undefined && ['loaded', 'wrong'].includes(expect) && state !== 'installed')
    problems.push(`stored as ${state}, not installed`);
  if (!['loaded', 'wrong'].includes(expect) && state === 'installed')
    problems.push('something was installed');
  if (again !== null) {
    // Without what went wrong once, or as it always goes.
    const before = server.sent(alias);
    server.mended = true;
    const second = await call('load', url, all);
    server.mended = false;
    const wanted = typeof again === 'string' ? again : 'loaded';
    if (outcome(second) !== wanted)
      problems.push(`then ${outcome(second)} instead of ${wanted}: ${second.error?.message ?? ''}`);
    const cost = server.sent(alias) - before;
    if (state === 'installed' && cost > 0 && cost > 1)
      problems.push(`${cost} bytes were sent for what is installed`);
    else if (typeof again === 'number' && cost > again + lost)
      problems.push(`then ${cost} bytes were sent, at most ${again}`);
  }
  await call('load', `${own.origin}/model.gguf`, {withoutCache: true});
  for (const entry of await call('list')) {
    const {error} = await call('remove', entry.id);
    if (error) problems.push(`cannot be removed: ${error.message}`);
  }
  if (problems.length === 0) {
    passed++;
    print(`ok      ${title}`);
  } else {
    failed.push(title);
    print(`FAILED  ${title}: ${problems.join('; ')}`);
  }
}

for (const each of cases) await check(own, 'same origin', each);
for (const each of [...cases, ...onlyElsewhere]) await check(other, 'another origin', each);

await browser.close();
await Promise.all([own.stop(), other.stop()]);
remove();
print(`downloads: ${passed} passed, ${failed.length} failed`);
process.exitCode = failed.length > 0 ? 1 : 0;
