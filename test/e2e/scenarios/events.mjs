import assert from 'node:assert/strict';
import {visit} from '../visit.mjs';

/** Events come in the documented order, with the documented details. */
async function order(setting) {
  await visit(setting, {tag: 'src="/model.gguf" max-tokens="5"'}, async (visitor) => {
    await visitor.load();
    await visitor.say('hello');
    await visitor.waitForAnswer();
    await visitor.waitForStatus('ready');
    const log = await visitor.events();
    const names = log.map(({name}) => name).filter((name) => name !== 'gguf-status');
    const firstOnes = names.filter((name, index) => names.indexOf(name) === index);
    assert.deepEqual(firstOnes, [
      'gguf-before-load',
      'gguf-load',
      'gguf-send',
      'gguf-message',
      'gguf-generate-start',
      'gguf-token',
      'gguf-generate-end',
    ]);
    const end = log.find(({name}) => name === 'gguf-generate-end');
    assert.equal(end.detail.result.finishReason, 'length');
    assert.equal(end.detail.result.tokens.length, 5);
    assert.equal(log.filter(({name}) => name === 'gguf-token').length, 5);
    const messages = log.filter(({name}) => name === 'gguf-message').map(({detail}) => detail.message.role);
    assert.deepEqual(messages, ['user', 'assistant']);
    visitor.assertNoProblems();
  });
}

/** A page can refuse a load and a message. */
async function cancelable(setting) {
  await visit(setting, {}, async (visitor, site) => {
    await visitor.page.evaluate(() => {
      const chat = document.querySelector('gguf-chat');
      chat.addEventListener('gguf-before-load', (event) => event.preventDefault(), {once: true});
      chat.addEventListener('gguf-send', (event) => event.preventDefault(), {once: true});
    });
    await visitor.click('button', 'Load model');
    await visitor.page.waitForFunction(() =>
      globalThis.ggufEvents.some(({name}) => name === 'gguf-before-load'),
    );
    await visitor.waitForStatus('idle');
    const downloads = site.requests.filter(({path}) => path === '/model.gguf');
    assert.equal(downloads.length, 1, 'of a refused model the header is read, and no more');
    await visitor.load();
    await visitor.say('not this');
    assert.equal((await visitor.messages()).length, 0, 'a refused message is not sent');
    visitor.assertNoProblems();
  });
}

/** Attributes are settings: the same seed gives the same answer, another one another. */
async function attributes(setting) {
  await visit(
    setting,
    {tag: 'src="/model.gguf" max-tokens="20" temperature="1.5" seed="7"'},
    async (visitor) => {
      await visitor.load();
      const answer = (seed) =>
        visitor.page.evaluate(async (value) => {
          const chat = document.querySelector('gguf-chat');
          chat.setAttribute('seed', String(value));
          await chat.updateComplete;
          await chat.clear();
          return (await chat.send('hello')).content;
        }, seed);
      const first = await answer(7);
      assert.equal(await answer(7), first);
      assert.notEqual(await answer(8), first);

      await visitor.page.evaluate(async () => {
        const chat = document.querySelector('gguf-chat');
        chat.setAttribute('top-p', '7');
        await chat.updateComplete;
      });
      await visitor.page.waitForFunction(() => globalThis.ggufEvents.some(({name}) => name === 'gguf-error'));
      const [error] = await visitor.events('gguf-error');
      assert.equal(error.detail.error.code, 104);
      assert.equal(await visitor.property('status'), 'ready', 'the model stays');
    },
  );
}

/** The three planes: transcript, context, model. */
async function planes(setting) {
  await visit(setting, {tag: 'src="/model.gguf" max-tokens="5"'}, async (visitor) => {
    await visitor.load();
    await visitor.say('hello');
    await visitor.waitForAnswer();
    await visitor.page.evaluate(() => document.querySelector('gguf-chat').resetContext());
    assert.equal((await visitor.messages()).length, 2, 'a new context leaves the transcript');
    await visitor.page.evaluate(() => document.querySelector('gguf-chat').clear());
    assert.equal((await visitor.messages()).length, 0);
    assert.equal(await visitor.property('status'), 'ready', 'clearing leaves the model');
    await visitor.page.evaluate(() => document.querySelector('gguf-chat').unload());
    await visitor.waitForStatus('idle');
    assert.equal(await visitor.property('model'), null);
    assert.equal((await visitor.events('gguf-unload')).length, 1);
    visitor.assertNoProblems();
  });
}

export const events = [
  {name: 'events in the documented order', run: order},
  {name: 'cancelable events', run: cancelable},
  {name: 'sampling attributes', run: attributes},
  {name: 'clear, reset and unload are three things', run: planes},
];
