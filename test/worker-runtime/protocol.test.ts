import {expect} from '@open-wc/testing';
import {errorRegistry} from '../../worker-runtime/errors.ts';
import {protocolVersion} from '../../worker-runtime/protocol.ts';
import type {Response} from '../../worker-runtime/protocol.ts';
import {tinyLlama} from '../helpers/gguf-writer.ts';
import {RawWorker} from '../helpers/raw-worker.ts';

const loadTiny = (worker: RawWorker) =>
  worker.result('load-model', {source: new Blob([tinyLlama({contextLength: 4096})])});

/** Every ArrayBuffer inside a message. */
function buffersIn(value: unknown): ArrayBuffer[] {
  if (value instanceof ArrayBuffer) return [value];
  if (ArrayBuffer.isView(value)) return [value.buffer as ArrayBuffer];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(buffersIn) : [];
}

describe('the protocol before boot', () => {
  let worker: RawWorker;
  beforeEach(() => (worker = new RawWorker()));
  afterEach(() => worker.terminate());

  it('refuses every command that needs the core', async () => {
    const kinds = [
      'load-model',
      'configure-sampling',
      'generate',
      'reset-context',
      'free-model',
      'diagnostics',
    ];
    for (const kind of [...kinds, 'tokenize', 'detokenize', 'apply-template', 'evaluate']) {
      expect((await worker.error(kind, {})).name, kind).to.equal('not-booted');
    }
  });

  it('refuses another protocol version and names both', async () => {
    const {name, message, recoverable} = await worker.error('boot', {protocolVersion: 99});
    expect(name).to.equal('protocol-version');
    expect(message).to.include('99').and.include(String(protocolVersion));
    expect(recoverable).to.be.false;
  });

  it('refuses a core that does not exist', async () => {
    const {name, field} = await worker.error('boot', {protocolVersion, core: 'turbo'});
    expect({name, field}).to.deep.equal({name: 'invalid-setting', field: 'core'});
  });

  it('boots, also after a refused boot, and again', async () => {
    await worker.error('boot', {protocolVersion: 0});
    const first = await worker.result('boot', {protocolVersion});
    expect(await worker.result('boot', {protocolVersion})).to.deep.equal(first);
  });
});

describe('the protocol', () => {
  let worker: RawWorker;
  beforeEach(async () => (worker = await RawWorker.booted()));
  afterEach(() => worker.terminate());

  it('answers what is not a request with an error, and goes on', async () => {
    const malformed: unknown[] = [
      null,
      'generate',
      42,
      [],
      {type: 'request', id: 901, kind: 'diagnostics'},
      {type: 'request', id: 902, kind: 'diagnostics', params: null},
      {type: 'request', id: 903, kind: 7, params: {}},
      {type: 'response', id: 904, kind: 'diagnostics', params: {}},
      {type: 'request', id: 1.5, kind: 'diagnostics', params: {}},
      {type: 'request', id: '905', kind: 'diagnostics', params: {}},
      {type: 'request', kind: 'diagnostics', params: {}},
    ];
    const before = worker.received.length;
    for (const message of malformed) worker.post(message);
    await worker.result('diagnostics', {});
    const answers = worker.received.slice(before, -1);
    expect(answers).to.have.length(malformed.length);
    for (const answer of answers) {
      expect(answer.type === 'error' && answer.error.name).to.equal('invalid-message');
    }
    expect(answers.map(({id}) => id)).to.deep.equal([-1, -1, -1, -1, 901, 902, 903, 904, 1.5, -1, -1]);
  });

  it('names an unknown command', async () => {
    for (const kind of ['reboot', 'toString', '__proto__']) {
      const {name, message, field} = await worker.error(kind, {});
      expect({name, field}).to.deep.equal({name: 'invalid-message', field: 'kind'});
      expect(message).to.include(`"${kind}"`);
    }
  });

  it('refuses an ID that is in use, without ending the request that has it', async () => {
    await loadTiny(worker);
    const id = worker.send('generate', {tokens: [1], maxTokens: 200, ignoreEndOfGeneration: true});
    worker.post({type: 'request', id, kind: 'diagnostics', params: {}});
    worker.post({type: 'nonsense', id});
    const outcome = await worker.outcome<'generate'>(id);
    expect('result' in outcome && outcome.result.tokens.length).to.equal(200);
    const refusals = worker.received.filter((response) => response.type === 'error');
    expect(refusals.map((refusal) => refusal.id)).to.deep.equal([-1, -1]);
  });

  it('ends each request exactly once, after all of its notifications', async () => {
    await loadTiny(worker);
    const ids = [
      worker.send('generate', {tokens: [1, 70, 80], maxTokens: 5}),
      worker.send('evaluate', {tokens: [1]}),
      worker.send('configure-sampling', {temperature: -1}),
      worker.send('load-model', {source: new Blob(['no model'])}),
      worker.send('cancel', {target: 1}),
      worker.send('reset-context', {}),
      worker.send('free-model', {}),
      worker.send('nonsense', {}),
    ];
    await Promise.all(ids.map((id) => worker.outcome(id)));
    // Whatever came late would be here before the answer to one more request.
    await worker.result('diagnostics', {});
    for (const id of ids) {
      const types = worker.received.filter((response) => response.id === id).map(({type}) => type);
      expect(types.at(-1), `request ${id}`).to.be.oneOf(['result', 'error']);
      expect(types.slice(0, -1).every((type) => type === 'notification')).to.be.true;
    }
  });

  it('refuses settings that it does not have', async () => {
    const refused: [string, Record<string, unknown>, string][] = [
      ['boot', {protocolVersion, threads: 2}, 'threads'],
      ['load-model', {source: new Blob([tinyLlama()]), quantise: 'Q4_0'}, 'quantise'],
      ['generate', {tokens: [1], grammar: 'root ::= "a"'}, 'grammar'],
      ['configure-sampling', {warmth: 1}, 'warmth'],
    ];
    await loadTiny(worker);
    for (const [kind, params, setting] of refused) {
      const {name, field, message} = await worker.error(kind, params);
      expect(field, message).to.equal(setting);
      expect(name).to.equal(kind === 'configure-sampling' ? 'invalid-setting' : 'unsupported-feature');
    }
    await worker.result('generate', {tokens: [1], maxTokens: 1});
  });

  it('refuses to boot again with another core', async () => {
    const {core} = await worker.result('boot', {protocolVersion});
    const other = core === 'relaxed' ? 'baseline' : 'relaxed';
    const {name, field} = await worker.error('boot', {protocolVersion, core: other});
    expect({name, field}).to.deep.equal({name: 'invalid-setting', field: 'core'});
    expect((await worker.result('boot', {protocolVersion})).core).to.equal(core);
  });

  it('gives errors as data of the registry', async () => {
    await loadTiny(worker);
    const errors = [
      await worker.error('configure-sampling', {topP: 2}),
      await worker.error('load-model', {source: new Blob(['<html>'])}),
      await worker.error('load-model', {source: 7}),
      await worker.error('load-model', {}),
      await worker.error('generate', {}),
      await worker.error('tokenize', {text: 7}),
      await worker.error('tokenize', {}),
      await worker.error('detokenize', {tokens: 'abc'}),
      await worker.error('detokenize', {tokens: [1e9]}),
      await worker.error('apply-template', {messages: 'hi'}),
      await worker.error('evaluate', {tokens: {}}),
      await worker.error('evaluate', {tokens: [1], sliceLength: 0}),
    ];
    for (const {name, code, stage, recoverable, message} of errors) {
      const entry = errorRegistry[name];
      expect({code, stage, recoverable}).to.deep.equal({
        code: entry.code,
        stage: entry.stage,
        recoverable: entry.recoverable,
      });
      expect(message).to.be.a('string').and.not.equal('');
      expect(name, message).to.not.be.oneOf(['internal', 'compute-failed']);
    }
  });

  it('does not find targets of cancel that never were or have ended', async () => {
    const done = worker.send('diagnostics', {});
    await worker.outcome(done);
    for (const target of [done, 12345, -1, NaN, 'x', undefined]) {
      worker.post({type: 'request', id: 7000, kind: 'cancel', params: {target}});
      expect(await worker.outcome<'cancel'>(7000)).to.deep.equal({result: {found: false}});
      worker.received.length = 0;
    }
    const {counters} = await worker.result('diagnostics', {});
    expect(counters.cancels).to.equal(0);
  });

  it('cancels a request of another kind than generate too', async () => {
    await loadTiny(worker);
    const tokens = Array.from({length: 4000}, (_, index) => index % 300);
    const id = worker.send('evaluate', {tokens, sliceLength: 1});
    expect(await worker.result('cancel', {target: id})).to.deep.equal({found: true});
    expect(await worker.outcome(id)).to.deep.equal({result: {cancelled: true}});
  });

  it('reports what is running', async () => {
    await loadTiny(worker);
    const id = worker.send('generate', {tokens: [1], ignoreEndOfGeneration: true});
    const {running} = await worker.result('diagnostics', {});
    expect(running).to.deep.equal(['generate']);
    await worker.result('cancel', {target: id});
    await worker.outcome(id);
    expect((await worker.result('diagnostics', {})).running).to.deep.equal([]);
  });
});

describe('handles in messages', () => {
  let worker: RawWorker;
  beforeEach(async () => (worker = await RawWorker.booted()));
  afterEach(() => worker.terminate());

  it('are stale after another load and after free-model', async () => {
    const first = await loadTiny(worker);
    const second = await loadTiny(worker);
    expect(second.model).to.not.deep.equal(first.model);
    for (const {model, sequence} of [first]) {
      expect((await worker.error('generate', {tokens: [1], sequence})).name).to.equal('stale-handle');
      expect((await worker.error('evaluate', {tokens: [1], sequence})).name).to.equal('stale-handle');
      expect((await worker.error('reset-context', {sequence})).name).to.equal('stale-handle');
      expect((await worker.error('free-model', {model})).name).to.equal('stale-handle');
    }
    await worker.result('generate', {tokens: [1], maxTokens: 1, sequence: second.sequence});
    await worker.result('free-model', {model: second.model});
    expect((await worker.error('free-model', {model: second.model})).name).to.equal('stale-handle');
    const third = await loadTiny(worker);
    expect((await worker.error('generate', {tokens: [1], sequence: second.sequence})).name).to.equal(
      'stale-handle',
    );
    await worker.result('reset-context', {sequence: third.sequence});
  });

  it('are refused where they are none', async () => {
    const {model, sequence} = await loadTiny(worker);
    const forged = [null, 0, 'sequence', {}, model, {...sequence, generation: 99}, {...sequence, id: -1}];
    for (const handle of [...forged, {...sequence, id: 'length'}, {...sequence, id: '__proto__'}]) {
      const {name} = await worker.error('generate', {tokens: [1], sequence: handle});
      expect(name, JSON.stringify(handle)).to.equal('stale-handle');
    }
    expect((await worker.error('free-model', {model: sequence})).name).to.equal('stale-handle');
    await worker.result('generate', {tokens: [1], maxTokens: 1});
  });
});

describe('ownership of memory', () => {
  it('takes an ArrayBuffer and never gives WebAssembly memory away', async () => {
    const worker = await RawWorker.booted();
    const source = tinyLlama();
    const info = await worker.result('load-model', {source}, [source]);
    expect(source.byteLength).to.equal(0);
    await worker.result('generate', {tokens: [1, 70], maxTokens: 4, topLogprobs: 3});
    const first = await worker.result('evaluate', {tokens: [1, 70, 80]});
    const second = await worker.result('evaluate', {tokens: [1, 70, 80]});
    await worker.result('diagnostics', {});
    if (!('logits' in first && 'logits' in second)) throw new Error('cancelled');
    // An answer is exactly as large as what it says, and of its own.
    const bytes = 3 * info.vocabularySize * 4;
    const buffers = worker.received.flatMap((response: Response) => buffersIn(response));
    expect(buffers).to.deep.equal([first.logits.buffer, second.logits.buffer]);
    for (const buffer of buffers) expect(buffer.byteLength).to.equal(bytes);
    const values = [...second.logits];
    first.logits.fill(0);
    expect([...second.logits]).to.deep.equal(values);
    worker.terminate();
  });
});
