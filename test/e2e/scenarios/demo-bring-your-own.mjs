import assert from 'node:assert/strict';
import {demoModel} from '../demo-server.mjs';
import {focus, visitDemo, waitForAnswers} from '../visit-demo.mjs';

/** What is loaded comes from a URL in the field, a file, a drop, or the page's own address; a wrong file is explained. */
export async function bringYourOwn(setting) {
  await visitDemo(setting, 'bring-your-own.html', async (visitor, origin) => {
    assert.equal(await visitor.property('status'), 'empty');
    await opensAFile(visitor);
    await refusesAPage(visitor);
    await visitor.say('Hello');
    await waitForAnswers(visitor.page);
    await takesADrop(visitor);
    await takesTheAddress(visitor, `${origin}/demo/bring-your-own.html?model=./model/pip.gguf`);
  });
}

/** The address of something else than a model: the error says so, and the model before goes on. */
async function refusesAPage(visitor) {
  const {keyboard} = visitor.page;
  await focus(visitor, 'textbox', 'Address of a GGUF file');
  await keyboard.type('./index.html');
  await keyboard.press('Enter');
  const alert = await visitor.page.waitForSelector('::-p-aria([role="alert"])');
  assert.match(await alert.evaluate((element) => element.textContent), /not-gguf/);
  await visitor.click('button', 'Dismiss');
}

async function opensAFile(visitor) {
  const [chooser] = await Promise.all([
    visitor.page.waitForFileChooser(),
    visitor.click('button', 'Open a file…'),
  ]);
  await chooser.accept([demoModel]);
  await visitor.waitForStatus('ready');
}

async function takesADrop(visitor) {
  await visitor.page.evaluate(() => document.querySelector('gguf-chat').unload());
  const client = await visitor.page.createCDPSession();
  const data = {items: [], files: [demoModel], dragOperationsMask: 1};
  for (const type of ['dragEnter', 'dragOver', 'drop'])
    await client.send('Input.dispatchDragEvent', {type, x: 600, y: 200, data});
  await visitor.waitForStatus('ready');
  assert.equal(await visitor.page.$('.dropping'), null);
}

/** A link may name the model; nothing is loaded before the visitor says so. */
async function takesTheAddress(visitor, url) {
  await visitor.page.goto(url);
  await visitor.waitForStatus('idle');
  await visitor.click('button', 'Load this address');
  await visitor.waitForStatus('ready');
}
