import assert from 'node:assert/strict';
import {isolationHeaders} from '../static-server.mjs';
import {visit} from '../visit.mjs';

/** Each way in which a page gets the script, and so its further Workers. */
const pages = {
  'on a plain page': {options: {}, tag: '', transport: 'ports'},
  'on an isolated page': {options: {headers: isolationHeaders}, tag: '', transport: 'shared'},
  'with the script from another origin': {
    options: {delivery: 'dropInElsewhere'},
    tag: '',
    transport: 'ports',
  },
  'with a self-hosted Worker': {
    options: {},
    tag: 'worker-src="/gguf-chat.worker.js"',
    transport: 'ports',
  },
};

/** How the resident model is divided. */
const divided = (visitor) =>
  visitor.page.evaluate(async () => (await document.querySelector('gguf-chat').runtime.diagnostics()).shards);

async function answerOf(setting, {options, tag}, shards) {
  let answer = '';
  let shape = null;
  const attributes = `src="/model.gguf" max-tokens="20" shards="${shards}" ${tag}`;
  await visit(setting, {...options, tag: attributes}, async (visitor) => {
    await visitor.load();
    await visitor.say('Once upon a time');
    await visitor.waitForAnswer();
    answer = (await visitor.messages())[1].content;
    shape = await divided(visitor);
    visitor.assertNoProblems();
  });
  return {answer, shape};
}

async function sameAnswer(setting, page) {
  const one = await answerOf(setting, page, 1);
  assert.deepEqual([one.shape.transport, one.shape.each.length], [null, 1]);
  const three = await answerOf(setting, page, 3);
  assert.deepEqual([three.shape.transport, three.shape.each.length], [page.transport, 3]);
  assert.ok(three.shape.each.every(({wasmBytes, exchanges}) => wasmBytes > 0 && exchanges > 0));
  assert.equal(three.answer, one.answer);
}

/** Stops answers at any moment, and goes on, through shared memory. */
async function stopAndGoOn(setting) {
  const options = {headers: isolationHeaders, tag: 'src="/slow.gguf" shards="3"'};
  await visit(setting, options, async (visitor) => {
    await visitor.load();
    for (let round = 1; round <= 5; round++) {
      await visitor.say(`question ${round}`);
      await new Promise((resolve) => setTimeout(resolve, 40 * round));
      await visitor.page.keyboard.press('Escape');
      await visitor.waitForStatus('ready');
    }
    assert.equal((await divided(visitor)).transport, 'shared');
    visitor.assertNoProblems();
  });
}

export const shards = [
  ...Object.entries(pages).map(([name, page]) => ({
    name: `several shards ${name}`,
    run: (setting) => sameAnswer(setting, page),
  })),
  {name: 'several shards, stopped again and again', run: stopAndGoOn},
];
