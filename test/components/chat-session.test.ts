import {expect} from '@open-wc/testing';
import {ChatSession} from '../../components/chat-session.ts';
import type {SessionEvent} from '../../components/session-types.ts';
import {GgufError} from '../../worker-runtime/client/index.ts';
import type {ErrorName} from '../../worker-runtime/client/index.ts';
import {FakeRuntime, fakeModel} from '../helpers/fake-runtime.ts';

function setup(): {session: ChatSession; fake: FakeRuntime; events: SessionEvent[]; boots: () => number} {
  const fake = new FakeRuntime();
  const events: SessionEvent[] = [];
  let boots = 0;
  const session = new ChatSession({
    onEvent: (event) => events.push(event),
    boot: async () => {
      boots++;
      return fake;
    },
  });
  return {session, fake, events, boots: () => boots};
}

async function readySession(): Promise<ReturnType<typeof setup>> {
  const made = setup();
  await made.session.load('/model.gguf');
  made.events.length = 0;
  return made;
}

const macrotask = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

async function refusal(action: Promise<unknown>): Promise<ErrorName> {
  try {
    await action;
  } catch (error) {
    if (error instanceof GgufError) return error.name;
    throw error;
  }
  throw new Error('it was accepted');
}

const statuses = (events: readonly SessionEvent[]): string[] =>
  events.flatMap((event) => (event.type === 'status' ? [event.status] : []));

describe('ChatSession: the model', () => {
  it('goes from empty over idle and loading to ready', async () => {
    const {session, events} = setup();
    expect(session.status).to.equal('empty');
    session.source = '/model.gguf';
    expect(session.status).to.equal('idle');
    expect(await session.load()).to.equal(fakeModel);
    expect(statuses(events)).to.deep.equal(['idle', 'loading', 'ready']);
  });

  it('boots one runtime, when it is first needed', async () => {
    const {session, boots} = setup();
    session.source = '/a.gguf';
    expect(boots()).to.equal(0);
    await session.load();
    await session.load('/b.gguf');
    expect(boots()).to.equal(1);
  });

  it('lets a newer load win over an older one', async () => {
    const {session, fake} = setup();
    fake.holdLoads = true;
    const older = refusal(session.load('/a.gguf'));
    await macrotask();
    const newer = session.load('/b.gguf');
    expect(await older).to.equal('load-aborted');
    expect(session.status).to.equal('loading');
    await macrotask();
    fake.load.finish();
    await newer;
    expect(fake.load.source).to.equal('/b.gguf');
    expect(session.status).to.equal('ready');
    expect(session.error).to.equal(null);
  });

  it('hears no progress of a load that was replaced', async () => {
    const {session, fake} = setup();
    fake.holdLoads = true;
    const older = refusal(session.load('/a.gguf'));
    await macrotask();
    const [first] = fake.loads;
    const newer = session.load('/b.gguf');
    await older;
    first?.progress(1, 2);
    expect(session.progress).to.equal(null);
    await macrotask();
    fake.load.finish();
    await newer;
  });

  it('stops a load, and is idle again without an error', async () => {
    const {session, fake, events} = setup();
    fake.holdLoads = true;
    const load = refusal(session.load('/a.gguf'));
    await macrotask();
    await session.stop();
    expect(await load).to.equal('load-aborted');
    expect(session.status).to.equal('idle');
    expect(events.some(({type}) => type === 'error')).to.equal(false);
  });

  it('keeps the model before when a load fails', async () => {
    const {session, fake} = await readySession();
    fake.holdLoads = true;
    const load = refusal(session.load('/b.gguf'));
    await macrotask();
    fake.load.fail(new GgufError('not-gguf', 'no magic'));
    expect(await load).to.equal('not-gguf');
    expect(session.status).to.equal('ready');
    expect(session.model).to.equal(fakeModel);
    expect(session.error?.code).to.equal(400);
  });

  it('tells how far a load is as one number', async () => {
    const {session, fake} = setup();
    fake.holdLoads = true;
    const load = session.load('/a.gguf');
    await macrotask();
    fake.load.progress(10, null);
    expect(session.progress?.ratio).to.equal(null);
    fake.load.progress(10, 40);
    expect(session.progress?.ratio).to.equal(0.25);
    fake.load.finish();
    await load;
    expect(session.progress).to.equal(null);
  });

  it('frees the model and keeps the transcript', async () => {
    const {session, fake} = await readySession();
    session.messages = [{role: 'user', content: 'hello'}];
    await session.unload();
    expect(fake.calls).to.deep.equal(['free-model']);
    expect(session.status).to.equal('idle');
    expect(session.messages).to.have.length(1);
  });

  it('tells of a runtime that has died, also where it was to free or to reset something', async () => {
    for (const action of ['unload', 'resetContext'] as const) {
      const {session, fake, events} = await readySession();
      const died = (): Promise<never> => Promise.reject(new GgufError('worker-failed', 'the Worker died'));
      fake.freeModel = died;
      fake.resetContext = died;
      expect(await refusal(session[action]())).to.equal('worker-failed');
      expect(events.map(({type}) => type)).to.include('error');
      expect(session.status).to.equal('error');
    }
  });

  it('lets go of a runtime that cannot go on, and boots another one', async () => {
    const {session, fake, boots} = await readySession();
    const answer = refusal(session.send('hello'));
    await macrotask();
    fake.run.fail(new GgufError('compute-failed', 'trap'));
    expect(await answer).to.equal('compute-failed');
    expect(session.status).to.equal('error');
    expect(fake.calls).to.deep.equal(['terminate']);
    await session.load();
    expect(boots()).to.equal(2);
    expect(session.status).to.equal('ready');
  });

  it('loads again, in the same runtime, a model that has lost a part', async () => {
    const {session, fake, boots} = await readySession();
    const answer = refusal(session.send('hello'));
    await macrotask();
    fake.run.fail(new GgufError('shard-failed', 'gone'));
    expect(await answer).to.equal('shard-failed');
    expect(session.status).to.equal('error');
    await session.load();
    expect(boots()).to.equal(1);
    expect(session.status).to.equal('ready');
  });

  it('forgets a boot that failed', async () => {
    let boots = 0;
    const session = new ChatSession({
      onEvent: () => undefined,
      boot: async () => {
        boots++;
        if (boots === 1) throw new GgufError('worker-failed', 'no worker');
        return new FakeRuntime();
      },
    });
    expect(await refusal(session.load('/a.gguf'))).to.equal('worker-failed');
    expect(session.status).to.equal('error');
    await session.load();
    expect(session.status).to.equal('ready');
  });

  it('keeps sampling settings for the first load, and refuses invalid ones without harm', async () => {
    const {session, fake, events} = setup();
    await session.configureSampling({temperature: 0.5});
    await session.load('/a.gguf');
    expect(fake.sampling.temperature).to.equal(0.5);
    expect(await refusal(session.configureSampling({temperature: -1}))).to.equal('invalid-setting');
    expect(session.sampling.temperature).to.equal(0.5);
    expect(session.status).to.equal('ready');
    expect(events.at(-1)?.type).to.equal('error');
    await session.configureSampling({topK: 3});
    expect(session.sampling.temperature).to.equal(0);
    expect(session.error).to.equal(null);
  });
});

describe('ChatSession: the conversation', () => {
  it('gives the model the system prompt and the whole transcript', async () => {
    const {session, fake} = await readySession();
    session.messages = [
      {role: 'user', content: 'a'},
      {role: 'assistant', content: 'b'},
    ];
    const answer = session.send('c', {systemPrompt: 'be brief', maxTokens: 7});
    await macrotask();
    expect(fake.run.params.messages).to.deep.equal([
      {role: 'system', content: 'be brief'},
      {role: 'user', content: 'a'},
      {role: 'assistant', content: 'b'},
      {role: 'user', content: 'c'},
    ]);
    expect(fake.run.params.maxTokens).to.equal(7);
    fake.run.finish();
    await answer;
  });

  it('resolves send with the whole answer', async () => {
    const {session, fake} = await readySession();
    const answer = session.send('hello');
    await macrotask();
    fake.run.write('good', ' day');
    fake.run.finish();
    const message = await answer;
    expect(message).to.include({role: 'assistant', content: 'good day', finishReason: 'stop'});
    expect(message.usage?.completionTokens).to.equal(2);
    expect(session.messages.at(-1)).to.equal(message);
    expect(session.usage).to.equal(message.usage);
  });

  it('keeps thoughts apart from the answer, and gives them back to the model', async () => {
    const {session, fake} = await readySession();
    const answer = session.send('hello');
    await macrotask();
    fake.run.think('A gree');
    fake.run.think('ting.');
    await macrotask();
    expect(session.messages.at(-1)).to.include({content: '', reasoning: 'A greeting.'});
    fake.run.write('good day');
    fake.run.finish();
    expect(await answer).to.include({content: 'good day', reasoning: 'A greeting.'});
    void session.send('and now?');
    await macrotask();
    expect(fake.run.params.messages?.[1]).to.deep.equal({
      role: 'assistant',
      content: 'good day',
      reasoning: 'A greeting.',
    });
    fake.run.finish();
  });

  it('tells in order what happens', async () => {
    const {session, fake, events} = await readySession();
    const answer = session.send('hello');
    await macrotask();
    fake.run.write('good', ' day');
    fake.run.finish();
    await answer;
    expect(events.map(({type}) => type).filter((type) => type !== 'change')).to.deep.equal(
      'message status generate-start token token status message generate-end'.split(' '),
    );
  });

  it('resolves send with the part that was written when it is stopped', async () => {
    const {session, fake} = await readySession();
    const answer = session.send('hello');
    await macrotask();
    fake.run.write('good');
    await session.stop();
    expect(session.status).to.equal('ready');
    expect(await answer).to.include({content: 'good', finishReason: 'cancelled'});
    expect(session.messages).to.have.length(2);
  });

  it('stops an answer that has not begun', async () => {
    const {session} = await readySession();
    const answer = session.send('hello');
    await session.stop();
    expect(await answer).to.include({content: '', finishReason: 'cancelled'});
  });

  it('refuses to send while an answer is written, without a model, or nothing', async () => {
    const {session, fake} = await readySession();
    expect(await refusal(session.send('  '))).to.equal('invalid-prompt');
    const answer = session.send('hello');
    expect(await refusal(session.send('again'))).to.equal('sequence-busy');
    await macrotask();
    fake.run.finish();
    await answer;
    await session.unload();
    expect(await refusal(session.send('hello'))).to.equal('no-model');
    expect(session.messages).to.have.length(2);
  });

  it('takes a refused message out of the transcript, and puts the draft back', async () => {
    const {session, fake} = await readySession();
    session.draft = 'far too long ';
    const answer = refusal(session.submit());
    expect(session.draft).to.equal('');
    await macrotask();
    fake.run.fail(new GgufError('prompt-too-long', 'too long'));
    expect(await answer).to.equal('prompt-too-long');
    expect(session.messages).to.deep.equal([]);
    expect(session.draft).to.equal('far too long');
    expect(session.status).to.equal('ready');
    expect(session.model).to.equal(fakeModel);
  });

  it('keeps what was written before a failure', async () => {
    const {session, fake} = await readySession();
    const answer = refusal(session.send('hello'));
    await macrotask();
    fake.run.write('goo');
    await macrotask();
    fake.run.fail(new GgufError('logits-not-finite', 'NaN'));
    expect(await answer).to.equal('logits-not-finite');
    expect(session.messages.at(-1)).to.include({content: 'goo', finishReason: 'error'});
  });

  it('does not bring back what was cleared, whatever happens to the answer', async () => {
    const {session, fake} = await readySession();
    const answer = refusal(session.send('hello'));
    await macrotask();
    const {run} = fake;
    run.fail(new GgufError('logits-not-finite', 'NaN'));
    await session.clear();
    await answer;
    expect(session.messages).to.deep.equal([]);
  });

  it('keeps the three planes apart', async () => {
    const {session, fake} = await readySession();
    session.messages = [{role: 'user', content: 'hello'}];
    await session.resetContext();
    expect(session.messages).to.have.length(1);
    expect(session.model).to.equal(fakeModel);
    await session.clear();
    expect(session.messages).to.have.length(0);
    expect(session.model).to.equal(fakeModel);
    expect(fake.calls).to.deep.equal(['reset-context']);
  });

  it('writes an answer again with the next seed, and keeps the old one when that is refused', async () => {
    const {session, fake} = await readySession();
    session.messages = [
      {role: 'user', content: 'a'},
      {role: 'assistant', content: 'b'},
    ];
    const again = session.regenerate();
    await macrotask();
    expect(fake.run.params.sampling).to.deep.equal({seed: 2});
    expect(fake.run.params.messages).to.deep.equal([{role: 'user', content: 'a'}]);
    fake.run.write('c');
    fake.run.finish();
    await again;
    const refused = refusal(session.regenerate());
    await macrotask();
    expect(fake.run.params.sampling).to.deep.equal({seed: 3});
    fake.run.fail(new GgufError('chat-template', 'no'));
    await refused;
    expect(session.messages.map(({content}) => content)).to.deep.equal(['a', 'c']);
  });

  it('names the message that cannot be one', () => {
    const {session} = setup();
    session.messages = [{role: 'user', content: 'kept'}];
    expect(() => (session.messages = [{role: 'user', content: 'a'}, {role: 'user'}])).to.throw(
      GgufError,
      'messages[1]',
    );
    expect(
      () =>
        (session.messages = [
          {id: 'x', role: 'user', content: ''},
          {id: 'x', role: 'user', content: ''},
        ]),
    ).to.throw(GgufError, 'messages[1]');
    expect(() => (session.messages = 'hello' as unknown as [])).to.throw(GgufError, 'not an array');
    expect(session.messages).to.have.length(1);
  });

  it('ends everything when it is disposed of, and can load again', async () => {
    const {session, fake, boots} = await readySession();
    const answer = refusal(session.send('hello'));
    await macrotask();
    session.dispose();
    expect(await answer).to.equal('terminated');
    expect(fake.calls).to.deep.equal(['terminate']);
    expect(session.status).to.equal('idle');
    expect(session.error).to.equal(null);
    await session.load();
    expect(boots()).to.equal(2);
  });
});
