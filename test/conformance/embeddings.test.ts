/** Embeddings against llama.cpp, in both cores, for several slicings of the texts. */
import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../worker-runtime/client/index.ts';
import type {CoreVariant, Pooling} from '../../worker-runtime/protocol.ts';
import {decodeF32, loadReferenceModel} from '../helpers/logits-golden.ts';
import {sharedJson} from '../helpers/shared.ts';
import {embeddingModels} from './reference-models.ts';

interface GoldenText {
  readonly name: string;
  readonly text: string;
  readonly tokens: readonly number[];
  readonly pooled_f32_base64: string;
  readonly pooled_exact_gelu_f32_base64: string;
  readonly per_token_f32_base64: string;
  readonly per_token_exact_gelu_f32_base64: string;
}

interface Golden {
  readonly n_embd: number;
  readonly pooling: Pooling;
  /** llama.cpp looks GELU up in a table of f16; "exact" values come from the formula. */
  readonly tolerance: {readonly pooled_max_abs: number; readonly pooled_exact_gelu_max_abs: number};
  readonly texts: readonly GoldenText[];
}

/** Largest difference of a value where nothing is rounded to f16. */
const tolerance = 1e-3;

const cores: readonly CoreVariant[] = ['relaxed', 'baseline'];

/** Token by token, in uneven slices, and as long as the buffers allow. */
const sliceLengths = [1, 7, 16, 64];

describe('embeddings against llama.cpp', function () {
  this.timeout(120_000);

  for (const name of Object.values(embeddingModels)) {
    describe(name, () => {
      let golden: Golden;
      const runtimes: [CoreVariant, GgufRuntime][] = [];
      before(async () => {
        golden = await sharedJson<Golden>(`goldens/${name}.json`);
        for (const core of cores) {
          const runtime = await GgufRuntime.boot({core});
          await runtime.loadModel(await loadReferenceModel(`${name}.gguf`), {kvType: 'f32'});
          runtimes.push([core, runtime]);
        }
      });
      after(() => runtimes.forEach(([, runtime]) => runtime.terminate()));

      const first = (): GgufRuntime => runtimes[0]![1];
      const texts = (): string[] => golden.texts.map(({text}) => text);
      const tokens = (): (readonly number[])[] => golden.texts.map((text) => text.tokens);

      it('tokenizes the texts as llama.cpp does', async () => {
        for (const {text, tokens} of golden.texts) {
          const own = await first().tokenize(text, {addSpecial: true, parseSpecial: true});
          expect(own).to.deep.equal(tokens);
        }
      });

      it('pools as the file says, within the tolerance', async () => {
        expect((await first().diagnostics()).model?.pooling).to.equal(golden.pooling);
        const embeddings = await first().embed(texts(), {normalize: false});
        embeddings.forEach((embedding, index) => {
          const text = golden.texts[index]!;
          expect(embedding.length).to.equal(golden.n_embd);
          const exact = largestDifference(embedding, text.pooled_exact_gelu_f32_base64);
          expect(exact, `${text.name}: exact GELU`).to.be.at.most(tolerance);
          const native = largestDifference(embedding, text.pooled_f32_base64);
          expect(native, `${text.name}: as llama.cpp runs`).to.be.at.most(golden.tolerance.pooled_max_abs);
        });
      });

      it('has the states of all tokens within the tolerance', async () => {
        const embeddings = await first().embed(tokens(), {normalize: false, pooling: 'none'});
        embeddings.forEach((embedding, index) => {
          const text = golden.texts[index]!;
          const worst = largestDifference(embedding, text.per_token_exact_gelu_f32_base64);
          expect(worst, text.name).to.be.at.most(tolerance);
        });
      });

      it('gives the same bits in both cores and for every slicing', async () => {
        for (const pooling of ['none', 'mean', 'cls', 'last'] as const) {
          const expected = (await first().embed(tokens(), {pooling})).map(bits);
          for (const [core, runtime] of runtimes) {
            for (const sliceLength of sliceLengths) {
              const embeddings = await runtime.embed(tokens(), {pooling, sliceLength});
              const what = `${pooling}, ${core} core, slices of ${sliceLength}`;
              expect(embeddings.map(bits), what).to.deep.equal(expected);
            }
          }
        }
      });
    });
  }
});

function largestDifference(actual: Float32Array, expected: string): number {
  const reference = decodeF32(expected);
  expect(actual.length).to.equal(reference.length);
  // Not Math.max: it must not lose a NaN.
  return actual.reduce((worst, value, index) => {
    const difference = Math.abs(value - reference[index]!);
    return difference <= worst ? worst : difference;
  }, 0);
}

function bits(values: Float32Array): string {
  return String(new Uint32Array(values.buffer, values.byteOffset, values.length));
}
