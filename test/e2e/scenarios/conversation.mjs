import assert from 'node:assert/strict';
import {visit} from '../visit.mjs';

/** Load, talk, stop, talk again: the whole life, for each way in which a page gets the script. */
async function wholeLife(setting, delivery) {
  await visit(setting, {delivery, tag: 'src="/model.gguf" max-tokens="40"'}, async (visitor, site) => {
    assert.equal(await visitor.property('status'), 'idle');
    assert.ok(!site.requests.some(({path}) => path === '/model.gguf'), 'nothing is downloaded unasked');
    await visitor.load();

    await visitor.say('Once upon a time');
    await visitor.waitForAnswer();
    const [question, answer] = await visitor.messages();
    assert.deepEqual([question.role, question.content], ['user', 'Once upon a time']);
    assert.equal(answer.role, 'assistant');
    assert.ok(answer.content.length > 0);
    assert.ok(
      (await visitor.visibleText()).includes(answer.content.trim().slice(0, 20)),
      'the answer is shown',
    );
    assert.ok((await visitor.events('gguf-token')).length > 1, 'tokens stream');

    await visitor.say('And then?');
    await visitor.waitForAnswer(2);
    const usage = await visitor.property('usage');
    assert.ok(usage.cachedTokens > 0, 'the second prompt reuses the context');
    assert.ok(usage.cachedTokens < usage.promptTokens);
    visitor.assertNoProblems();
  });
}

/** Stops an answer in its middle by `press`; what was written stays, and the conversation goes on. */
async function stopInTheMiddle(setting, press) {
  await visit(setting, {tag: 'src="/slow.gguf"'}, async (visitor) => {
    await visitor.load();
    await visitor.say('hello');
    await visitor.page.waitForFunction(
      () => globalThis.ggufEvents.filter(({name}) => name === 'gguf-token').length > 5,
    );
    await press(visitor);
    await visitor.waitForStatus('ready');
    const [, answer] = await visitor.messages();
    assert.equal(answer.finishReason, 'cancelled');
    const [end] = await visitor.events('gguf-generate-end');
    assert.equal(end.detail.result.text, answer.content);
    assert.ok(end.detail.result.tokens.length >= 5, 'what was written stays');
    const focused = await visitor.page.evaluate(() => document.activeElement?.localName);
    assert.equal(focused, 'gguf-chat', 'focus stays in the chat');

    await visitor.say('go on');
    await visitor.page.waitForFunction(() => document.querySelector('gguf-chat').status === 'generating');
    await visitor.page.keyboard.press('Escape');
    await visitor.waitForStatus('ready');
    assert.equal((await visitor.messages()).length, 4);
    assert.ok((await visitor.property('usage')).cachedTokens > 0, 'the stopped context is reused');
    visitor.assertNoProblems();
  });
}

async function cancelDownload(setting) {
  await visit(setting, {tag: 'src="/slow.gguf"', bytesPerSecond: 2_000_000}, async (visitor, site) => {
    await visitor.click('button', 'Load model');
    await visitor.click('button', 'Cancel');
    await visitor.waitForStatus('idle');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const download = site.requests.find(({path}) => path === '/slow.gguf');
    assert.ok(download?.aborted, 'the request itself is ended');
    assert.equal(await visitor.property('error'), null);
    visitor.assertNoProblems();
  });
}

/** Moving the element in the document, and even taking it out for a moment, does not end the answer. */
async function moveWhileGenerating(setting) {
  await visit(setting, {tag: 'src="/slow.gguf" max-tokens="60"'}, async (visitor) => {
    await visitor.load();
    await visitor.say('hello');
    await visitor.page.waitForFunction(() => globalThis.ggufEvents.some(({name}) => name === 'gguf-token'));
    await visitor.page.evaluate(async () => {
      const chat = document.querySelector('gguf-chat');
      chat.remove();
      await new Promise((resolve) => setTimeout(resolve, 100));
      document.body.append(chat);
    });
    await visitor.waitForAnswer();
    const [, answer] = await visitor.messages();
    assert.notEqual(answer.finishReason, 'cancelled');
    assert.ok((await visitor.visibleText()).length > 0);
    visitor.assertNoProblems();
  });
}

/** Two chats on a page, each with its model: both answer at once, and the end of one is none of the other. */
async function twoChats(setting) {
  await visit(setting, {tag: 'src="/model.gguf" max-tokens="20"'}, async (visitor) => {
    const answers = await visitor.page.evaluate(async () => {
      const first = document.querySelector('gguf-chat');
      const second = first.cloneNode();
      first.after(second);
      await Promise.all([first.load(), second.load()]);
      const both = await Promise.all([first.send('hello'), second.send('hello')]);
      second.remove();
      return [...both, await first.send('and then?')];
    });
    const [one, other, next] = answers.map(({content}) => content);
    assert.equal(one, other, 'the same model and prompt give the same answer');
    assert.ok(next.length > 0);
    visitor.assertNoProblems();
  });
}

export const conversation = [
  {
    name: 'a whole conversation, drop-in from the page’s origin',
    run: (setting) => wholeLife(setting, 'dropIn'),
  },
  {
    name: 'a whole conversation, drop-in from another origin',
    run: (setting) => wholeLife(setting, 'dropInElsewhere'),
  },
  {
    name: 'the Stop button in the middle of an answer',
    run: (setting) => stopInTheMiddle(setting, (visitor) => visitor.click('button', 'Stop')),
  },
  {
    name: 'Escape in the middle of an answer',
    run: (setting) => stopInTheMiddle(setting, (visitor) => visitor.page.keyboard.press('Escape')),
  },
  {name: 'Cancel while the model is downloaded', run: cancelDownload},
  {name: 'the element moves while it answers', run: moveWhileGenerating},
  {name: 'two chats on a page', run: twoChats},
];
