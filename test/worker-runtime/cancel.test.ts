import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../worker-runtime/client/index.ts';
import type {GenerateOptions, GenerationRun, TokenEvent, Usage} from '../../worker-runtime/client/index.ts';
import {tinyLlama} from '../helpers/gguf-writer.ts';
import {anyTokens, collect, endless, greedy, longContext, prompt, textOf} from '../helpers/tiny-runs.ts';

for (const shards of [1, 2])
  describe(`cancelling generate, ${shards} ${shards === 1 ? 'shard' : 'shards'}`, () => {
    let runtime: GgufRuntime;
    const longPrompt = anyTokens(3000);
    const fresh = async (options: GenerateOptions): Promise<readonly number[]> => {
      await runtime.resetContext();
      return (await runtime.generate(options).result).tokens;
    };
    before(async () => {
      runtime = await GgufRuntime.boot();
      await runtime.loadModel(tinyLlama({contextLength: longContext}), {shards});
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
      expect(usage.contextUsed).to.be.within(
        prompt.length + tokens.length - 1,
        prompt.length + tokens.length,
      );
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

describe('cancelling inside a step', () => {
  let runtime: GgufRuntime;
  before(async () => {
    runtime = await GgufRuntime.boot();
    // Large enough that a slice of prefill takes longer than the Worker may be deaf.
    const size = {layerCount: 12, embeddingLength: 256, feedForwardLength: 768, headCount: 8, headCountKv: 4};
    await runtime.loadModel(tinyLlama({...size, contextLength: 1024}));
  });
  after(() => runtime.terminate());

  /** The next token with its probabilities, which change with any bit of the context, and the usage. */
  async function next(tokens: readonly number[]): Promise<{token: TokenEvent | undefined; usage: Usage}> {
    const settings = {maxTokens: 1, topLogprobs: 5, ignoreEndOfGeneration: true};
    const run = runtime.generate({...settings, tokens});
    const [token] = await collect(run);
    return {token, usage: (await run.result).usage};
  }

  /** Fills the cache with what must not be taken for a conversation. */
  const spoil = (): Promise<unknown> => runtime.evaluate(anyTokens(120, 9));

  it('of prefill keeps only whole slices', async () => {
    const conversation = anyTokens(120);
    const {token: expected} = await next(conversation);
    for (let round = 0; round < 5; round++) {
      await spoil();
      const run = runtime.generate({...endless, tokens: conversation});
      await new Promise((resolve) => setTimeout(resolve, round * 8));
      const {contextUsed} = (await run.cancel()).usage;
      const {token, usage} = await next(conversation);
      expect(usage.cachedTokens).to.equal(Math.min(contextUsed, conversation.length - 1));
      expect(token).to.deep.equal(expected);
    }
  });
});
