import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../worker-runtime/client/index.ts';
import type {CoreVariant} from '../../worker-runtime/client/index.ts';
import type {ErrorName} from '../../worker-runtime/errors.ts';
import {tinyEncoders} from '../helpers/gguf/architectures/encoders.ts';
import {tinyModel} from '../helpers/gguf/architectures/index.ts';
import type {TinyRecipe} from '../helpers/gguf/architectures/index.ts';
import {largestDifference} from '../helpers/logits-difference.ts';
import {referenceStates} from '../helpers/reference-encoder.ts';
import {expectRefusal} from '../helpers/refusal.ts';

/** One token; less than a tile; more than the windows, than three blocks of 32 positions and than a slice of 64. */
const texts = [1, 3, 110].map((length) => Array.from({length}, (_, index) => (index * 37 + length) % 300));

const cores: readonly CoreVariant[] = ['baseline', 'relaxed'];

/** As in architectures.test.ts. */
const tolerance = (layers: number, largest: number): number => 2.5e-5 * layers * (largest / 5);

const bits = (values: Float32Array): string =>
  String(new Uint32Array(values.buffer, values.byteOffset, values.length));

const recipeOf = (name: string): TinyRecipe => {
  const recipe = tinyEncoders[name];
  if (!recipe) throw new Error(`no recipe ${name}`);
  return recipe;
};

describe('encoders', () => {
  const runtimes: GgufRuntime[] = [];
  before(async () => {
    for (const core of cores) {
      // An engine without relaxed SIMD has one core only.
      const runtime = await GgufRuntime.boot({core}).catch(() => null);
      if (runtime) runtimes.push(runtime);
    }
  });
  after(() => runtimes.forEach((runtime) => runtime.terminate()));

  for (const [name, recipe] of Object.entries(tinyEncoders)) {
    it(`${name}: gives what its formulas give`, async () => {
      const runtime = runtimes[0]!;
      const file = tinyModel(recipe);
      const {generates, kvType, memory} = await runtime.loadModel(file.slice(0));
      expect({generates, kvType, logits: memory.logits}).to.deep.equal({
        generates: false,
        kvType: 'f32',
        logits: 0,
      });
      for (const [index, tokens] of texts.entries()) {
        const {states, dense} = await referenceStates(file, tokens);
        const expected = {
          none: states.flatMap(dense),
          mean: dense(
            states[0]!.map((_, i) => states.reduce((sum, row) => sum + row[i]!, 0) / states.length),
          ),
          cls: dense(states[0]!),
          last: dense(states.at(-1)!),
        };
        for (const pooling of ['none', 'mean', 'cls', 'last'] as const) {
          const [embedding] = await runtime.embed([tokens], {pooling, normalize: false});
          const largest = Math.max(...states.flat().map(Math.abs));
          const difference = largestDifference(embedding!, expected[pooling]);
          const what = `text ${index}, ${pooling}`;
          // Layer norms make values of about one, so that a mistake in a formula shows.
          expect(largest, what).to.be.within(1.5, 40);
          expect(difference, what).to.be.lessThan(tolerance(recipe.layers ?? 3, largest));
        }
      }
    });

    it(`${name}: has the same bits in any slices, in both cores`, async () => {
      let expected: string[] | undefined;
      for (const runtime of runtimes) {
        await runtime.loadModel(tinyModel(recipe));
        for (const sliceLength of [1, 7, 64]) {
          const embeddings = (await runtime.embed(texts, {pooling: 'none', sliceLength})).map(bits);
          expected ??= embeddings;
          expect(embeddings, `slices of ${sliceLength}`).to.deep.equal(expected);
        }
      }
    });
  }

  it('see what follows a token, too', async () => {
    const runtime = runtimes[0]!;
    await runtime.loadModel(tinyModel(recipeOf('bert')));
    const [short, long] = await runtime.embed(
      [
        [5, 6],
        [5, 6, 7],
      ],
      {pooling: 'cls'},
    );
    expect(largestDifference(short!, long!)).to.be.greaterThan(1e-3);
  });

  it('have room for the states of a text and for one layer of keys and values, however many layers there are', async () => {
    const bytes = async (layers: number): Promise<number> =>
      (await runtimes[0]!.loadModel(tinyModel({...recipeOf('nomic-bert'), layers}))).memory.kvCache;
    // 256 positions of 64 values, f32: states, keys and values.
    expect(await bytes(1)).to.equal(3 * 256 * 64 * 4);
    expect(await bytes(5)).to.equal(3 * 256 * 64 * 4);
  });

  const refusals: readonly (readonly [string, Partial<TinyRecipe>, ErrorName, string])[] = [
    ['bert', {keys: {'attention.causal': true}}, 'unsupported-feature', 'bert.attention.causal'],
    ['bert', {keys: {pooling_type: 4}}, 'unsupported-feature', 'bert.pooling_type'],
    ['bert', {norm: 'rms'}, 'missing-key', 'bert.attention.layer_norm_epsilon'],
    ['bert', {tensors: {}}, 'missing-tensor', 'position_embd.weight'],
    ['nomic-bert', {tensors: {}}, 'missing-tensor', 'token_embd_norm.weight'],
    ['nomic-bert', {without: []}, 'unsupported-feature', 'output_norm.weight'],
    ['modern-bert', {keys: {hidden_act: 'tanh'}}, 'unsupported-feature', 'modern-bert.hidden_act'],
    ['gemma-embedding', {keys: {}}, 'missing-key', 'gemma-embedding.attention.sliding_window'],
    [
      'gemma-embedding',
      {keys: {...recipeOf('gemma-embedding').keys, dense_3_feat_in: 64}},
      'unsupported-feature',
      'gemma-embedding.dense_3_feat_in',
    ],
  ];

  for (const [name, change, error, field] of refusals) {
    it(`${name}: refuse a file that is not theirs, ${error} ${field}`, async () => {
      const file = tinyModel({...recipeOf(name), ...change});
      const refusal = await expectRefusal(() => runtimes[0]!.loadModel(file), error);
      expect(refusal.field).to.equal(field);
    });
  }
});
