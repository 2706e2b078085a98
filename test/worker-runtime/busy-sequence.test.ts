import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../worker-runtime/client/index.ts';
import {tinyLlama} from '../helpers/gguf-writer.ts';
import {expectRefusal} from '../helpers/refusal.ts';
import {endless, greedy, longContext} from '../helpers/tiny-runs.ts';

describe('a sequence that is generating', () => {
  let runtime: GgufRuntime;
  before(async () => {
    runtime = await GgufRuntime.boot();
    await runtime.loadModel(tinyLlama({contextLength: longContext}));
  });
  after(() => runtime.terminate());

  it('is busy for others, which do not disturb it', async () => {
    await runtime.resetContext();
    const expected = await runtime.generate({...greedy, maxTokens: 300}).result;
    await runtime.resetContext();
    const run = runtime.generate({...greedy, maxTokens: 300});
    await expectRefusal(() => runtime.generate(greedy).result, 'sequence-busy');
    await expectRefusal(() => runtime.evaluate([1]), 'sequence-busy');
    expect(await runtime.tokenize('hello')).to.not.be.empty;
    await runtime.configureSampling({temperature: 2});
    await runtime.configureSampling({temperature: 0});
    expect((await run.result).tokens).to.deep.equal(expected.tokens);
  });

  it('ends as cancelled by reset-context, which leaves an empty context', async () => {
    const run = runtime.generate(endless);
    await runtime.resetContext();
    expect((await run.result).finishReason).to.equal('cancelled');
    expect((await runtime.diagnostics()).memory.kvUsedBytes).to.equal(0);
  });

  it('goes on while a load fails, and ends as cancelled when one succeeds', async () => {
    const run = runtime.generate(endless);
    await expectRefusal(() => runtime.loadModel(new Blob(['no model'])), 'not-gguf');
    expect((await runtime.diagnostics()).running).to.deep.equal(['generate']);
    await runtime.loadModel(tinyLlama({contextLength: longContext}));
    expect((await run.result).finishReason).to.equal('cancelled');
    expect((await runtime.generate(greedy).result).finishReason).to.equal('length');
  });

  it('ends as cancelled by free-model', async () => {
    const run = runtime.generate(endless);
    await runtime.freeModel();
    expect((await run.result).finishReason).to.equal('cancelled');
  });
});
