import {expect} from '@open-wc/testing';
import {GgufChat} from '../../components/index.ts';
import {GgufError} from '../../worker-runtime/client/index.ts';
import {fakeInspection, fakeStored} from '../helpers/fake-runtime.ts';
import {ChatHarness, recordEvents} from '../helpers/chat-harness.ts';

const wait = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A chat in the middle of an answer. */
async function answering(attributes: Record<string, string> = {}): Promise<ChatHarness> {
  const chat = await ChatHarness.ready(attributes);
  await chat.send('hello');
  await chat.write('good');
  return chat;
}

/** A chat whose model is not there. */
async function failedLoad(): Promise<ChatHarness> {
  const chat = await ChatHarness.idle();
  chat.fake.holdLoads = true;
  await chat.click('load-button');
  chat.fake.load.fail(new GgufError('network-status', 'The server answered 404'));
  await chat.settled();
  return chat;
}

describe('<gguf-chat>: accessibility', () => {
  it('passes the audit in every state', async () => {
    await expect((await ChatHarness.create({})).element).to.be.accessible();
    const chat = await ChatHarness.idle();
    await expect(chat.element).to.be.accessible();
    await chat.element.load();
    await chat.settled();
    await expect(chat.element).to.be.accessible();
    await chat.send('hello');
    await chat.write('good');
    await expect(chat.element).to.be.accessible();
    await chat.finish();
    await expect(chat.element).to.be.accessible();
  });

  it('passes the audit while it loads, and with an error', async () => {
    const chat = await ChatHarness.idle();
    chat.fake.holdLoads = true;
    const load = chat.element.load().catch(() => null);
    await wait(600);
    chat.fake.load.progress(10, 40);
    await chat.settled();
    expect(chat.part('progress')).to.not.equal(null);
    await expect(chat.element).to.be.accessible();
    chat.fake.load.fail(new GgufError('network-status', 'The server answered 404'));
    await load;
    await chat.settled();
    await expect(chat.element).to.be.accessible();
  });

  it('has a quiet log, busy while an answer grows', async () => {
    const chat = await answering();
    const log = chat.requirePart('transcript');
    expect(log.getAttribute('role')).to.equal('log');
    expect(log.getAttribute('aria-live')).to.equal('off');
    expect(log.getAttribute('aria-busy')).to.equal('true');
    await chat.finish();
    expect(log.getAttribute('aria-busy')).to.equal('false');
  });

  it('announces that the model is loaded, and when it is', async () => {
    const chat = await ChatHarness.idle();
    chat.fake.holdLoads = true;
    await chat.click('load-button');
    expect(chat.announcements).to.deep.equal(['Loading model…']);
    chat.fake.load.finish();
    await chat.settled();
    expect(chat.announcements).to.deep.equal(['Loading model…', 'The model is ready']);
  });

  it('lets text run in its own direction', async () => {
    const chat = await ChatHarness.ready();
    await chat.type('שלום');
    expect(getComputedStyle(chat.input).direction).to.equal('rtl');
    await chat.press('Enter');
    const body = chat.lastMessage.parentElement?.querySelector('[part="message-body"]');
    expect(body && getComputedStyle(body).direction).to.equal('rtl');
  });

  it('announces an answer once, when it is whole', async () => {
    const chat = await answering();
    expect(chat.announcements).to.deep.equal([]);
    await chat.write(' day. And');
    expect(chat.announcements).to.deep.equal([]);
    await chat.finish();
    expect(chat.announcements).to.deep.equal(['good day. And']);
  });

  it('announces sentence by sentence where asked to', async () => {
    const chat = await answering({announce: 'sentence'});
    await chat.write(' day. And', ' more');
    expect(chat.announcements).to.deep.equal(['good day. ']);
    await chat.finish();
    expect(chat.announcements).to.deep.equal(['good day. ', 'And more']);
  });

  it('announces no answers where asked to', async () => {
    const chat = await answering({announce: 'off'});
    await chat.finish();
    expect(chat.announcements).to.deep.equal([]);
  });

  it('keeps the focus where a suggestion of the page makes way for the conversation', async () => {
    const chat = await ChatHarness.ready();
    const suggestion = document.createElement('button');
    suggestion.slot = 'empty';
    suggestion.textContent = 'Say hello';
    suggestion.addEventListener('click', () => void chat.element.send('hello'));
    chat.element.append(suggestion);
    suggestion.focus();
    await chat.press('Enter');
    expect(chat.focusedPart).to.equal('transcript');
    await chat.write('good');
    await chat.finish();
    expect(chat.focusedPart).to.equal('transcript');
  });

  it('can be used by keyboard alone, without losing the focus', async () => {
    const chat = await ChatHarness.idle();
    chat.element.focus();
    expect(chat.focusedPart).to.contain('load-button');
    await chat.press('Enter');
    expect(chat.element.status).to.equal('ready');
    expect(chat.focusedPart).to.equal('input');
    await chat.send('hello');
    expect(chat.focusedPart).to.equal('input');
    await chat.write('good');
    await chat.press('Tab');
    expect(chat.focusedPart).to.contain('stop-button');
    await chat.press('Enter');
    expect(chat.element.status).to.equal('ready');
    expect(chat.focusedPart).to.contain('send-button');
  });
});

describe('<gguf-chat>: loading', () => {
  it('loads nothing before it is asked to', async () => {
    const chat = await ChatHarness.idle();
    await chat.settled();
    expect(chat.element.status).to.equal('idle');
    expect(chat.element.boots).to.equal(0);
    await chat.click('load-button');
    expect(chat.element.status).to.equal('ready');
    expect(chat.fake.load.source).to.equal(new URL('/model.gguf', document.baseURI).href);
  });

  it('loads at once with loading="eager", and does not insist after a stop', async () => {
    const chat = await ChatHarness.create({});
    chat.fake.holdLoads = true;
    chat.element.loading = 'eager';
    chat.element.src = '/a.gguf';
    await chat.settled();
    expect(chat.element.status).to.equal('loading');
    await chat.element.stop();
    await chat.settled();
    expect(chat.element.status).to.equal('idle');
    expect(chat.fake.loads).to.have.length(1);
  });

  it('loads with loading="visible" when it comes into sight', async () => {
    const chat = await ChatHarness.create({loading: 'visible'});
    chat.element.hidden = true;
    chat.element.src = '/a.gguf';
    await chat.settled();
    expect(chat.element.status).to.equal('idle');
    chat.element.hidden = false;
    await chat.settled();
    await chat.settled();
    expect(chat.element.status).to.equal('ready');
  });

  it('loads a new src at once where a model was asked for before, and unloads for an empty one', async () => {
    const chat = await ChatHarness.ready();
    chat.element.src = '/other.gguf';
    await chat.settled();
    expect(chat.fake.load.source).to.match(/\/other\.gguf$/);
    chat.element.src = '';
    await chat.settled();
    expect(chat.element.status).to.equal('empty');
    expect(chat.fake.calls).to.include('free-model');
  });

  it('hands the attributes on', async () => {
    const chat = await ChatHarness.ready({
      'context-length': '512',
      temperature: '0.7',
      'top-k': '5',
      seed: '9',
    });
    expect(chat.fake.load.options.contextLength).to.equal(512);
    expect(chat.fake.sampling).to.include({temperature: 0.7, topK: 5, seed: 9, topP: 1});
    await chat.send('hello');
  });

  it('shows progress and a way back only when it takes long', async () => {
    const chat = await ChatHarness.idle();
    chat.fake.holdLoads = true;
    await chat.click('load-button');
    expect(chat.part('progress')).to.equal(null);
    await chat.click('load-button');
    expect(chat.element.status, 'a double click does not cancel').to.equal('loading');
    await wait(550);
    chat.fake.load.progress(10, 40);
    await chat.settled();
    expect((chat.requirePart('progress') as HTMLProgressElement).value).to.equal(0.25);
    await chat.click('load-button');
    expect(chat.element.status).to.equal('idle');
    expect(chat.alert).to.equal('');
  });

  it('says what failed in plain words and by number, and tries again', async () => {
    const chat = await failedLoad();
    expect(chat.alert).to.contain('could not be downloaded').and.contain('201 network-status');
    chat.fake.holdLoads = false;
    await chat.click('retry-button');
    expect(chat.element.status).to.equal('ready');
    expect(chat.alert).to.equal('');
  });

  it('forgets a failed load when its src is taken away', async () => {
    const chat = await failedLoad();
    chat.element.src = '';
    await chat.settled();
    expect(chat.element.status).to.equal('empty');
    expect(chat.alert).to.equal('');
  });

  it('shows the status as a CSS state', async () => {
    const chat = await ChatHarness.idle();
    expect(chat.element.matches(':state(idle)')).to.equal(true);
    await chat.element.load();
    expect(chat.element.matches(':state(ready)')).to.equal(true);
    expect(chat.element.matches(':state(idle)')).to.equal(false);
  });
});

describe('<gguf-chat>: talking', () => {
  it('sends by Enter, breaks the line by Shift+Enter', async () => {
    const chat = await ChatHarness.ready();
    await chat.type('one');
    await chat.press('Shift+Enter');
    await chat.type('two');
    expect(chat.input.value).to.equal('one\ntwo');
    await chat.press('Enter');
    expect(chat.input.value).to.equal('');
    expect(chat.transcript).to.deep.equal(['You: one\ntwo', 'Assistant: ']);
  });

  it('sends by Ctrl+Enter with submit-on="mod-enter"', async () => {
    const chat = await ChatHarness.ready({'submit-on': 'mod-enter'});
    await chat.send('one');
    expect(chat.transcript).to.deep.equal([]);
    await chat.press('Control+Enter');
    expect(chat.transcript[0]).to.equal('You: one');
  });

  it('does not send what an input method is still composing', async () => {
    const chat = await ChatHarness.ready();
    await chat.type('にほん');
    for (const composing of [{isComposing: true}, {keyCode: 229}])
      chat.input.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', cancelable: true, ...composing}));
    await chat.settled();
    expect(chat.transcript).to.deep.equal([]);
  });

  it('keeps a draft while it cannot be sent', async () => {
    const chat = await answering();
    await chat.send('and then?');
    expect(chat.input.value).to.equal('and then?');
    expect(chat.element.draft).to.equal('and then?');
    expect(chat.element.status).to.equal('generating');
  });

  it('streams into the one message, without touching what is there', async () => {
    const chat = await answering();
    const message = chat.lastMessage;
    const text = message.querySelector('[part="message-body"]')?.firstChild;
    await chat.write(' <b>day</b> to you');
    expect(chat.transcript.at(-1)).to.contain('Assistant: good <b>day</b> to yo');
    await chat.finish();
    expect(chat.lastMessage).to.equal(message);
    expect(message.querySelector('[part="message-body"]')?.firstChild).to.equal(text);
  });

  it('edits a message: what is sent takes its place and that of all that followed', async () => {
    const chat = await answering();
    await chat.finish();
    chat.requirePart('edit-button').click();
    await chat.settled();
    expect(chat.input.value).to.equal('hello');
    expect(chat.requirePart('edit-note')).to.exist;
    chat.input.select();
    await chat.send('good bye');
    await chat.write('farewell');
    await chat.finish();
    expect(chat.transcript).to.deep.equal(['You: good bye', 'Assistant: farewell']);
    expect(chat.part('edit-note')).to.equal(null);
  });

  it('edits the last message by the arrow up in an empty field, and leaves it by Escape', async () => {
    const chat = await answering();
    await chat.finish();
    const press = (key: string): boolean =>
      chat.input.dispatchEvent(
        new KeyboardEvent('keydown', {key, bubbles: true, composed: true, cancelable: true}),
      );
    press('ArrowUp');
    await chat.settled();
    expect(chat.input.value).to.equal('hello');
    press('Escape');
    await chat.settled();
    expect(chat.input.value).to.equal('');
    expect(chat.transcript.length).to.equal(2);
  });

  it('puts back what a refused edit would have replaced', async () => {
    const chat = await answering();
    await chat.finish();
    const before = chat.transcript;
    chat.requirePart('edit-button').click();
    await chat.settled();
    chat.input.select();
    await chat.send('too long');
    chat.fake.run.fail(new GgufError('prompt-too-long', 'too long'));
    await chat.settled();
    expect(chat.transcript).to.deep.equal(before);
    expect(chat.input.value).to.equal('too long');
  });

  it('draws many tokens in one frame', async () => {
    const chat = await answering();
    let changes = 0;
    const observer = new MutationObserver((records) => (changes += records.length));
    observer.observe(chat.lastMessage, {characterData: true, childList: true, subtree: true});
    await chat.write(...Array.from({length: 50}, () => ' word'));
    observer.disconnect();
    expect(changes).to.equal(1);
  });

  it('stops by the button and by Escape, and keeps what was written', async () => {
    const chat = await answering();
    await chat.stop();
    expect(chat.transcript.at(-1)).to.equal('Assistant: good');
    expect(chat.lastMessage.textContent).to.contain('Stopped');
    await chat.send('more');
    await chat.write('gla');
    await chat.press('Escape');
    expect(chat.element.status).to.equal('ready');
    expect(chat.transcript.at(-1)).to.equal('Assistant: gla');
  });

  it('puts a refused message back into the text field', async () => {
    const chat = await ChatHarness.ready();
    await chat.send('too long');
    chat.fake.run.fail(new GgufError('prompt-too-long', 'The prompt has 300 tokens, the context 256'));
    await chat.settled();
    expect(chat.input.value).to.equal('too long');
    expect(chat.transcript).to.deep.equal([]);
    expect(chat.alert).to.contain('106 prompt-too-long');
    await chat.click('retry-button');
    expect(chat.alert).to.equal('');
    expect(chat.focusedPart).to.equal('input');
  });

  it('hands the prompt attributes on', async () => {
    const chat = await ChatHarness.ready({'system-prompt': 'be brief', 'max-tokens': '3'});
    chat.element.stopSequences = ['END'];
    await chat.send('hello');
    expect(chat.fake.run.params).to.deep.include({maxTokens: 3, stop: ['END']});
    expect(chat.fake.run.params.messages?.[0]).to.deep.equal({role: 'system', content: 'be brief'});
  });

  it('reports an invalid setting and keeps the old ones', async () => {
    const chat = await ChatHarness.ready({temperature: '0.5'});
    const events = recordEvents(document.body);
    chat.element.setAttribute('temperature', '-1');
    await chat.settled();
    expect(chat.element.error?.name).to.equal('invalid-setting');
    expect(chat.fake.sampling.temperature).to.equal(0.5);
    expect(chat.element.status).to.equal('ready');
    expect(events).to.deep.equal(['error']);
    chat.element.removeAttribute('temperature');
    await chat.settled();
    expect(chat.alert).to.equal('');
    expect(chat.fake.sampling.temperature).to.equal(0);
  });

  it('offers to write an answer again, but not a greeting of the page', async () => {
    const chat = await ChatHarness.ready();
    chat.element.messages = [{role: 'assistant', content: 'How can I help?'}];
    await chat.settled();
    expect(chat.part('regenerate-button')).to.equal(null);
    await chat.send('hello');
    await chat.write('good day');
    await chat.finish();
    await chat.click('regenerate-button');
    expect(chat.transcript).to.deep.equal(['Assistant: How can I help?', 'You: hello', 'Assistant: ']);
  });

  it('starts a new chat: transcript and context are emptied, the model stays', async () => {
    const chat = await answering();
    await chat.finish();
    chat.requirePart('new-chat-button').focus();
    await chat.press('Enter');
    expect(chat.transcript).to.deep.equal([]);
    expect(chat.fake.calls).to.deep.equal(['reset-context']);
    expect(chat.element.status).to.equal('ready');
    expect(chat.focusedPart).to.equal('input');
  });

  it('cannot be used by visitors while disabled', async () => {
    const chat = await ChatHarness.idle({disabled: ''});
    await chat.click('load-button');
    expect(chat.element.status).to.equal('idle');
    await chat.element.load();
    await chat.settled();
    expect(chat.input.disabled).to.equal(true);
    chat.element.draft = 'hello';
    await chat.settled();
    await chat.click('send-button');
    expect(chat.transcript).to.deep.equal([]);
  });

  it('says how much of a long prompt is read', async () => {
    const chat = await ChatHarness.ready();
    await chat.send('hello');
    chat.fake.run.prefill(30, 120);
    await chat.settled();
    expect(chat.requirePart('status').textContent).to.contain('Writing');
    await wait(550);
    expect(chat.requirePart('status').textContent).to.contain('Reading 25%');
    await chat.write('good');
    await chat.finish();
    expect(chat.requirePart('status').textContent).to.not.contain('Reading');
  });

  it('shows figures unless told otherwise', async () => {
    const chat = await answering();
    await chat.write(' day', '!');
    await chat.finish();
    expect(chat.requirePart('status').textContent).to.match(/3 tokens.*20 tokens\/s.*context 13\/256/s);
    chat.element.withoutStats = true;
    await chat.settled();
    expect(chat.requirePart('status').textContent).to.not.contain('tokens');
  });
});

describe('<gguf-chat>: scrolling', () => {
  const lines = Array.from({length: 40}, (_, i) => `line ${i}\n`);

  it('sticks to the end, lets go when the reader scrolls up, and comes back', async () => {
    const chat = await answering();
    const log = chat.requirePart('transcript');
    const distance = (): number => log.scrollHeight - log.clientHeight - log.scrollTop;
    await chat.write(...lines);
    expect(distance()).to.be.lessThan(2);
    log.scrollTop = 100;
    await chat.settled();
    await chat.write(...lines);
    expect(log.scrollTop).to.equal(100);
    chat.requirePart('scroll-button').focus();
    await chat.press('Enter');
    expect(distance()).to.be.lessThan(2);
    await chat.settled();
    expect(chat.part('scroll-button')).to.equal(null);
    expect(chat.focusedPart, 'no keyboard of a phone opens').to.equal('transcript');
  });
});

describe('<gguf-chat>: events and methods', () => {
  it('fires the events of a load and of a message in order', async () => {
    const chat = await ChatHarness.idle();
    const events = recordEvents(chat.element);
    chat.fake.holdLoads = true;
    const load = chat.element.load();
    await chat.settled();
    chat.fake.load.progress(1, 2);
    chat.fake.load.finish();
    await load;
    expect(events.splice(0)).to.deep.equal([
      'status loading',
      'before-load',
      'progress',
      'status ready',
      'load',
    ]);
    await chat.send('hello');
    await chat.write('good', ' day');
    await chat.finish();
    expect(events).to.deep.equal([
      'send',
      'message',
      'status generating',
      'generate-start',
      'token',
      'status ready',
      'message',
      'generate-end',
    ]);
  });

  it('lets its events out, but for those of every token and chunk', async () => {
    const chat = await ChatHarness.idle();
    const outside = recordEvents(document);
    chat.fake.holdLoads = true;
    const load = chat.element.load();
    await chat.settled();
    chat.fake.load.progress(1, 2);
    chat.fake.load.finish();
    await load;
    await chat.send('hello');
    await chat.write('good');
    await chat.finish();
    expect(outside).to.include.members([
      'before-load',
      'load',
      'send',
      'message',
      'generate-start',
      'generate-end',
    ]);
    expect(outside).to.not.include.members(['progress']);
    expect(outside).to.not.include.members(['token']);
  });

  it('loads nothing when gguf-before-load is cancelled', async () => {
    const chat = await ChatHarness.idle();
    chat.element.addEventListener('gguf-before-load', (event) => event.preventDefault());
    expect(await chat.element.load()).to.equal(null);
    expect(chat.fake.loads).to.be.empty;
    expect(chat.element.status).to.equal('idle');
  });

  it('says in gguf-before-load what the model takes', async () => {
    const chat = await ChatHarness.idle();
    chat.fake.inspection = fakeInspection;
    const plans: unknown[] = [];
    chat.element.addEventListener('gguf-before-load', ({detail}) => plans.push(detail.plan));
    await chat.element.load();
    expect(plans).to.deep.equal([fakeInspection]);
  });

  it('shows those who come near the button what the model takes, and what is on the device', async () => {
    const chat = await ChatHarness.idle();
    chat.fake.inspection = fakeInspection;
    chat.fake.stored = [fakeStored];
    chat.requirePart('panel').dispatchEvent(new Event('pointerenter'));
    await chat.settled();
    expect(chat.requirePart('needs').textContent).to.contain('4 kB to download, 65.5 kB of memory');
    expect(chat.requirePart('library').textContent).to.contain('1 model on this device, 1 MB');
    chat.requirePart('remove-button').click();
    await chat.settled();
    expect(chat.fake.calls).to.include(`remove ${fakeStored.id}`);
  });

  it('lets the page answer itself when gguf-send is cancelled', async () => {
    const chat = await ChatHarness.ready();
    chat.element.addEventListener('gguf-send', (event) => {
      event.preventDefault();
      chat.element.messages = [
        {role: 'user', content: event.detail.text},
        {role: 'assistant', content: 'from the page'},
      ];
    });
    await chat.send('hello');
    expect(chat.transcript).to.deep.equal(['You: hello', 'Assistant: from the page']);
    expect(chat.input.value).to.equal('');
    expect(chat.fake.runs).to.have.length(0);
    expect(await chat.element.send('hello')).to.equal(null);
  });

  it('resolves send() with the partial message after stop()', async () => {
    const chat = await ChatHarness.ready();
    const sent = chat.element.send('hello');
    await chat.settled();
    await chat.write('good');
    await chat.element.stop();
    expect(await sent).to.include({content: 'good', finishReason: 'cancelled'});
  });

  it('loads again what was loaded, when it comes back after its model was given up', async () => {
    const chat = await ChatHarness.ready();
    const {element} = chat;
    const parent = element.parentElement;
    element.remove();
    await wait(5100);
    expect(element.status).to.equal('idle');
    expect(chat.fake.calls).to.deep.equal(['terminate']);
    parent?.append(element);
    await chat.settled();
    await chat.settled();
    expect(element.status).to.equal('ready');
  });

  it('goes on with its load when it is moved, even while its Worker starts', async () => {
    const chat = await ChatHarness.idle();
    const {element} = chat;
    const load = element.load();
    element.parentElement?.append(element);
    await chat.settled();
    expect((await load)?.name).to.equal('Tiny Llama');
    expect(chat.fake.loads).to.have.length(1);
  });

  it('honours what was set before its tag was defined', async () => {
    const parent = (await ChatHarness.create({})).element.parentElement;
    const element = document.createElement('chat-defined-late');
    const messages = [{role: 'assistant', content: 'How can I help?'}];
    Object.assign(element, {messages, draft: 'hello', src: '/model.gguf', withoutStats: true});
    parent?.append(element);
    customElements.define('chat-defined-late', class extends GgufChat {});
    const chat = element as GgufChat;
    await chat.updateComplete;
    expect(chat.messages.map(({content}) => content)).to.deep.equal(['How can I help?']);
    expect(chat.draft).to.equal('hello');
    expect(chat.status).to.equal('idle');
    expect(chat.withoutStats).to.equal(true);
    chat.messages = [];
    expect(chat.messages).to.deep.equal([]);
    expect(Object.hasOwn(chat, 'messages')).to.equal(false);
  });

  it('keeps its model and its answer when it is moved', async () => {
    const chat = await answering();
    const {element} = chat;
    const elsewhere = document.createElement('div');
    element.parentElement?.append(elsewhere);
    element.remove();
    await wait(50);
    elsewhere.append(element);
    await chat.write(' day');
    await chat.finish();
    expect(chat.transcript.at(-1)).to.equal('Assistant: good day');
    expect(chat.fake.calls).to.deep.equal([]);
  });

  it('shows its slots', async () => {
    const chat = await ChatHarness.ready();
    for (const slot of ['header', 'poster', 'empty', 'composer-start', 'composer-end', 'footer']) {
      const content = document.createElement('span');
      content.slot = slot;
      content.textContent = slot;
      chat.element.append(content);
    }
    const shown = [...chat.element.children].filter((child) => child.getClientRects().length > 0);
    expect(shown.map(({slot}) => slot)).to.deep.equal([
      'header',
      'empty',
      'composer-start',
      'composer-end',
      'footer',
    ]);
  });
});
