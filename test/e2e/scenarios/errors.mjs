import assert from 'node:assert/strict';
import {visit} from '../visit.mjs';

/** A file that is not there: plain words, number and name, and a way to try again. */
async function missingFile(setting) {
  await visit(setting, {tag: 'src="/nowhere.gguf"'}, async (visitor) => {
    await visitor.click('button', 'Load model');
    await visitor.waitForStatus('error');
    const alert = await visitor.page.waitForSelector('::-p-aria([role="alert"])');
    const text = await alert.evaluate((element) => element.textContent);
    assert.match(text, /201/);
    assert.match(text, /network-status/);
    await visitor.find('button', 'Try again');
    const [event] = await visitor.events('gguf-error');
    assert.equal(event.detail.error.code, 201);
  });
}

/** A page instead of a model, loaded while another model is resident: that one goes on answering. */
async function keepsTheModel(setting) {
  await visit(setting, {tag: 'src="/model.gguf" max-tokens="5"'}, async (visitor) => {
    await visitor.load();
    const name = await visitor.page.evaluate(() =>
      document
        .querySelector('gguf-chat')
        .load('/')
        .then(
          () => 'loaded',
          (error) => error.name,
        ),
    );
    assert.equal(name, 'not-gguf');
    assert.equal(await visitor.property('status'), 'ready');
    const answer = await visitor.page.evaluate(() => document.querySelector('gguf-chat').send('hello'));
    assert.ok(answer.content.length > 0);
  });
}

export const errors = [
  {name: 'a missing file', run: missingFile},
  {name: 'a bad file leaves the model in place', run: keepsTheModel},
];
