import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../worker-runtime/client/index.ts';
import type {GenerateOptions, GenerateResult} from '../../worker-runtime/client/index.ts';
import {tinyLlama} from '../helpers/gguf-writer.ts';
import {expectRefusal} from '../helpers/refusal.ts';
import {anyTokens, collect, endless, greedy, prompt, textOf} from '../helpers/tiny-runs.ts';

describe('generate', () => {
  let runtime: GgufRuntime;
  let expected: GenerateResult;
  before(async () => {
    runtime = await GgufRuntime.boot();
    await runtime.loadModel(tinyLlama());
    expected = await runtime.generate(greedy).result;
  });
  after(() => runtime.terminate());
  beforeEach(() => runtime.resetContext());

  it('streams exactly what the result holds', async () => {
    const run = runtime.generate(greedy);
    const streamed = await collect(run);
    const {text, tokens, finishReason, usage, timings} = await run.result;
    expect(streamed.map(({id}) => id)).to.deep.equal(tokens);
    expect(streamed.map(({index}) => index)).to.deep.equal(tokens.map((_, index) => index));
    expect(textOf(streamed)).to.equal(text);
    expect(finishReason).to.equal('length');
    expect(usage).to.deep.equal({
      promptTokens: 8,
      cachedTokens: 0,
      completionTokens: 24,
      // The last token is chosen, but not yet fed.
      contextUsed: 8 + 23,
      contextLength: 256,
    });
    expect(timings.firstTokenMs).to.be.at.least(timings.prefillMs);
    expect(timings.totalMs).to.be.at.least((timings.firstTokenMs ?? NaN) + timings.decodeMs);
  });

  it('says how far the prefill is', async () => {
    const seen: {done: number; total: number; cached: number}[] = [];
    await runtime.generate({...greedy, tokens: anyTokens(200), onPrefill: (p) => seen.push(p)}).result;
    expect(seen.length).to.be.greaterThan(1);
    expect(seen.at(-1)).to.deep.equal({done: 200, total: 200, cached: 0});
    const done = seen.map((progress) => progress.done);
    expect(done).to.deep.equal([...new Set(done)].sort((a, b) => a - b));
  });

  it('chooses the most probable token when greedy', async () => {
    const {logits, vocab} = await runtime.evaluate([...prompt, ...expected.tokens]);
    expected.tokens.forEach((token, index) => {
      const row = logits.subarray((prompt.length - 1 + index) * vocab, (prompt.length + index) * vocab);
      expect(row.indexOf(Math.max(...row))).to.equal(token);
    });
  });

  it('gives the same tokens for a prompt as text and as tokens', async () => {
    const text = 'the hello and';
    const tokens = await runtime.tokenize(text, {addSpecial: true, parseSpecial: true});
    const settings = {maxTokens: 4, ignoreEndOfGeneration: true};
    const fromText = await runtime.generate({...settings, prompt: text}).result;
    const fromTokens = await runtime.generate({...settings, tokens}).result;
    expect(fromText.tokens).to.deep.equal(fromTokens.tokens);
    expect(fromText.usage.promptTokens).to.equal(tokens.length);
  });

  it('continues from BOS alone where the prompt is empty', async () => {
    const {usage} = await runtime.generate({prompt: '', maxTokens: 1}).result;
    expect(usage.promptTokens).to.equal(1);
  });

  it('answers messages through the chat template', async () => {
    const messages = [{role: 'user', content: 'hello'}];
    const {usage} = await runtime.generate({messages, maxTokens: 2}).result;
    const text = await runtime.applyTemplate(messages, {addGenerationPrompt: true});
    expect(text).to.include('hello');
    expect(usage.promptTokens).to.be.greaterThan(1);
  });

  describe('ends', () => {
    it('after maxTokens', async () => {
      for (const maxTokens of [1, 2, 7]) {
        const {tokens, finishReason} = await runtime.generate({...greedy, maxTokens}).result;
        expect(tokens).to.deep.equal(expected.tokens.slice(0, maxTokens));
        expect(finishReason).to.equal('length');
      }
    });

    it('when the context is full', async () => {
      const {tokens, usage, finishReason} = await runtime.generate(endless).result;
      expect(finishReason).to.equal('context-full');
      expect(usage.contextUsed).to.equal(256);
      // One more than there are positions: the last one is never fed.
      expect(prompt.length + tokens.length).to.equal(257);
    });

    it('when a prompt fills the context', async () => {
      const {tokens, finishReason, usage} = await runtime.generate({...endless, tokens: anyTokens(256)})
        .result;
      expect(tokens).to.have.length(1);
      expect(finishReason).to.equal('context-full');
      expect(usage.contextUsed).to.equal(256);
    });

    it('at a stop string, within a token or across several', async () => {
      const {text} = expected;
      for (const [from, to] of [
        [3, 4],
        [5, 9],
        [1, 2],
      ] as const) {
        const stop = text.slice(from, to);
        const run = runtime.generate({...greedy, stop: ['never there', stop]});
        const streamed = textOf(await collect(run));
        const result = await run.result;
        expect(result.text).to.equal(text.slice(0, text.indexOf(stop)));
        expect(streamed).to.equal(result.text);
        expect(result.finishReason).to.equal('stop');
      }
    });

    it('with what was held back for a stop string that did not come', async () => {
      const stop = `${expected.text.slice(-2)}and then`;
      const run = runtime.generate({...greedy, stop: [stop]});
      const streamed = textOf(await collect(run));
      const {text, finishReason} = await run.result;
      expect({text, finishReason}).to.deep.equal({text: expected.text, finishReason: 'length'});
      expect(streamed).to.equal(text);
    });
  });

  it('tells the probabilities of tokens', async () => {
    const run = runtime.generate({...greedy, maxTokens: 4, topLogprobs: 20});
    for (const {id, logprob = NaN, top = []} of await collect(run)) {
      expect(top).to.have.length(20);
      expect(top[0]).to.deep.equal({id, logprob});
      const logprobs = top.map((candidate) => candidate.logprob);
      expect(logprobs).to.deep.equal([...logprobs].sort((a, b) => b - a));
      expect(new Set(top.map((candidate) => candidate.id)).size).to.equal(20);
      const sum = logprobs.reduce((total, value) => total + Math.exp(value), 0);
      expect(sum).to.be.within(20 / 400, 1);
    }
    const {logits, vocab} = await runtime.evaluate(prompt);
    const row = logits.slice(-vocab);
    const total = row.reduce((sum, value) => sum + Math.exp(value), 0);
    await runtime.resetContext();
    const [first] = await collect(runtime.generate({...greedy, maxTokens: 1, topLogprobs: 2}));
    for (const {id, logprob} of first?.top ?? []) {
      expect(logprob).to.be.closeTo((row[id] ?? NaN) - Math.log(total), 1e-4);
    }
  });

  it('tells the probabilities of the model, whatever the sampling', async () => {
    const [plain] = await collect(runtime.generate({...greedy, maxTokens: 1, topLogprobs: 5}));
    const sampling = {temperature: 2, topK: 3, repeatPenalty: 1.5, seed: 4};
    const [sampled] = await collect(runtime.generate({...greedy, maxTokens: 1, topLogprobs: 5, sampling}));
    expect(sampled?.top).to.deep.equal(plain?.top);
  });

  it('gives no probabilities unasked', async () => {
    const [token] = await collect(runtime.generate({...greedy, maxTokens: 1}));
    expect(token).to.have.all.keys('id', 'text', 'index');
  });

  it('refuses a prompt that cannot be used, and leaves the context', async () => {
    await runtime.generate(greedy).result;
    const {kvUsedBytes} = (await runtime.diagnostics()).memory;
    const refused: [GenerateOptions, string, string][] = [
      [{}, 'invalid-prompt', 'prompt'],
      [{prompt: 'a', tokens: [1]}, 'invalid-prompt', 'prompt'],
      [{messages: [], prompt: 'a'}, 'invalid-prompt', 'prompt'],
      [{tokens: []}, 'invalid-prompt', 'prompt'],
      [{tokens: [1, 2.5]}, 'invalid-prompt', 'tokens[1]'],
      [{tokens: [1, 1e6]}, 'invalid-prompt', 'tokens[1]'],
      [{tokens: anyTokens(257)}, 'prompt-too-long', 'prompt'],
      [{prompt: 'hello '.repeat(300)}, 'prompt-too-long', 'prompt'],
      [{tokens: [1], maxTokens: 0}, 'invalid-setting', 'maxTokens'],
      [{tokens: [1], maxTokens: 1.5}, 'invalid-setting', 'maxTokens'],
      [{tokens: [1], topLogprobs: 21}, 'invalid-setting', 'topLogprobs'],
      [{tokens: [1], topLogprobs: -1}, 'invalid-setting', 'topLogprobs'],
      [{tokens: [1], stop: ['']}, 'invalid-setting', 'stop'],
    ];
    for (const [options, name, field] of refused) {
      const error = await expectRefusal(() => runtime.generate(options).result, name as 'invalid-prompt');
      expect(error.field, JSON.stringify(options)).to.include(field);
      expect(error.recoverable).to.be.true;
    }
    expect((await runtime.diagnostics()).memory.kvUsedBytes).to.equal(kvUsedBytes);
    expect((await runtime.generate(greedy).result).usage.cachedTokens).to.equal(prompt.length - 1);
  });

  it('counts what it did', async () => {
    const {counters: before} = await runtime.diagnostics();
    await runtime.generate(greedy).result;
    await runtime.generate(greedy).result;
    const {counters: after} = await runtime.diagnostics();
    expect(after.promptTokens - before.promptTokens).to.equal(16);
    expect(after.cachedTokens - before.cachedTokens).to.equal(7);
    expect(after.generatedTokens - before.generatedTokens).to.equal(48);
    expect(after.requests - before.requests).to.equal(3);
  });
});

describe('the end of generation', () => {
  it('is where the model gives an end token; that token is not part of the answer', async () => {
    const runtime = await GgufRuntime.boot();
    await runtime.loadModel(tinyLlama());
    const {tokens} = await runtime.generate(greedy).result;
    // A token that comes for the first time after some others becomes the end token of the same weights.
    const index = tokens.findIndex((token, i) => i >= 2 && tokens.indexOf(token) === i);
    const end = tokens[index] ?? NaN;
    await runtime.loadModel(tinyLlama({metadata: {'tokenizer.ggml.eos_token_id': end}}));
    const result = await runtime.generate({...greedy, ignoreEndOfGeneration: false}).result;
    expect(result.tokens).to.deep.equal(tokens.slice(0, index));
    expect(result.finishReason).to.equal('stop');
    expect(result.usage.completionTokens).to.equal(index);
    const ignored = await runtime.generate(greedy).result;
    expect(ignored.tokens).to.deep.equal(tokens);
    runtime.terminate();
  });
});
