/** Every page of the demo, served as `npm start` does, used as a person would. */
import assert from 'node:assert/strict';
import {audit} from '../audit.mjs';
import {focus, textOf, visitDemo, waitForAnswers} from '../visit-demo.mjs';
import {bench} from './demo-bench.mjs';
import {bringYourOwn} from './demo-bring-your-own.mjs';

/** One question by a suggestion, one by keyboard; prints how long the first token took. */
async function index(setting) {
  await visitDemo(setting, 'index.html', async (visitor) => {
    const {page} = visitor;
    await visitor.waitForStatus('ready');
    const firstToken = await measureFirstToken(page);
    await visitor.click('button', 'What is gguf-chat?');
    await waitForAnswers(page);
    process.stdout.write(`          first token after ${Math.round(await firstToken())} ms\n`);
    const [question, answer] = await visitor.messages();
    assert.equal(question.content, 'What is gguf-chat?');
    assert.ok(answer.content.trim() !== '', 'Pip answers');
    assert.match(answer.content, /gguf-chat/);
    assert.equal(
      await page.evaluate(() => document.activeElement.localName),
      'gguf-chat',
      'focus stays in the chat',
    );
    await visitor.click('button', 'New chat');
    await visitor.find('button', 'What can you do?');
    await visitor.say('Thank you!');
    await waitForAnswers(page);
  });
}

/** Starts a clock for the next message; gives what it shows at the first token, in milliseconds. */
async function measureFirstToken(page) {
  await page.evaluate(() => {
    const chat = document.querySelector('gguf-chat');
    const at = (name) =>
      new Promise((resolve) => chat.addEventListener(name, () => resolve(performance.now()), {once: true}));
    globalThis.firstToken = Promise.all([at('gguf-send'), at('gguf-token')]).then(([from, to]) => to - from);
  });
  return () => page.evaluate(() => globalThis.firstToken);
}

/** The navigation leads from page to page, says where one is, and is the same everywhere. */
async function navigation(setting) {
  await visitDemo(setting, '', async (visitor) => {
    const {page} = visitor;
    const links = () => page.$$eval('nav a', (all) => all.map(({textContent, href}) => [textContent, href]));
    const first = await links();
    assert.equal(first.length, 9);
    for (const [name, href] of first) {
      await Promise.all([page.waitForNavigation(), page.locator(`nav ::-p-aria([name="${name}"])`).click()]);
      assert.deepEqual(await links(), first, `the same navigation at ${href}`);
      assert.equal(await textOf(page, 'nav [aria-current="page"]'), name);
      assert.match(await page.title(), /gguf-chat/);
      assert.equal((await page.$$('h1')).length, 1);
    }
  });
}

/** Each event has its line; tokens, which do not bubble, are counted on one; old lines make way. */
async function events(setting) {
  await visitDemo(setting, 'events.html', async (visitor) => {
    const {page} = visitor;
    await visitor.load();
    await visitor.say('Hello');
    await waitForAnswers(page);
    await visitor.waitForStatus('ready');
    const shown = await textOf(page, '.log');
    for (const {name} of await visitor.events()) assert.ok(shown.includes(name), `${name} is in the log`);
    assert.ok(shown.includes('gguf-progress'));
    assert.match(shown, /gguf-token × \d+/);
    await page.evaluate(() => {
      const chat = document.querySelector('gguf-chat');
      for (let index = 0; index < 300; index++) {
        const detail = {previous: 'a', status: 'b', freedBytes: index};
        chat.dispatchEvent(Object.assign(new Event(index % 2 ? 'gguf-status' : 'gguf-unload'), {detail}));
      }
    });
    assert.equal(await page.$$eval('.log li', ({length}) => length), 200);
    await visitor.click('button', 'Clear');
    assert.equal(await textOf(page, '.log'), '');
  });
}

/** Each control is an attribute; the tag says which; the next answer obeys; reset takes them away. */
async function sampling(setting) {
  await visitDemo(setting, 'sampling.html', async (visitor, origin) => {
    const {page} = visitor;
    const {keyboard} = page;
    await setting.context.overridePermissions(origin, ['clipboard-read', 'clipboard-sanitized-write']);
    await focus(visitor, 'slider', 'temperature');
    for (let presses = 0; presses < 7; presses++) await keyboard.press('ArrowRight');
    const typed = {'top-k': '40', seed: '5', 'max-tokens': '3'};
    for (const [name, value] of Object.entries(typed)) {
      await focus(visitor, 'spinbutton', name);
      await keyboard.type(value);
    }
    await focus(visitor, 'textbox', 'system-prompt');
    await keyboard.type('Say "yes".');
    const tag = await textOf(page, '#tag');
    for (const [name, value] of Object.entries({...typed, temperature: '0.7'}))
      assert.ok(tag.includes(`${name}="${value}"`), tag);
    assert.ok(tag.includes('system-prompt="Say &quot;yes&quot;."'), tag);
    assert.ok(!tag.includes('min-p'), 'a default is not said');
    await visitor.click('button', 'Copy');
    await page.waitForFunction(() => document.querySelector('#copied').textContent === 'Copied.');
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), tag);

    await visitor.waitForStatus('ready');
    await visitor.say('Hello');
    await waitForAnswers(page);
    assert.ok((await visitor.property('usage')).completionTokens <= 3, 'max-tokens is obeyed');
    await visitor.click('button', 'Back to the defaults');
    await page.waitForFunction(() => !document.querySelector('#tag').textContent.includes('top-k'));
    assert.equal(await visitor.property('temperature'), undefined);
  });
}

/** Three looks, each in light and dark, all of them legible; the keyboard switches them. */
async function theming(setting) {
  await visitDemo(setting, 'theming.html', async (visitor) => {
    const {page} = visitor;
    await visitor.waitForStatus('ready');
    const looks = new Set();
    for (const theme of ['Paper', 'Terminal', 'Sorbet']) {
      for (const scheme of ['Light', 'Dark']) {
        await visitor.click('radio', scheme);
        await visitor.click('radio', theme);
        looks.add(
          await page.$eval('gguf-chat', (chat) => {
            const {backgroundColor, fontFamily} = getComputedStyle(chat);
            return `${backgroundColor} ${fontFamily}`;
          }),
        );
        await audit(visitor, `${theme}, ${scheme}`);
      }
      assert.match(await textOf(page, '#source'), /^gguf-chat \{\n {2}--gguf-chat-/);
    }
    assert.equal(looks.size, 6, 'each look is another');
    await page.keyboard.press('ArrowUp');
    assert.equal(await page.$eval('[name="theme"]:checked', ({value}) => value), 'terminal');
  });
}

/** The chat is a field: required, sent with the others, emptied by reset. */
async function form(setting) {
  await visitDemo(setting, 'form.html', async (visitor) => {
    const {page} = visitor;
    await focus(visitor, 'textbox', 'Your name');
    await page.keyboard.type('Ada');
    await visitor.click('button', 'Send request');
    assert.equal(await page.$('#fields:not([hidden])'), null, 'an empty conversation is not sent');
    await visitor.waitForStatus('ready');
    await visitor.say('Hello, Pip');
    await waitForAnswers(page);
    await visitor.click('button', 'Send request');
    const sent = await textOf(page, '#fields');
    assert.match(sent, /person\s+Ada/);
    assert.match(sent, /conversation\s+\[[^]*"content": "Hello, Pip"[^]*"role": "assistant"/);
    await audit(visitor, 'sent');
    await visitor.click('button', 'Reset');
    await page.waitForFunction(() => document.querySelector('gguf-chat').messages.length === 0);
    assert.equal(await page.$eval('#person', ({value}) => value), '');
  });
}

/** No element: tokens arrive, a second question takes the place of the first, Stop stops. */
async function headless(setting) {
  await visitDemo(setting, 'headless.html', async (visitor) => {
    const {page} = visitor;
    const status = (text) =>
      page.waitForFunction(
        (wanted) => document.querySelector('#status').textContent.startsWith(wanted),
        {timeout: 60_000, polling: 20},
        text,
      );
    await status('Ready');
    await visitor.click('button', 'Ask');
    await status('Done');
    assert.ok((await textOf(page, '#answer')).trim() !== '');
    await focus(visitor, 'textbox', 'Your question');
    await page.keyboard.type(' And why?');
    await visitor.click('button', 'Ask');
    const stop = await visitor.find('button', 'Stop');
    // A quick model may have ended before a hand is there.
    await stop.click();
    await page.waitForFunction(() => /^(Stopped|Done)/.test(document.querySelector('#status').textContent));
    assert.equal(await stop.evaluate(({disabled}) => disabled), true, 'there is nothing left to stop');
  });
}

/** Nothing is loaded before somebody asks; then each chat answers in its own conversation. */
async function many(setting) {
  await visitDemo(setting, 'many.html', async (visitor) => {
    const {page} = visitor;
    const chats = (key) => page.$$eval('gguf-chat', (all, name) => all.map((chat) => chat[name]), key);
    assert.deepEqual(await chats('status'), ['idle', 'idle', 'idle']);
    assert.equal(new Set(await chats('systemPrompt')).size, 3);
    await focus(visitor, 'textbox', 'One question for all three');
    await page.keyboard.press('Enter');
    await waitForAnswers(page);
    for (const messages of await chats('messages')) assert.equal(messages[0].content, 'What is gguf-chat?');
    await audit(visitor, 'with answers');
  });
}

const pages = {
  index,
  navigation,
  'bring your own': bringYourOwn,
  events,
  sampling,
  theming,
  form,
  headless,
  many,
  bench,
};

export const demo = Object.entries(pages).map(([name, run]) => ({name: `the demo: ${name}`, run}));
