/** Logits and greedy continuations against llama.cpp, in both cores, for several slicings of the prompt. */
import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../worker-runtime/client/index.ts';
import type {CoreVariant} from '../../worker-runtime/protocol.ts';
import {compareLogits, loadGolden, loadReferenceModel} from '../helpers/logits-golden.ts';
import type {Golden} from '../helpers/logits-golden.ts';

const cores: readonly CoreVariant[] = ['relaxed', 'baseline'];

interface Model {
  readonly name: string;
  /** File of the reference, where it is not that of the model's name. */
  readonly golden?: string;
  /** 256 unless said otherwise. */
  readonly contextLength?: number;
  /** The products keep activations in f32. */
  readonly exact: boolean;
  /**
   * Prompts whose greedy continuations part from llama.cpp's: where both quantise activations, another order of sums may
   * turn a close choice.
   */
  readonly parts?: readonly string[];
}

const models: readonly Model[] = [
  ...[
    'falcon-h1',
    'granite',
    'granitehybrid',
    'lfm2',
    'olmo2',
    'qwen2',
    'qwen3',
    'qwen35',
    'smollm3',
    'stablelm',
  ].map((name) => ({
    name,
    exact: true,
  })),
  // llama.cpp looks GELU up in a table of f16; these references come from the formula.
  ...['gemma', 'gemma2', 'gemma3', 'gemma4', 'gpt2', 'starcoder2'].map((name) => ({
    name,
    golden: `${name}.exact-gelu`,
    exact: true,
  })),
  {name: 'phi3', golden: 'phi3-ctx256', exact: true},
  {name: 'phi3', contextLength: 512, exact: true},
  ...['gpt-oss', 'mixtral', 'olmoe', 'qwen3moe'].map((name) => ({name, exact: true})),
  // Quantised activations turn some choices of experts here; the exact comparison is in `exact-logits.test.ts`.
  {name: 'gpt-oss-mxfp4_moe', exact: false, parts: ['short', 'long']},
  {name: 'qwen2-mix-q4_0', exact: false, parts: ['long']},
  {name: 'qwen3-mix-q8_0', exact: false},
  {name: 'stories260K-f32', exact: true},
  {name: 'stories260K-f16', exact: true},
  {name: 'stories260K-q8_0', exact: false},
  {name: 'llama', exact: true},
  {name: 'llama-rope', exact: true},
  {name: 'llama-yarn', exact: true},
  {name: 'llama-f16', exact: true},
  {name: 'llama-bf16', exact: true},
  {name: 'llama-q8_0', exact: false},
  {name: 'llama-q4_0', exact: false},
  {name: 'llama-q4_1', exact: false, parts: ['short', 'long']},
  {name: 'llama-q5_0', exact: false},
  {name: 'llama-q5_1', exact: false, parts: ['long']},
  {name: 'llama-iq4_nl', exact: false},
  {name: 'llama-mxfp4', exact: false},
  {name: 'llama-nvfp4', exact: false, parts: ['long']},
  {name: 'llama-q1_0', exact: false, parts: ['long']},
  {name: 'llama-q2_0', exact: false},
  {name: 'llama-q2_k', exact: false, parts: ['long']},
  {name: 'llama-q3_k', exact: false, parts: ['long']},
  {name: 'llama-q4_k', exact: false, parts: ['long']},
  {name: 'llama-q5_k', exact: false},
  {name: 'llama-q6_k', exact: false},
  {name: 'llama-tq1_0', exact: false, parts: ['long']},
  {name: 'llama-tq2_0', exact: false, parts: ['long']},
  {name: 'llama-iq1_s', exact: false},
  {name: 'llama-iq1_m', exact: false, parts: ['long']},
  {name: 'llama-iq2_xxs', exact: false, parts: ['long']},
  {name: 'llama-iq2_xs', exact: false},
  {name: 'llama-iq2_s', exact: false},
  {name: 'llama-iq3_xxs', exact: false, parts: ['long']},
  {name: 'llama-iq3_s', exact: false, parts: ['long']},
  {name: 'llama-iq4_xs', exact: false, parts: ['long']},
  {name: 'llama-mix-q4_k_m', exact: false, parts: ['long']},
];

/** Token by token, in uneven slices, and as long as the buffers allow. */
const sliceLengths = [1, 7, 16, 64];

describe('logits against llama.cpp', function () {
  this.timeout(120_000);

  for (const {name, golden: reference = name, contextLength = 256, exact, parts = []} of models) {
    describe(contextLength === 256 ? name : `${name}, context ${contextLength}`, () => {
      let golden: Golden;
      const runtimes = new Map<CoreVariant, GgufRuntime>();
      before(async () => {
        golden = await loadGolden(reference, exact);
        for (const core of cores) {
          const runtime = await GgufRuntime.boot({core});
          await runtime.loadModel(await loadReferenceModel(`${name}.gguf`), {
            kvType: 'f32',
            contextLength,
          });
          runtimes.set(core, runtime);
        }
      });
      after(() => runtimes.forEach((runtime) => runtime.terminate()));

      it('tokenizes the prompts as llama.cpp does', async () => {
        for (const {text, tokens} of golden.references) {
          const own = await at(runtimes, 'baseline').tokenize(text, {addSpecial: true, parseSpecial: true});
          expect(own).to.deep.equal(tokens);
        }
      });

      it('has logits within the tolerance, the same bits in both cores and for every slicing', async () => {
        for (const reference of golden.references) {
          const {tokens, tolerance} = reference;
          const first = await at(runtimes, 'relaxed').evaluate(tokens, {sliceLength: 64});
          const {max, rms} = compareLogits(first.logits, golden.vocab, reference);
          expect(max, `${reference.name}: largest difference`).to.be.at.most(tolerance.max_abs);
          expect(rms, `${reference.name}: rms difference`).to.be.at.most(tolerance.rms ?? tolerance.max_abs);
          for (const core of cores) {
            for (const sliceLength of sliceLengths) {
              const {logits} = await at(runtimes, core).evaluate(tokens, {sliceLength});
              expectSameBits(
                logits,
                first.logits,
                `${reference.name}, ${core} core, slices of ${sliceLength}`,
              );
            }
          }
        }
      });

      it('continues greedily as llama.cpp does', async () => {
        for (const {name: prompt, tokens, greedy} of golden.references) {
          if (parts.includes(prompt)) continue;
          for (const core of cores) {
            const run = at(runtimes, core).generate({
              tokens,
              maxTokens: greedy.length,
              ignoreEndOfGeneration: true,
            });
            expect((await run.result).tokens, `${prompt}, ${core} core`).to.deep.equal(greedy);
          }
        }
      });

      if (!exact) {
        it("has the logits of the best tokens along llama.cpp's greedy continuation", async () => {
          for (const {name: prompt, tokens, greedy, greedyTop, tolerance} of golden.references) {
            const path = [...tokens, ...greedy.slice(0, -1)];
            const {logits} = await at(runtimes, 'relaxed').evaluate(path);
            greedyTop.forEach((best, step) => {
              const start = (tokens.length - 1 + step) * golden.vocab;
              const own = logits.subarray(start, start + golden.vocab);
              for (const [id, logit] of best) {
                expect(own[id], `${prompt}, step ${step}, token ${id}`).to.be.closeTo(
                  logit,
                  tolerance.max_abs,
                );
              }
              const margin = best[0]![1] - best[1]![1];
              if (margin > 2 * tolerance.max_abs)
                expect(own.indexOf(Math.max(...own))).to.equal(greedy[step]);
            });
          }
        });
      }
    });
  }

  it('tells the 256-token story to the letter', async () => {
    const {references} = await loadGolden('stories260K-f32.story', true);
    const runtime = await GgufRuntime.boot();
    await runtime.loadModel(await loadReferenceModel('stories260K-f32.gguf'), {kvType: 'f32'});
    for (const {tokens, greedy, greedyTextHex} of references) {
      const run = runtime.generate({tokens, maxTokens: greedy.length, ignoreEndOfGeneration: true});
      const {text, tokens: own} = await run.result;
      expect(own).to.deep.equal(greedy);
      expect(text).to.equal(decodeHex(greedyTextHex));
    }
    runtime.terminate();
  });
});

function at<K, V>(map: ReadonlyMap<K, V>, key: K): V {
  const value = map.get(key);
  if (value === undefined) throw new Error(`no ${String(key)}`);
  return value;
}

function expectSameBits(actual: Float32Array, expected: Float32Array, what: string): void {
  const a = new Uint32Array(actual.buffer);
  const b = new Uint32Array(expected.buffer);
  const first = a.findIndex((bits, index) => bits !== b[index]);
  expect(a.length, what).to.equal(b.length);
  expect(first, `${what}: first differing element`).to.equal(-1);
}

function decodeHex(hex: string): string {
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return new TextDecoder().decode(bytes);
}
