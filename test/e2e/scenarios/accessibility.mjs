import assert from 'node:assert/strict';
import {audit} from '../audit.mjs';
import {visit} from '../visit.mjs';

async function audits(setting) {
  await visit(setting, {tag: 'src="/slow.gguf" max-tokens="60"'}, async (visitor) => {
    await audit(visitor, 'idle');
    await visitor.load();
    await audit(visitor, 'ready');
    await visitor.say('hello');
    await visitor.waitForStatus('generating');
    await audit(visitor, 'generating');
    await visitor.page.keyboard.press('Escape');
    await visitor.waitForStatus('ready');
    await audit(visitor, 'after an answer');
    await visitor.page.evaluate(() =>
      document
        .querySelector('gguf-chat')
        .load('/nowhere.gguf')
        .catch(() => undefined),
    );
    await audit(visitor, 'error');
  });
}

/** From the page's start to a stopped answer without a pointer. */
async function keyboardOnly(setting) {
  await visit(setting, {tag: 'src="/slow.gguf"'}, async (visitor) => {
    const {keyboard} = visitor.page;
    await visitor.find('button', 'Load model');
    await tabTo(visitor, 'Load model');
    await keyboard.press('Enter');
    await visitor.waitForStatus('ready');
    await tabTo(visitor, 'Message');
    await keyboard.type('hello');
    await keyboard.down('Shift');
    await keyboard.press('Enter');
    await keyboard.up('Shift');
    await keyboard.type('there');
    await keyboard.press('Enter');
    await visitor.waitForStatus('generating');
    await keyboard.press('Escape');
    await visitor.waitForStatus('ready');
    const [question] = await visitor.messages();
    assert.equal(question.content, 'hello\nthere');
    visitor.assertNoProblems();
  });
}

/** Presses Tab until the focused element has this accessible name. */
async function tabTo(visitor, name) {
  for (let presses = 0; presses < 20; presses++) {
    const target = await visitor.page.$(`::-p-aria([name="${name}"])`);
    if (target && (await target.evaluate((element) => element.matches(':focus')))) return;
    await visitor.page.keyboard.press('Tab');
  }
  throw new Error(`Tab never reaches "${name}"`);
}

export const accessibility = [
  {name: 'axe audits in every state', run: audits},
  {name: 'a conversation by keyboard alone', run: keyboardOnly},
];
