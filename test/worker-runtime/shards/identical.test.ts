import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../../worker-runtime/client/index.ts';
import {tinyModel, tinyRecipes} from '../../helpers/gguf/architectures/index.ts';

/** Longer than the windows, in more than one slice. */
const tokens = Array.from({length: 90}, (_, index) => (index * 37 + 1) % 300);
const shardCounts = [1, 2, 3, 8] as const;

const bits = ({buffer}: Float32Array<ArrayBuffer>): Uint32Array => new Uint32Array(buffer);

describe('any number of shards', () => {
  const runtimes = new Map<number, GgufRuntime>();
  before(async () => {
    for (const shards of shardCounts) runtimes.set(shards, await GgufRuntime.boot({shards}));
  });
  after(() => runtimes.forEach((runtime) => runtime.terminate()));

  for (const [name, recipe] of Object.entries(tinyRecipes)) {
    it(`gives the same bits and the same answer: ${name}`, async () => {
      let expected: {logits: Uint32Array; answer: readonly number[]} | null = null;
      for (const [shards, runtime] of runtimes) {
        const model = await runtime.loadModel(tinyModel(recipe), {kvType: 'f32'});
        expect(model.shards).to.equal(shards);
        const {logits} = await runtime.evaluate(tokens);
        const run = runtime.generate({
          tokens: tokens.slice(0, 40),
          maxTokens: 12,
          ignoreEndOfGeneration: true,
        });
        const {tokens: answer} = await run.result;
        const given = {logits: bits(logits), answer};
        expected ??= given;
        expect(given, `${shards} shards`).to.deep.equal(expected);
      }
    });
  }
});
