/**
 * Asks the built-in model the held-out questions, in Chromium, through the public API, and prints the score per topic:
 * with the headless runtime at temperature 0, and with the element as it is by default.
 *
 *   npm run eval:demo -- [--questions FILE] [--model FILE] [--temperature T] [--failures] [--json FILE]
 *
 * `--temperature` adds a third run of the runtime (top-p 0.95). Fails below the scores in `required`.
 */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {parseArgs} from 'node:util';
import puppeteer from 'puppeteer-core';
import {builtScripts, serve} from '../e2e/static-server.mjs';
import {chromiumFlags, findChromium} from '../helpers/find-browser.mjs';
import {problemOf, shortcomings} from './grade.mjs';

const print = (text) => process.stdout.write(`${text}\n`);
const project = join(import.meta.dirname, '../..');
/** Shares of the questions that must pass. */
const required = {help: 0.95, all: 0.85};
const maxTokens = 400;

const {values: options} = parseArgs({
  options: {
    questions: {type: 'string', default: join(import.meta.dirname, 'held-out.jsonl')},
    model: {type: 'string', default: join(project, 'demo/model/pip.gguf')},
    temperature: {type: 'string'},
    failures: {type: 'boolean', default: false},
    json: {type: 'string'},
  },
});

function readQuestions(file) {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line, index) => {
    const question = JSON.parse(line);
    const problem = problemOf(question);
    if (problem) throw new Error(`${file}:${index + 1} ${problem}`);
    return question;
  });
}

function openSite(model) {
  const body = `<!doctype html><html lang="en"><title>Evaluation</title>
<script type="module" src="/gguf-chat.js"></script><gguf-chat src="/model.gguf"></gguf-chat>`;
  return serve(
    new Map([
      ['/', {body, type: 'text/html'}],
      ['/favicon.ico', {body: '', type: 'image/x-icon'}],
      ...builtScripts(),
      ['/model.gguf', {file: model}],
    ]),
  );
}

/** Runs in the page. @returns {Promise<string[]>} the last answer to each question */
async function askRuntime(questions, sampling, maxTokens) {
  const {GgufRuntime} = await import('/runtime.js');
  const runtime = await GgufRuntime.boot();
  await runtime.loadModel('/model.gguf');
  const answers = [];
  for (const {system, turns} of questions) {
    const messages = system === undefined ? [] : [{role: 'system', content: system}];
    for (const content of turns) {
      messages.push({role: 'user', content});
      const {text} = await runtime.generate({messages, maxTokens, sampling}).result;
      messages.push({role: 'assistant', content: text});
    }
    answers.push(messages.at(-1).content);
  }
  runtime.terminate();
  return answers;
}

/** Runs in the page: the same through the tag, with no attribute but `src` and `system-prompt`. */
async function askElement(questions) {
  const chat = document.querySelector('gguf-chat');
  await chat.load();
  const answers = [];
  for (const {system, turns} of questions) {
    await chat.clear();
    chat.systemPrompt = system ?? '';
    let answer;
    for (const text of turns) answer = await chat.send(text);
    answers.push(answer.content);
  }
  await chat.unload();
  return answers;
}

/** Score per topic; "help" adds up the topics of help with the tag. */
function scores(questions, answers) {
  const table = new Map();
  const count = (topic, passed) => {
    const row = table.get(topic) ?? {passed: 0, of: 0};
    row.of++;
    if (passed) row.passed++;
    table.set(topic, row);
  };
  questions.forEach(({topic, expect}, index) => {
    const passed = shortcomings(answers[index], expect).length === 0;
    count(topic, passed);
    if (topic.startsWith('help/')) count('help', passed);
    count('all', passed);
  });
  return table;
}

function printTable(runs) {
  const topics = [...runs[0].table.keys()].sort(
    (a, b) => Number(a === 'all') - Number(b === 'all') || (a < b ? -1 : 1),
  );
  print(`| topic | questions | ${runs.map(({name}) => name).join(' | ')} |`);
  print(`|---|---:|${runs.map(() => '---:').join('|')}|`);
  for (const topic of topics) {
    const cells = runs.map(({table}) => {
      const {passed, of} = table.get(topic);
      return `${passed} (${((100 * passed) / of).toFixed(1)} %)`;
    });
    print(`| ${topic} | ${runs[0].table.get(topic).of} | ${cells.join(' | ')} |`);
  }
}

function printFailures(questions, {name, answers}) {
  print(`\nfailed, ${name}:`);
  questions.forEach(({id, topic, system, turns, expect}, index) => {
    const found = shortcomings(answers[index], expect);
    if (found.length === 0) return;
    const asked = [...(system === undefined ? [] : [`[${system}]`]), ...turns].join(' / ');
    print(
      `- ${topic} ${id}: ${asked}\n    → ${answers[index].replaceAll('\n', '⏎')}\n    ${found.join('; ')}`,
    );
  });
}

const questions = readQuestions(options.questions);
const site = await openSite(options.model);
const browser = await puppeteer.launch({
  executablePath: findChromium(),
  args: chromiumFlags,
  protocolTimeout: 0,
});
const page = await browser.newPage();
page.on('pageerror', (error) => print(String(error)));
await page.goto(site.origin);
await page.waitForFunction(() => customElements.get('gguf-chat') !== undefined);
const runs = [
  {name: 'temperature 0', answers: await page.evaluate(askRuntime, questions, {temperature: 0}, maxTokens)},
  {name: 'element, default', answers: await page.evaluate(askElement, questions)},
];
if (options.temperature !== undefined) {
  const temperature = Number(options.temperature);
  const answers = await page.evaluate(askRuntime, questions, {temperature, topP: 0.95}, maxTokens);
  runs.push({name: `temperature ${temperature}`, answers});
}
await browser.close();
await site.close();
for (const run of runs) run.table = scores(questions, run.answers);
printTable(runs);
if (options.failures) for (const run of runs) printFailures(questions, run);
if (options.json) {
  const results = questions.map((question, index) => ({
    ...question,
    answers: Object.fromEntries(runs.map(({name, answers}) => [name, answers[index]])),
  }));
  writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
}
const share = (table, topic) => table.get(topic).passed / table.get(topic).of;
const missed = runs.slice(0, 2).flatMap(({name, table}) =>
  Object.entries(required)
    .filter(([topic, least]) => table.has(topic) && share(table, topic) < least)
    .map(([topic, least]) => `${topic} below ${100 * least} % (${name})`),
);
print(missed.length === 0 ? 'the required scores are reached' : `MISSED: ${missed.join(', ')}`);
process.exitCode = missed.length === 0 ? 0 : 1;
