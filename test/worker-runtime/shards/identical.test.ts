import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../../worker-runtime/client/index.ts';
import {tinyEncoders} from '../../helpers/gguf/architectures/encoders.ts';
import {tinyModel, tinyRecipes} from '../../helpers/gguf/architectures/index.ts';
import type {TinyRecipe} from '../../helpers/gguf/architectures/index.ts';

/** Longer than the windows, in more than one slice. */
const tokens = Array.from({length: 90}, (_, index) => (index * 37 + 1) % 300);
/** Two add sums, three complete vectors. */
const shardCounts = [1, 2, 3] as const;
/** More shards than these models have key/value heads. */
const widest = 8;
const inWidest = [
  'smollm3',
  'gemma2',
  'falcon-h1',
  'qwen3moe',
  'mamba',
  'qwen35',
  'gpt2',
  'minicpm3',
  'rwkv7',
  'gemma3n',
];

const bits = ({buffer}: Float32Array<ArrayBuffer>): Uint32Array => new Uint32Array(buffer);

async function inTurn<T>(counts: readonly number[], run: (shards: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (const shards of counts) results.push(await run(shards));
  return results;
}

describe('any number of shards gives the same bits', () => {
  let runtime: GgufRuntime;
  before(async () => (runtime = await GgufRuntime.boot()));
  after(() => runtime.terminate());

  /** Logits and an answer. */
  async function given(recipe: TinyRecipe, shards: number): Promise<unknown> {
    const model = await runtime.loadModel(tinyModel(recipe), {kvType: 'f32', shards});
    expect(model.shards).to.equal(shards);
    const {logits} = await runtime.evaluate(tokens);
    const prompt = tokens.slice(0, 40);
    const run = runtime.generate({tokens: prompt, maxTokens: 12, ignoreEndOfGeneration: true});
    return {logits: bits(logits), answer: (await run.result).tokens};
  }

  it('has all the architectures that it names', () => {
    expect(Object.keys(tinyRecipes)).to.include.members(inWidest);
  });

  for (const [name, recipe] of Object.entries(tinyRecipes)) {
    it(name, async () => {
      const counts = inWidest.includes(name) ? [...shardCounts, widest] : shardCounts;
      const [one, ...others] = await inTurn(counts, (shards) => given(recipe, shards));
      others.forEach((other, index) => expect(other, `${counts[index + 1]} shards`).to.deep.equal(one));
    });
  }

  for (const [name, recipe] of Object.entries(tinyEncoders)) {
    it(`embeddings: ${name}`, async () => {
      const [one, ...others] = await inTurn(shardCounts, async (shards) => {
        await runtime.loadModel(tinyModel(recipe), {shards});
        return (await runtime.embed([tokens, tokens.slice(0, 7)], {sliceLength: 16})).map(bits);
      });
      for (const other of others) expect(other).to.deep.equal(one);
    });
  }
});
