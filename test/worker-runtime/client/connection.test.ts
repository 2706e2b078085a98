import {expect} from '@open-wc/testing';
import {Connection} from '../../../worker-runtime/client/connection.ts';
import {GgufError} from '../../../worker-runtime/errors.ts';
import type {ErrorData} from '../../../worker-runtime/errors.ts';
import {defaultSampling} from '../../../worker-runtime/protocol.ts';
import type {Response} from '../../../worker-runtime/protocol.ts';
import {FakeWorker} from '../../helpers/fake-worker.ts';
import {expectRefusal} from '../../helpers/refusal.ts';

const progress = (id: number, loadedBytes: number): Response => ({
  type: 'notification',
  id,
  kind: 'load-model',
  notification: {kind: 'progress', payload: {phase: 'tensors', loadedBytes, totalBytes: null}},
});
const configured = (id: number): Response => ({
  type: 'result',
  id,
  kind: 'configure-sampling',
  result: defaultSampling,
});

describe('Connection', () => {
  let worker: FakeWorker;
  let connection: Connection;
  beforeEach(() => {
    worker = new FakeWorker();
    connection = new Connection(worker);
  });

  it('sends typed requests with IDs that never repeat', () => {
    void connection.request('tokenize', {text: 'a'});
    void connection.request('tokenize', {text: 'b'});
    const [first, second] = worker.sent;
    expect(first).to.deep.include({type: 'request', kind: 'tokenize', params: {text: 'a'}});
    expect(second?.id).to.not.equal(first?.id);
  });

  it('gives each answer to its own request, in any order', async () => {
    const a = connection.request('tokenize', {text: 'a'});
    const b = connection.request('tokenize', {text: 'b'});
    worker.answer({type: 'result', id: b.id, kind: 'tokenize', result: {tokens: [2]}});
    worker.answer({type: 'result', id: a.id, kind: 'tokenize', result: {tokens: [1]}});
    expect((await a.result).tokens).to.deep.equal([1]);
    expect((await b.result).tokens).to.deep.equal([2]);
  });

  it('gives notifications to the request, and ignores what comes after its end', async () => {
    const seen: number[] = [];
    const {id, result} = connection.request(
      'load-model',
      {source: '/x.gguf'},
      {onNotification: ({payload}) => seen.push(payload.loadedBytes)},
    );
    worker.answer(progress(id, 1));
    worker.answer(progress(id, 2));
    const error: ErrorData = new GgufError('not-gguf', 'no', {field: 'magic'}).toData();
    worker.answer({type: 'error', id, error});
    worker.answer(progress(id, 3));
    worker.answer({type: 'error', id, error});
    const received = await expectRefusal(() => result, 'not-gguf', 'no');
    expect(received.toData()).to.deep.equal(error);
    expect(seen).to.deep.equal([1, 2]);
  });

  it('ignores answers to nobody', () => {
    expect(() => worker.answer(configured(77))).to.not.throw();
  });

  it('refuses an answer of another kind', async () => {
    const {id, result} = connection.request('tokenize', {text: 'a'});
    worker.answer(configured(id));
    await expectRefusal(() => result, 'invalid-message', 'tokenize');
  });

  it('transfers buffers', () => {
    const source = new ArrayBuffer(8);
    void connection.request('load-model', {source}, {transfer: [source]});
    expect(worker.transferred).to.deep.equal([source]);
    expect(source.byteLength).to.equal(0);
  });

  it('refuses parameters that cannot be cloned, and goes on', async () => {
    const bad = {text: () => 'a'} as unknown as {text: string};
    await expectRefusal(() => connection.request('tokenize', bad).result, 'invalid-message', 'tokenize');
    const {id, result} = connection.request('tokenize', {text: 'a'});
    worker.answer({type: 'result', id, kind: 'tokenize', result: {tokens: []}});
    await result;
  });

  it('rejects all that is under way, and all that comes, after terminate', async () => {
    const pending = [connection.request('diagnostics', {}), connection.request('tokenize', {text: 'a'})];
    connection.terminate();
    for (const {result} of pending) await expectRefusal(() => result, 'terminated');
    await expectRefusal(() => connection.request('diagnostics', {}).result, 'terminated');
    expect(worker.sent).to.have.length(2);
    connection.terminate();
    expect(worker.terminations).to.equal(1);
  });

  it('rejects all with the reason when the Worker throws', async () => {
    const {result} = connection.request('diagnostics', {});
    worker.fire(new ErrorEvent('error', {message: 'Uncaught TypeError: x is not a function'}));
    await expectRefusal(() => result, 'worker-failed', 'x is not a function');
    await expectRefusal(() => connection.request('diagnostics', {}).result, 'worker-failed');
    expect(worker.terminations).to.equal(1);
  });

  it('rejects all when the script cannot be loaded', async () => {
    const {result} = connection.request('diagnostics', {});
    // A Worker whose script is missing or forbidden fires a plain Event.
    worker.fire(new Event('error'));
    await expectRefusal(() => result, 'worker-failed', 'could not be loaded');
  });

  it('rejects all when a message cannot be read', async () => {
    const {result} = connection.request('diagnostics', {});
    worker.fire(new MessageEvent('messageerror'));
    await expectRefusal(() => result, 'worker-failed', 'could not be read');
  });
});
