/**
 * The same bits in every engine: logits and sampled tokens of a model of each weight type, in Chromium, in Firefox and in
 * WebKitGTK where they are installed, in every core that the engine can run.
 *
 *   node test/e2e/engines.mjs
 *
 * Needs "npm run build". Fails where anything differs; says what was not compared. On Debian:
 * "apt-get install --no-install-recommends firefox-esr webkit2gtk-driver xvfb".
 */
import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {syntheticModel} from '../bench/synthetic-model.mjs';
import {tensorTypes} from '../bench/tensor-types.mjs';
import {launchers} from './launchers.mjs';
import {builtScripts, serve} from './static-server.mjs';

const print = (text) => process.stdout.write(`${text}\n`);
const types = Object.keys(tensorTypes);
/** Type → digest → the engines and cores that computed it. */
const found = new Map(types.map((type) => [type, new Map()]));
const notCompared = [];

/** Every type in one core. */
async function compute(browser, core) {
  for (const type of types) {
    const {digest, relaxedDot, unsupported} = await browser.call('digest', [type, core]);
    if (unsupported !== undefined) {
      // Every engine that runs at all has this one.
      if (core === 'baseline') throw new Error(`${browser.version}: ${unsupported}`);
      notCompared.push(`${browser.version}, ${core} core: ${unsupported}`);
      return;
    }
    const where = `${browser.version}, ${core} core${relaxedDot ? `, relaxed dot ${relaxedDot}` : ''}`;
    if (type === types[0]) print(where);
    const digests = found.get(type);
    digests.set(digest, [...(digests.get(digest) ?? []), where]);
  }
}

async function computeEverywhere(origin) {
  for (const {launch} of launchers(notCompared)) {
    const browser = await launch();
    try {
      await browser.goto(origin);
      for (const core of ['relaxed', 'baseline']) await compute(browser, core);
    } finally {
      await browser.close();
    }
  }
}

/** One digest, and more than one that computed it. */
function isSame(digests) {
  const [engines = [], ...others] = digests.values();
  return engines.length > 1 && others.length === 0;
}

/** Prints the digests of every type and what is missing; returns the types that were not the same. */
function report() {
  for (const [type, digests] of found) {
    for (const [digest, engines] of digests) {
      const where = digests.size === 1 ? `${engines.length} times` : engines.join('; ');
      print(`  ${type.padEnd(7)} ${digest}  ${where}`);
    }
  }
  for (const what of notCompared) print(`NOT compared: ${what}`);
  return types.filter((type) => !isSame(found.get(type)));
}

const folder = mkdtempSync(join(tmpdir(), 'gguf-chat-types-'));
const modelFile = (type) => {
  const path = join(folder, `${type}.gguf`);
  return syntheticModel({shape: 'smoke', type, contextLength: 256, path}).path;
};
const site = await serve(
  new Map([
    [
      '/',
      {
        body: '<!doctype html><title>Engines</title><script type="module" src="/engines-page.js"></script>',
        type: 'text/html',
      },
    ],
    ['/engines-page.js', {file: join(import.meta.dirname, 'engines-page.js')}],
    ...builtScripts(),
    ...types.map((type) => [`/${type}.gguf`, {file: modelFile(type)}]),
  ]),
);
try {
  await computeEverywhere(site.origin);
} finally {
  await site.close();
  rmSync(folder, {recursive: true});
}
const different = report();
print(
  different.length === 0
    ? `${types.length} types: the same bits everywhere`
    : `NOT the same: ${different.join(', ')}`,
);
process.exitCode = different.length === 0 ? 0 : 1;
