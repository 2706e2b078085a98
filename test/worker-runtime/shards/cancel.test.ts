import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../../worker-runtime/client/index.ts';
import {tinyModel, tinyRecipes} from '../../helpers/gguf/architectures/index.ts';
import {anyTokens} from '../../helpers/tiny-runs.ts';

/** With states that cannot be rolled back, which all shards must keep at the same positions. */
const recurrent = ['falcon-h1', 'mamba', 'qwen35'];
const rounds = 12;
const prompt = anyTokens(60);

describe('cancelling a model of recurrent layers in several shards', () => {
  let runtime: GgufRuntime;
  before(async () => (runtime = await GgufRuntime.boot({shards: 2})));
  after(() => runtime.terminate());

  for (const name of recurrent) {
    it(`changes nothing in what comes after: ${name}`, async () => {
      const recipe = tinyRecipes[name];
      if (!recipe) throw new Error(`no recipe ${name}`);
      await runtime.loadModel(tinyModel(recipe));
      const answerTo = async (tokens: readonly number[]): Promise<readonly number[]> =>
        (await runtime.generate({tokens, maxTokens: 6, ignoreEndOfGeneration: true}).result).tokens;
      const expected = await answerTo(prompt);
      for (let round = 0; round < rounds; round++) {
        // A prompt that shares a part, so that the context is gone back in.
        const run = runtime.generate({
          tokens: [...prompt.slice(0, 5 * round), ...anyTokens(40, round)],
          ignoreEndOfGeneration: true,
        });
        setTimeout(() => void run.cancel(), (7 * round) % 40);
        await run.result;
        expect(await answerTo(prompt), `round ${round}`).to.deep.equal(expected);
      }
    });
  }
});
