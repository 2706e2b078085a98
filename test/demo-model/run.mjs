/**
 * The recipe of the built-in model: its topic files hold together, none of the held-out questions can be produced from
 * them, and a short training gives, twice, the same file, which the runtime loads and whose tokens are the recipe's.
 *
 *   node test/demo-model/run.mjs        (after "npm run build")
 *
 * Needs Python 3; the training needs PyTorch and NumPy as well (`PYTHON` names an interpreter that has them). Says what
 * did not run.
 */
import assert from 'node:assert/strict';
import {spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import puppeteer from 'puppeteer-core';
import {builtScripts, serve} from '../e2e/static-server.mjs';
import {chromiumFlags, findChromium} from '../helpers/find-browser.mjs';

const print = (text) => process.stdout.write(`${text}\n`);
const project = join(import.meta.dirname, '../..');
const recipe = join(project, 'demo/model');
const evaluation = join(project, 'test/eval');
const interpreters = [process.env.PYTHON, 'python3', '/usr/bin/python3', 'python'].filter(Boolean);
const brief = ['--steps', '3', '--tokenizer-dialogues', '600'];
const samples = [
  'How do I set the temperature?',
  ' "0.7"\n\n```html\n<gguf-chat>',
  "I'm  42, naïve\t你好 <|end|>",
];

/** The first interpreter that has these modules. */
function findPython(modules) {
  return interpreters.find((python) => spawnSync(python, ['-c', `import ${modules}`]).status === 0);
}

function run(python, args) {
  const {status, stdout, stderr} = spawnSync(python, args, {cwd: recipe, encoding: 'utf8'});
  assert.equal(status, 0, `${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

/** Runs in the page. */
async function tryModel(samples) {
  const {GgufRuntime} = await import('/runtime.js');
  const runtime = await GgufRuntime.boot();
  const info = await runtime.loadModel('/model.gguf');
  const tokens = [];
  for (const text of samples)
    tokens.push(await runtime.tokenize(text, {addSpecial: false, parseSpecial: false}));
  const messages = [{role: 'user', content: 'hello'}];
  const {usage} = await runtime.generate({messages, maxTokens: 5, ignoreEndOfGeneration: true}).result;
  runtime.terminate();
  return {hasChatTemplate: info.hasChatTemplate, tokens, generated: usage.completionTokens};
}

async function inBrowser(file) {
  const site = await serve(
    new Map([
      ['/', {body: '<!doctype html><title>Model</title>', type: 'text/html'}],
      ['/model.gguf', {file}],
      ...builtScripts(),
    ]),
  );
  const browser = await puppeteer.launch({executablePath: findChromium(), args: chromiumFlags});
  try {
    const page = await browser.newPage();
    await page.goto(site.origin);
    return await page.evaluate(tryModel, samples);
  } finally {
    await browser.close();
    await site.close();
  }
}

const tests = {
  'the topic files hold together': {needs: 'json', test: (python) => run(python, ['check_topics.py'])},
  'no held-out question can be produced from them': {
    needs: 'json',
    test: (python) => run(python, ['check_held_out.py', join(evaluation, 'held-out.jsonl')]),
  },
  'a training of three steps, twice: the same file, which loads, with the same tokens': {
    needs: 'torch, numpy',
    async test(python) {
      const folder = mkdtempSync(join(tmpdir(), 'gguf-chat-training-'));
      const [first, second] = ['first.gguf', 'second.gguf'].map((name) => join(folder, name));
      for (const file of [first, second]) run(python, ['train.py', '--out', file, ...brief]);
      assert.ok(readFileSync(first).equals(readFileSync(second)), 'the files are equal');
      const {hasChatTemplate, tokens, generated} = await inBrowser(first);
      assert.ok(hasChatTemplate);
      assert.equal(generated, 5);
      const script = `import json, sys, train; t = train.learn_tokens(1, train.Shape().vocabulary, 600)
print(json.dumps([t.encode(text) for text in json.loads(sys.argv[1])]))`;
      assert.deepEqual(tokens, JSON.parse(run(python, ['-c', script, JSON.stringify(samples)])));
      rmSync(folder, {recursive: true});
    },
  },
};

let passed = 0;
let failed = 0;
for (const [name, {needs, test}] of Object.entries(tests)) {
  const python = findPython(needs);
  if (!python) {
    print(`  NOT RUN ${name}: needs Python with ${needs}`);
    continue;
  }
  try {
    await test(python);
    passed++;
    print(`  ok      ${name}`);
  } catch (error) {
    failed++;
    print(`  FAILED  ${name}\n${error instanceof Error ? error.stack : String(error)}`);
  }
}
print(`demo model: ${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
