import {expect} from '@open-wc/testing';
import {errorRegistry, GgufError} from '../../worker-runtime/errors.ts';
import type {ErrorData, ErrorName} from '../../worker-runtime/errors.ts';

const entries = Object.entries(errorRegistry);

describe('the error registry', () => {
  it('gives every error a number of its own', () => {
    const codes = entries.map(([, {code}]) => code);
    expect(new Set(codes).size).to.equal(codes.length);
  });

  it('numbers each stage in its own hundred', () => {
    const stages = ['protocol', 'network', 'storage', 'format', 'unsupported', 'memory', 'compute'];
    for (const [name, {code, stage}] of entries) {
      expect(stages[Math.floor(code / 100) - 1], name).to.equal(stage);
    }
  });

  it('says what each means and what helps', () => {
    for (const [name, {help}] of entries) expect(help, name).to.match(/^[A-Z].*\.$/);
  });

  it('has kebab-case names', () => {
    for (const [name] of entries) expect(name).to.match(/^[a-z]+(-[a-z]+)*$/);
  });
});

describe('GgufError', () => {
  it('crosses the Worker boundary unchanged', () => {
    for (const [name] of entries) {
      const sent = new GgufError(name as ErrorName, 'what happened', {field: 'llama.block_count'});
      const received = GgufError.fromData(structuredClone(sent.toData()));
      expect(received.toData()).to.deep.equal(sent.toData());
      expect(received).to.be.instanceOf(Error);
    }
  });

  it('shows number and name', () => {
    expect(String(new GgufError('no-model', 'No model is loaded'))).to.equal(
      'No model is loaded (103 no-model)',
    );
  });

  it('leaves out the field where there is none', () => {
    expect(new GgufError('no-model', 'No model is loaded').toData()).to.not.have.property('field');
  });

  it('wraps what is none of its own', () => {
    const own = new GgufError('not-gguf', 'no');
    expect(GgufError.from(own)).to.equal(own);
    expect(GgufError.from(new TypeError('oops'))).to.include({name: 'internal', message: 'oops'});
    expect(GgufError.from('oops')).to.include({name: 'internal', message: 'oops'});
    expect(GgufError.from(new WebAssembly.RuntimeError('unreachable')).name).to.equal('compute-failed');
  });

  it('still tells what a newer release reports under a name that this one does not know', () => {
    const data = {code: 999, name: 'from-the-future', message: 'Something new'} as unknown as ErrorData;
    const error = GgufError.fromData(data);
    expect(error.message).to.include('Something new').and.include('999 from-the-future');
  });
});
