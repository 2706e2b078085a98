import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../worker-runtime/client/index.ts';
import {tinyLlama} from '../helpers/gguf-writer.ts';
import {greedy, prompt} from '../helpers/tiny-runs.ts';

describe('generate reuses the context', () => {
  let runtime: GgufRuntime;
  before(async () => {
    runtime = await GgufRuntime.boot();
    await runtime.loadModel(tinyLlama());
  });
  after(() => runtime.terminate());
  beforeEach(() => runtime.resetContext());

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
