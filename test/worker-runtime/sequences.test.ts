import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../worker-runtime/client/index.ts';
import type {SequenceHandle} from '../../worker-runtime/client/index.ts';
import {tinyModel, tinyRecipes} from '../helpers/gguf/architectures/index.ts';
import {tinyLlama} from '../helpers/gguf-writer.ts';
import {expectRefusal} from '../helpers/refusal.ts';

const maxTokens = 10;
const firstPrompt = Array.from({length: 70}, (_, index) => (index * 37 + 1) % 300);
const secondPrompt = Array.from({length: 50}, (_, index) => (index * 53 + 7) % 300);

function recipe(name: string): ArrayBuffer {
  const found = tinyRecipes[name];
  if (!found) throw new Error(`no recipe ${name}`);
  return tinyModel(found);
}

/** With keys and values, with windows, with states that cannot be rolled back. */
const models: Readonly<Record<string, () => ArrayBuffer>> = {
  llama: () => tinyLlama(),
  gemma2: () => recipe('gemma2'),
  qwen35: () => recipe('qwen35'),
};

describe('several sequences of one model', () => {
  let runtime: GgufRuntime;
  beforeEach(async () => (runtime = await GgufRuntime.boot()));
  afterEach(() => runtime.terminate());

  const answer = async (
    tokens: readonly number[],
    sequence?: SequenceHandle,
  ): Promise<{tokens: readonly number[]; cached: number}> => {
    const run = runtime.generate({
      tokens,
      maxTokens,
      ignoreEndOfGeneration: true,
      ...(sequence && {sequence}),
    });
    const result = await run.result;
    return {tokens: result.tokens, cached: result.usage.cachedTokens};
  };

  for (const [name, model] of Object.entries(models)) {
    for (const shards of [1, 2]) {
      it(`${name} in ${shards}: each goes on where it was, as if it were alone`, async () => {
        await runtime.loadModel(model(), {shards});
        const alone = [await answer(firstPrompt)];
        await runtime.resetContext();
        alone.push(await answer(secondPrompt));
        await runtime.resetContext();

        const second = await runtime.openSequence();
        const first = await answer(firstPrompt);
        expect(first.tokens).to.deep.equal(alone[0]?.tokens);
        expect((await answer(secondPrompt, second)).tokens).to.deep.equal(alone[1]?.tokens);

        // Longer by what was answered: all but the last token is there still.
        const goesOn = [...firstPrompt, ...first.tokens];
        const continued = await answer(goesOn);
        expect(continued.cached).to.be.at.least(firstPrompt.length - 1);
        await runtime.resetContext();
        expect(continued.tokens).to.deep.equal((await answer(goesOn)).tokens);
        expect((await answer(secondPrompt, second)).tokens).to.deep.equal(alone[1]?.tokens);
      });
    }
  }

  it('answer one after the other when they are asked at once', async () => {
    await runtime.loadModel(tinyLlama());
    const second = await runtime.openSequence();
    const alone = [await answer(firstPrompt), await answer(secondPrompt, second)];
    await runtime.resetContext();
    await runtime.resetContext({sequence: second});
    const together = await Promise.all([answer(firstPrompt), answer(secondPrompt, second)]);
    expect(together.map(({tokens}) => tokens)).to.deep.equal(alone.map(({tokens}) => tokens));
  });

  it('can be cancelled while they wait', async () => {
    await runtime.loadModel(tinyLlama({contextLength: 4000}));
    const second = await runtime.openSequence();
    const first = runtime.generate({tokens: [1], maxTokens: 3000, ignoreEndOfGeneration: true});
    const waiting = runtime.generate({tokens: [2], maxTokens: 5, sequence: second});
    await waiting.cancel();
    expect((await waiting.result).finishReason).to.equal('cancelled');
    await first.cancel();
    expect((await answer([3], second)).tokens.length).to.equal(maxTokens);
  });

  it('end with their model, and by themselves', async () => {
    const {sequence} = await runtime.loadModel(tinyLlama());
    const second = await runtime.openSequence();
    const alone = await answer(firstPrompt);
    await answer(secondPrompt, second);
    await runtime.closeSequence(second);
    await expectRefusal(() => answer([1], second), 'stale-handle');
    await expectRefusal(() => runtime.closeSequence(sequence), 'invalid-setting');
    await runtime.resetContext();
    expect((await answer(firstPrompt)).tokens).to.deep.equal(alone.tokens);
    const third = await runtime.openSequence();
    await runtime.loadModel(tinyLlama());
    await expectRefusal(() => answer([1], third), 'stale-handle');
  });

  it('leave embeddings as they are', async () => {
    await runtime.loadModel(tinyLlama());
    const [alone] = await runtime.embed([secondPrompt], {pooling: 'mean'});
    const second = await runtime.openSequence();
    const first = await answer(firstPrompt);
    const running = answer(secondPrompt, second);
    const [beside] = await runtime.embed([secondPrompt], {pooling: 'mean'});
    await running;
    expect(beside).to.deep.equal(alone);
    expect((await answer([...firstPrompt, ...first.tokens])).cached).to.be.at.least(firstPrompt.length);
  });
});
