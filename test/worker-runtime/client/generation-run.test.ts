import {expect} from '@open-wc/testing';
import {GenerationRun} from '../../../worker-runtime/client/generation-run.ts';
import type {GenerateResult, TokenEvent} from '../../../worker-runtime/protocol.ts';

const token = (index: number): TokenEvent => ({id: 100 + index, text: `t${index}`, index});
const resultOf = (finishReason: GenerateResult['finishReason']): GenerateResult => ({
  text: '',
  reasoning: null,
  tokens: [],
  finishReason,
  usage: {promptTokens: 1, cachedTokens: 0, completionTokens: 0, contextUsed: 1, contextLength: 8},
  timings: {prefillMs: 1, reasoningMs: null, firstTokenMs: null, decodeMs: 0, totalMs: 1},
});

/** A run whose tokens and end a test decides. */
class ManualRun {
  readonly run: GenerationRun;
  cancels = 0;
  push: (token: TokenEvent) => void = () => undefined;
  end: (result: GenerateResult) => void = () => undefined;
  fail: (error: Error) => void = () => undefined;

  constructor() {
    this.run = new GenerationRun(
      (onToken) => {
        this.push = onToken;
        return new Promise((resolve, reject) => {
          this.end = resolve;
          this.fail = reject;
        });
      },
      () => {
        this.cancels++;
        this.end(resultOf('cancelled'));
        return Promise.resolve();
      },
    );
  }

  async collect(): Promise<number[]> {
    const indexes: number[] = [];
    for await (const {index} of this.run) indexes.push(index);
    return indexes;
  }
}

describe('GenerationRun', () => {
  let manual: ManualRun;
  beforeEach(() => (manual = new ManualRun()));

  it('gives tokens that came before and during the iteration', async () => {
    manual.push(token(0));
    manual.push(token(1));
    const collected = manual.collect();
    await Promise.resolve();
    manual.push(token(2));
    manual.end(resultOf('stop'));
    expect(await collected).to.deep.equal([0, 1, 2]);
    expect((await manual.run.result).finishReason).to.equal('stop');
  });

  it('gives all tokens to an iteration that begins after the end', async () => {
    manual.push(token(0));
    manual.push(token(1));
    manual.end(resultOf('length'));
    await manual.run.result;
    expect(await manual.collect()).to.deep.equal([0, 1]);
  });

  it('gives the tokens that came before a failure, then fails', async () => {
    manual.push(token(0));
    manual.fail(new Error('trap'));
    const seen: number[] = [];
    let failure: unknown;
    try {
      for await (const {index} of manual.run) seen.push(index);
    } catch (error) {
      failure = error;
    }
    expect(seen).to.deep.equal([0]);
    expect(failure).to.be.an('error').with.property('message', 'trap');
    expect(await manual.run.result.catch((error: Error) => error.message)).to.equal('trap');
  });

  it('lets two iterations share the tokens, and ends both', async () => {
    const both = [manual.collect(), manual.collect()];
    await Promise.resolve();
    manual.push(token(0));
    manual.push(token(1));
    manual.push(token(2));
    manual.end(resultOf('stop'));
    expect((await Promise.all(both)).flat().sort()).to.deep.equal([0, 1, 2]);
  });

  it('cancels when the loop is left early', async () => {
    manual.push(token(0));
    for await (const {index} of manual.run) {
      expect(index).to.equal(0);
      break;
    }
    expect(manual.cancels).to.equal(1);
    expect((await manual.run.result).finishReason).to.equal('cancelled');
  });

  it('does not cancel what has ended', async () => {
    manual.end(resultOf('length'));
    await manual.run.result;
    expect((await manual.run.cancel()).finishReason).to.equal('length');
    expect(manual.cancels).to.equal(0);
  });

  it('resolves cancel with the result so far', async () => {
    manual.push(token(0));
    expect((await manual.run.cancel()).finishReason).to.equal('cancelled');
    expect(await manual.collect()).to.deep.equal([0]);
  });
});
