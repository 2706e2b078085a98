import {expect, fixture, fixtureCleanup, html} from '@open-wc/testing';
import {ChatHarness} from '../helpers/chat-harness.ts';

/** A ready chat, called `chat` in a form. */
async function inForm(
  attributes: Record<string, string> = {},
): Promise<{chat: ChatHarness; form: HTMLFormElement}> {
  const chat = await ChatHarness.ready({name: 'chat', ...attributes});
  const form = document.createElement('form');
  chat.element.parentElement?.append(form);
  form.append(chat.element);
  await chat.settled();
  return {chat, form};
}

const contents = (form: HTMLFormElement): string[] => {
  const value = new FormData(form).get('chat');
  const messages = JSON.parse(String(value)) as {content: string}[];
  return messages.map(({content}) => content);
};

describe('<gguf-chat> in a form', () => {
  it('gives the transcript as JSON, under its name', async () => {
    const {chat, form} = await inForm();
    expect(contents(form)).to.deep.equal([]);
    await chat.send('hello');
    await chat.write('good', ' day');
    await chat.finish();
    expect(contents(form)).to.deep.equal(['hello', 'good day']);
    expect(JSON.parse(String(new FormData(form).get('chat')))).to.deep.equal(chat.element.messages);
  });

  it('gives whole answers only', async () => {
    const {chat, form} = await inForm();
    await chat.send('hello');
    await chat.write('good');
    expect(contents(form)).to.deep.equal([]);
    await chat.finish();
    expect(contents(form)).to.deep.equal(['hello', 'good']);
  });

  it('is not part of the data without a name, and shows none', async () => {
    const {chat, form} = await inForm({name: ''});
    expect([...new FormData(form).keys()]).to.deep.equal([]);
    chat.element.name = 'talk';
    await chat.settled();
    expect([...new FormData(form).keys()]).to.deep.equal(['talk']);
    chat.element.name = '';
    await chat.settled();
    expect(chat.element.hasAttribute('name')).to.equal(false);
  });

  it('where it is required, holds the form back until something was said', async () => {
    const {chat, form} = await inForm({required: ''});
    expect(form.checkValidity()).to.equal(false);
    expect(chat.element.matches(':invalid')).to.equal(true);
    chat.element.messages = [{role: 'user', content: 'hello'}];
    await chat.settled();
    expect(form.checkValidity()).to.equal(true);
    chat.element.messages = [];
    await chat.settled();
    chat.element.required = false;
    await chat.settled();
    expect(form.checkValidity()).to.equal(true);
  });

  it('begins anew when the form is reset, and keeps the model', async () => {
    const {chat, form} = await inForm();
    await chat.send('hello');
    await chat.write('good');
    await chat.finish();
    await chat.type('more');
    form.reset();
    await chat.settled();
    expect(contents(form)).to.deep.equal([]);
    expect(chat.element.draft).to.equal('');
    expect(chat.element.status).to.equal('ready');
    expect(chat.transcript).to.deep.equal([]);
  });

  it('is disabled by a fieldset around it', async () => {
    fixtureCleanup();
    const chat = await ChatHarness.ready();
    const fieldset = await fixture<HTMLFieldSetElement>(html`<fieldset></fieldset>`);
    fieldset.append(chat.element);
    fieldset.disabled = true;
    await chat.settled();
    expect(chat.input.disabled).to.equal(true);
    expect(chat.element.disabled).to.equal(false);
    fieldset.disabled = false;
    await chat.settled();
    expect(chat.input.disabled).to.equal(false);
  });

  it('takes the conversation back that the browser kept', async () => {
    const {chat, form} = await inForm();
    chat.element.messages = [{role: 'user', content: 'hello'}];
    await chat.settled();
    const kept = new FormData(form).get('chat');
    chat.element.messages = [];
    const restore: unknown = Reflect.get(chat.element, 'formStateRestoreCallback');
    expect(restore).to.be.a('function');
    Reflect.apply(restore as (state: unknown) => void, chat.element, [kept]);
    await chat.settled();
    expect(contents(form)).to.deep.equal(['hello']);
  });
});
