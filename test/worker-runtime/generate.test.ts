import {expect} from '@open-wc/testing';
import {GenerationRun, GgufRuntime} from '../../worker-runtime/client/index.ts';
import type {GenerateOptions, GenerateResult, TokenEvent} from '../../worker-runtime/client/index.ts';
import {tinyLlama} from '../helpers/gguf-writer.ts';
import {expectRefusal} from '../helpers/refusal.ts';

const prompt = [1, 270, 280, 290, 300, 271, 281, 291];
const greedy = {tokens: prompt, maxTokens: 24, ignoreEndOfGeneration: true} as const;
const endless = {tokens: prompt, ignoreEndOfGeneration: true} as const;
const longContext = 4096;

async function collect(run: AsyncIterable<TokenEvent>): Promise<TokenEvent[]> {
  const tokens: TokenEvent[] = [];
  for await (const token of run) tokens.push(token);
  return tokens;
}

const textOf = (tokens: readonly TokenEvent[]): string => tokens.map(({text}) => text).join('');
const anyTokens = (count: number, seed = 1): number[] =>
  Array.from({length: count}, (_, index) => (index * 31 + seed * 17) % 300);

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

  describe('reuses the context', () => {
    const again = (tokens: readonly number[]) => runtime.generate({...greedy, tokens, maxTokens: 8}).result;

    it('where the prompt goes on, with the same answer as without', async () => {
      const first = await again(prompt);
      const second = [...prompt, ...first.tokens, 275, 285];
      const {usage, tokens} = await again(second);
      expect(usage.cachedTokens).to.equal(prompt.length + first.tokens.length - 1);
      await runtime.resetContext();
      const fresh = await again(second);
      expect(fresh.usage.cachedTokens).to.equal(0);
      expect(tokens).to.deep.equal(fresh.tokens);
    });

    it('up to where the prompt differs', async () => {
      await again(prompt);
      const other = [...prompt.slice(0, 3), 299, 298];
      const {usage, tokens} = await again(other);
      expect(usage.cachedTokens).to.equal(3);
      await runtime.resetContext();
      expect((await again(other)).tokens).to.deep.equal(tokens);
    });

    it('but feeds the last token again, whose logits it needs', async () => {
      const first = await again(prompt);
      const {usage, tokens} = await again(prompt);
      expect(usage.cachedTokens).to.equal(prompt.length - 1);
      expect(tokens).to.deep.equal(first.tokens);
    });

    it('until it is reset; the model stays', async () => {
      const {model} = await runtime.diagnostics();
      await again(prompt);
      await runtime.resetContext();
      expect((await runtime.diagnostics()).memory.kvUsedBytes).to.equal(0);
      expect((await runtime.diagnostics()).model).to.deep.equal(model);
      expect((await again(prompt)).usage.cachedTokens).to.equal(0);
    });
  });

  describe('samples', () => {
    const sampled = async (seed: number, temperature = 1.5): Promise<readonly number[]> =>
      (await runtime.generate({...greedy, sampling: {temperature, seed}}).result).tokens;

    it('the same for the same seed', async () => {
      const first = await sampled(7);
      expect(await sampled(7)).to.deep.equal(first);
      expect(await sampled(8)).to.not.deep.equal(first);
      expect(await sampled(2 ** 53 - 1)).to.deep.equal(await sampled(2 ** 53 - 1));
      expect(first).to.not.deep.equal(expected.tokens);
    });

    it('greedily at temperature 0, whatever the seed', async () => {
      expect(await sampled(7, 0)).to.deep.equal(expected.tokens);
    });

    it('by the configured settings, which one run may override for itself', async () => {
      const settings = await runtime.configureSampling({temperature: 1.5, seed: 7});
      expect(settings).to.include({temperature: 1.5, seed: 7, topP: 1});
      const {tokens} = await runtime.generate(greedy).result;
      expect((await runtime.generate({...greedy, sampling: {temperature: 0}}).result).tokens).to.deep.equal(
        expected.tokens,
      );
      expect((await runtime.generate(greedy).result).tokens).to.deep.equal(tokens);
      expect((await runtime.diagnostics()).sampling).to.deep.equal(settings);
      await runtime.configureSampling({temperature: 0, seed: 1});
      expect(await sampled(7)).to.deep.equal(tokens);
    });

    it('by the settings before, where new ones are refused', async () => {
      const before = (await runtime.diagnostics()).sampling;
      for (const [key, values] of Object.entries({
        temperature: [-1, NaN, Infinity, '1'],
        topP: [0, 1.1, NaN],
        topK: [-1, 1.5],
        minP: [-0.1, 1.1],
        repeatPenalty: [0, -1],
        repeatLastN: [-1, 0.5],
        seed: [-1, 0.5, 2 ** 53],
        warmth: [1],
      })) {
        for (const value of values) {
          const bad = {topK: 5, [key]: value};
          const error = await expectRefusal(() => runtime.configureSampling(bad), 'invalid-setting', key);
          expect(error.field).to.equal(key);
          await expectRefusal(
            () => runtime.generate({...greedy, sampling: bad}).result,
            'invalid-setting',
            key,
          );
        }
      }
      expect((await runtime.diagnostics()).sampling).to.deep.equal(before);
      expect((await runtime.generate(greedy).result).tokens).to.deep.equal(expected.tokens);
    });
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

describe('cancelling generate', () => {
  let runtime: GgufRuntime;
  const longPrompt = anyTokens(3000);
  const fresh = async (options: GenerateOptions): Promise<readonly number[]> => {
    await runtime.resetContext();
    return (await runtime.generate(options).result).tokens;
  };
  before(async () => {
    runtime = await GgufRuntime.boot();
    await runtime.loadModel(tinyLlama({contextLength: longContext}));
  });
  after(() => runtime.terminate());
  beforeEach(() => runtime.resetContext());

  /** What a page would ask next: the conversation so far and one more question. */
  async function expectConsistent(conversation: readonly number[], least: number): Promise<void> {
    const next = {...greedy, tokens: [...conversation, 277, 288]};
    const {tokens, usage} = await runtime.generate(next).result;
    expect(usage.cachedTokens).to.be.within(least, conversation.length);
    expect(tokens).to.deep.equal(await fresh(next));
  }

  it('in decode keeps the answer so far, and the context', async () => {
    const run = runtime.generate(endless);
    const streamed: TokenEvent[] = [];
    for await (const token of run) {
      streamed.push(token);
      if (streamed.length === 3) void run.cancel();
    }
    const {tokens, text, finishReason, usage} = await run.result;
    expect(finishReason).to.equal('cancelled');
    expect(tokens.length).to.be.within(3, longContext - prompt.length - 1);
    expect(streamed.map(({id}) => id)).to.deep.equal(tokens);
    expect(text.startsWith(textOf(streamed))).to.be.true;
    expect(usage.contextUsed).to.be.within(prompt.length + tokens.length - 1, prompt.length + tokens.length);
    await expectConsistent([...prompt, ...tokens], prompt.length + tokens.length - 1);
  });

  it('in prefill keeps what was fed', async () => {
    const run = await new Promise<GenerationRun>((resolve) => {
      const begun: GenerationRun = runtime.generate({
        ...endless,
        tokens: longPrompt,
        onPrefill: () => resolve(begun),
      });
    });
    const {tokens, text, finishReason, usage, timings} = await run.cancel();
    expect({tokens, text, finishReason}).to.deep.equal({tokens: [], text: '', finishReason: 'cancelled'});
    expect(usage.contextUsed).to.be.within(1, longPrompt.length - 1);
    expect(timings.firstTokenMs).to.equal(null);
    await expectConsistent(longPrompt, usage.contextUsed);
  });

  it('by its signal, at any time', async () => {
    for (const delay of [0, 1, 5, 20]) {
      const controller = new AbortController();
      const {signal} = controller;
      const run = runtime.generate({...endless, tokens: anyTokens(300, delay), signal});
      setTimeout(() => controller.abort(), delay);
      const {finishReason, tokens} = await run.result;
      expect(finishReason).to.equal('cancelled');
      await expectConsistent([...anyTokens(300, delay), ...tokens], 0);
    }
    const {finishReason} = await runtime.generate({...endless, signal: AbortSignal.abort()}).result;
    expect(finishReason).to.equal('cancelled');
  });

  it('by leaving the loop', async () => {
    const run = runtime.generate(endless);
    for await (const {index} of run) if (index === 2) break;
    const {finishReason, tokens} = await run.result;
    expect(finishReason).to.equal('cancelled');
    expect((await runtime.diagnostics()).running).to.deep.equal([]);
    await expectConsistent([...prompt, ...tokens], prompt.length);
  });

  it('again and again, at random moments, changes nothing in the next answer', async () => {
    const expected = await fresh(greedy);
    for (let round = 0; round < 40; round++) {
      const run = runtime.generate({...endless, tokens: anyTokens(50 + round * 7, round)});
      await new Promise((resolve) => setTimeout(resolve, round % 8));
      await run.cancel();
      expect((await runtime.generate(greedy).result).tokens).to.deep.equal(expected);
    }
  });

  it('keeps the text that was held back for a stop string', async () => {
    const {text} = await runtime.generate(greedy).result;
    await runtime.resetContext();
    // Every letter could be the beginning of the stop string, so nothing is ever released.
    const stop = `${text}never`;
    const run = runtime.generate({...endless, stop: [stop]});
    for await (const {index} of run) if (index === 5) break;
    const result = await run.result;
    expect(result.finishReason).to.equal('cancelled');
    expect(result.text).to.include(text.slice(0, 3));
  });

  it('comes too late for what has ended', async () => {
    const run = runtime.generate(greedy);
    const result = await run.result;
    expect(await run.cancel()).to.deep.equal(result);
    expect(result.finishReason).to.equal('length');
  });
});

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
