/** Logits and greedy continuations against llama.cpp, in both cores, for several slicings of the prompt. */
import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../worker-runtime/client/index.ts';
import type {CoreVariant} from '../../worker-runtime/protocol.ts';
import {compareLogits, loadGolden, loadReferenceModel} from '../helpers/logits-golden.ts';
import type {Golden} from '../helpers/logits-golden.ts';
import {referenceModels} from './reference-models.ts';

const cores: readonly CoreVariant[] = ['relaxed', 'baseline'];

/** Token by token, in uneven slices, and as long as the buffers allow. */
const sliceLengths = [1, 7, 16, 64];

describe('logits against llama.cpp', function () {
  this.timeout(120_000);

  for (const {name, golden: reference = name, contextLength = 256, exact, parts = []} of Object.values(
    referenceModels,
  ).flat()) {
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
