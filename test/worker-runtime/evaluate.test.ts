import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../worker-runtime/client/index.ts';
import type {CoreVariant, KvType} from '../../worker-runtime/client/index.ts';
import {tinyLlama} from '../helpers/gguf-writer.ts';
import type {EncodableType} from '../helpers/gguf-writer.ts';
import {expectRefusal} from '../helpers/refusal.ts';

const weightTypes: readonly EncodableType[] = ['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0'];
const cores: readonly CoreVariant[] = ['baseline', 'relaxed'];
const kvTypes: readonly KvType[] = ['f32', 'f16', 'q8_0'];

/** Longer than the longest slice and than three blocks of attention; the last slices are incomplete. */
const tokens = Array.from({length: 101}, (_, index) => (index * 37 + 1) % 300);

/** The first place where two lists of numbers differ in any bit, or -1. */
function firstDifference(a: Float32Array, b: Float32Array): number {
  const [left, right] = [a, b].map(
    ({buffer, byteOffset, length}) => new Uint32Array(buffer, byteOffset, length),
  );
  if (left?.length !== right?.length) return Math.min(a.length, b.length);
  return left?.findIndex((bits, index) => bits !== right?.[index]) ?? -1;
}

describe('evaluate', () => {
  const runtimes = new Map<CoreVariant, GgufRuntime>();
  before(async () => {
    for (const core of cores) {
      // An engine without relaxed SIMD has one core only, and nothing to compare.
      const runtime = await GgufRuntime.boot({core}).catch(() => null);
      if (runtime) runtimes.set(core, runtime);
    }
    expect(runtimes.has('baseline')).to.be.true;
  });
  after(() => runtimes.forEach((runtime) => runtime.terminate()));

  const baseline = (): GgufRuntime => {
    const runtime = runtimes.get('baseline');
    if (!runtime) throw new Error('no baseline core');
    return runtime;
  };

  for (const weightType of weightTypes) {
    for (const kvType of kvTypes) {
      it(`gives the same bits in any slices and in both cores (${weightType}, ${kvType} cache)`, async () => {
        const source = new Blob([tinyLlama({weightType, headCountKv: 4})]);
        let expected: Float32Array | undefined;
        for (const [core, runtime] of runtimes) {
          await runtime.loadModel(source, {kvType});
          for (const sliceLength of [undefined, 1, 3, 5, 64]) {
            const options = sliceLength === undefined ? {} : {sliceLength};
            const {logits, vocab} = await runtime.evaluate(tokens, options);
            expect(logits.length).to.equal(tokens.length * vocab);
            expect(logits.every(Number.isFinite)).to.be.true;
            expected ??= logits;
            expect(firstDifference(logits, expected), `${core}, slices of ${sliceLength}`).to.equal(-1);
          }
        }
      });
    }
  }

  it('depends on the tokens before, and on nothing after', async () => {
    const runtime = baseline();
    await runtime.loadModel(tinyLlama());
    const {logits, vocab} = await runtime.evaluate(tokens);
    const short = await runtime.evaluate(tokens.slice(0, 20));
    expect(firstDifference(short.logits, logits.subarray(0, 20 * vocab))).to.equal(-1);
    const other = await runtime.evaluate([2, ...tokens.slice(1, 20)]);
    expect(firstDifference(other.logits.slice(19 * vocab), short.logits.slice(19 * vocab))).to.not.equal(-1);
  });

  it('takes another element type of the cache for another rounding', async () => {
    const runtime = baseline();
    const source = new Blob([tinyLlama()]);
    await runtime.loadModel(source, {kvType: 'f32'});
    const exact = await runtime.evaluate(tokens);
    // Never no difference. f16 keeps 11 bits, q8_0 about 8 of the largest of 16: logits are about one.
    for (const [kvType, largest] of [
      ['f16', 0.02],
      ['q8_0', 0.16],
    ] as const) {
      await runtime.loadModel(source, {kvType});
      const rounded = await runtime.evaluate(tokens);
      const worst = exact.logits.reduce(
        (most, value, i) => Math.max(most, Math.abs(value - (rounded.logits[i] ?? NaN))),
        0,
      );
      expect(worst).to.be.within(1e-6, largest);
    }
  });

  it('empties the context of the conversation', async () => {
    const runtime = baseline();
    await runtime.loadModel(tinyLlama());
    await runtime.generate({tokens: [1, 70, 80, 90], maxTokens: 1}).result;
    await runtime.evaluate([1, 5]);
    const {usage} = await runtime.generate({tokens: [1, 70, 80, 90], maxTokens: 1}).result;
    expect(usage.cachedTokens).to.equal(1);
  });

  it('can be aborted, and goes on as before', async () => {
    const runtime = baseline();
    await runtime.loadModel(tinyLlama({contextLength: 4096}));
    const {logits} = await runtime.evaluate(tokens);
    const controller = new AbortController();
    const long = Array.from({length: 4000}, (_, index) => index % 300);
    const aborted = runtime.evaluate(long, {signal: controller.signal, sliceLength: 1});
    setTimeout(() => controller.abort(), 5);
    expect(await aborted.catch((error: Error) => error.name)).to.equal('AbortError');
    expect(await runtime.evaluate(long, {signal: controller.signal}).catch((e: Error) => e.name)).to.equal(
      'AbortError',
    );
    expect(firstDifference((await runtime.evaluate(tokens)).logits, logits)).to.equal(-1);
  });

  it('refuses what cannot be evaluated', async () => {
    const runtime = baseline();
    await runtime.loadModel(tinyLlama({contextLength: 32}));
    const {vocabularySize} = (await runtime.diagnostics()).model ?? {vocabularySize: NaN};
    await expectRefusal(() => runtime.evaluate([]), 'invalid-prompt');
    await expectRefusal(() => runtime.evaluate([1, -1]), 'invalid-prompt', 'tokens[1]');
    await expectRefusal(() => runtime.evaluate([1.5]), 'invalid-prompt', 'tokens[0]');
    await expectRefusal(() => runtime.evaluate([vocabularySize]), 'invalid-prompt', String(vocabularySize));
    await expectRefusal(() => runtime.evaluate(Array.from({length: 33}, () => 1)), 'prompt-too-long', '33');
    for (const sliceLength of [0, -1, 1.5, NaN, 65]) {
      await expectRefusal(() => runtime.evaluate([1], {sliceLength}), 'invalid-setting', 'sliceLength');
    }
    expect((await runtime.evaluate(Array.from({length: 32}, () => 1))).logits.length).to.equal(
      32 * vocabularySize,
    );
  });
});
