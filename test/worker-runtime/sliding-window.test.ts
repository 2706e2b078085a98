import {expect} from '@open-wc/testing';
import {Generation} from '../../worker-runtime/generation.ts';
import type {LoadedModel} from '../../worker-runtime/loaded-model.ts';
import type {AttentionSpec, DecoderSpec} from '../../worker-runtime/model/decoder-spec.ts';
import {usedKvBytes} from '../../worker-runtime/model/kv-cache.ts';
import {defaultSampling} from '../../worker-runtime/protocol.ts';
import type {CoreVariant, KvType} from '../../worker-runtime/protocol.ts';
import type {Sequence} from '../../worker-runtime/sequence.ts';
import {tinyLlama} from '../helpers/gguf-writer.ts';
import {Random} from '../helpers/gguf/random.ts';
import {largestDifference} from '../helpers/logits-difference.ts';
import {referenceLogits} from '../helpers/reference-decoder/index.ts';
import {TinyDecoder} from '../helpers/tiny-decoder.ts';
import {anyTokens} from '../helpers/tiny-runs.ts';

/** Layers that see everything beside windows of several lengths: shorter than a block of 32 positions, and longer. */
const attentionWindows = [24, 0, 5, 40];
const contextLength = 512;
const sliceLength = 16;
const file = tinyLlama({layerCount: attentionWindows.length, contextLength});

const withWindows =
  (windows: readonly number[]) =>
  (spec: DecoderSpec): DecoderSpec => ({
    ...spec,
    layers: spec.layers.map((layer, index) => ({
      ...layer,
      mixer: {...(layer.mixer as AttentionSpec), window: windows[index] ?? 0},
    })),
  });

const load = (kvType: KvType, variant?: CoreVariant): Promise<TinyDecoder> =>
  TinyDecoder.load(file.slice(0), {
    edit: withWindows(attentionWindows),
    kvType,
    contextLength,
    sliceLength,
    ...(variant === undefined ? {} : {variant}),
  });

/** The same bits, or the first row that differs. */
function expectSameBits(actual: readonly Float32Array[], expected: readonly Float32Array[]): void {
  expect(actual.length).to.equal(expected.length);
  const bits = (row: Float32Array | undefined): string => String(row && new Uint32Array(row.buffer));
  const different = actual.findIndex((row, index) => bits(row) !== bits(expected[index]));
  expect(different, 'first row that differs').to.equal(-1);
}

describe('layers with a sliding window', () => {
  let tiny: TinyDecoder;
  before(async () => (tiny = await load('f32')));

  /** What a context that forgets nothing gives, from its beginning. */
  const fresh = (tokens: readonly number[], by = tiny): Promise<Float32Array[]> =>
    by.feed(by.sequence(by.wholeCache), tokens, sliceLength);

  it('give what the formulas give', async () => {
    const tokens = anyTokens(120);
    const expected = await referenceLogits(file, tokens, {windows: attentionWindows});
    const actual = await tiny.feed(tiny.sequence(), tokens, sliceLength);
    // As in reference-decoder.test.ts, and twice as many layers.
    const tolerance = 1e-4;
    actual.forEach((row, position) => {
      expect(largestDifference(row, expected[position] ?? [])).to.be.lessThan(tolerance);
    });
  });

  it('do not see what is outside', async () => {
    const all = await TinyDecoder.load(file.slice(0), {
      edit: withWindows([5, 5, 5, 5]),
      kvType: 'f32',
      contextLength,
      sliceLength,
    });
    // Four layers see 4 positions back each.
    const [first, ...rest] = anyTokens(30);
    const one = await all.feed(all.sequence(), [first ?? 0, ...rest], sliceLength);
    const other = await all.feed(all.sequence(), [299, ...rest], sliceLength);
    expectSameBits(one.slice(17), other.slice(17));
    expect(one[16]).to.not.deep.equal(other[16]);
  });

  for (const kvType of ['f32', 'f16', 'q8_0'] as const) {
    it(`keep the window alone, with the same bits as a whole cache, in any slices and cores (${kvType})`, async () => {
      const tokens = anyTokens(300);
      let expected: Float32Array[] | undefined;
      for (const variant of ['baseline', 'relaxed'] as const) {
        // An engine without relaxed SIMD has one core only.
        const core = await load(kvType, variant).catch(() => null);
        if (!core) continue;
        expected ??= await fresh(tokens, core);
        for (const slice of [1, 7, sliceLength]) {
          expectSameBits(await core.feed(core.sequence(), tokens, slice), expected);
        }
      }
      expect(expected).to.not.equal(undefined);
    });
  }

  it('take the memory of window and slice, in whole blocks', () => {
    expect(tiny.cache.layers.map(({attention}) => attention?.positions)).to.deep.equal([64, 512, 32, 64]);
    expect(tiny.wholeCache.layers.map(({attention}) => attention?.positions)).to.deep.equal([
      512, 512, 512, 512,
    ]);
    const perPosition = 2 * 2 * 16 * 4;
    expect(usedKvBytes(tiny.cache, 40)).to.equal((40 + 40 + 32 + 40) * perPosition);
    expect(usedKvBytes(tiny.cache, 500)).to.equal((64 + 500 + 32 + 64) * perPosition);
  });

  it('let a context go back as far as the windows reach, and no farther', async () => {
    const tokens = anyTokens(200);
    // The ring of the last layer has 64 positions: of 200, those from 136 on. Its window of 40 begins there at 175.
    const near = tiny.sequence();
    await tiny.feed(near, tokens, sliceLength);
    expect(near.rewind(175)).to.equal(175);
    const changed = [...tokens.slice(0, 175), ...anyTokens(30, 5)];
    const expected = await fresh(changed);
    expectSameBits(await tiny.feed(near, changed.slice(175), sliceLength), expected.slice(175));

    const far = tiny.sequence();
    await tiny.feed(far, tokens, sliceLength);
    expect(far.rewind(174)).to.equal(0);
    expect(far.length).to.equal(0);
    expectSameBits(await tiny.feed(far, changed, sliceLength), expected);
  });

  it('count what a cancelled step has overwritten', async () => {
    const tokens = anyTokens(200);
    const sequence = tiny.sequence();
    await tiny.feed(sequence, tokens, sliceLength);
    const cancelled = new Error('cancelled');
    const step = sequence.feed(anyTokens(16, 7), tiny.decoder, () => {
      throw cancelled;
    });
    expect(await step.catch((error: unknown) => error)).to.equal(cancelled);
    expect(sequence.length).to.equal(200);
    expect(sequence.rewind(190)).to.equal(0);
  });

  it('never give anything else after cancels and steps back at random', async () => {
    const random = new Random(3);
    const sequence = tiny.sequence();
    let tokens: number[] = [];
    let [continued, recomputed] = [0, 0];
    for (let round = 0; round < 60; round++) {
      const back = sequence.rewind(Math.max(0, sequence.length - random.below(60)));
      if (back > 0) continued++;
      else recomputed++;
      const more = anyTokens(1 + random.below(60), round);
      tokens = back > 0 ? [...tokens.slice(0, back), ...more] : [...tokens.slice(0, 70), ...more];
      if (tokens.length > 400) tokens = tokens.slice(0, 400);
      await feedWithCancels(sequence, tokens.slice(sequence.length), random);
      const [last] = (await tiny.feed(sequence, [9], 1)).slice(-1);
      tokens = [...tokens.slice(0, sequence.length - 1), 9];
      expectSameBits(last ? [last] : [], (await fresh(tokens)).slice(-1));
    }
    expect(Math.min(continued, recomputed)).to.be.greaterThan(5);
  }).timeout(60_000);

  /** In slices of random lengths, some of which are cancelled half way with other tokens before they are fed. */
  async function feedWithCancels(
    sequence: Sequence,
    tokens: readonly number[],
    random: Random,
  ): Promise<void> {
    for (let first = 0; first < tokens.length;) {
      const count = 1 + random.below(sliceLength);
      const part = tokens.slice(first, first + count);
      if (random.below(3) === 0) {
        let checkpoints = random.below(12);
        const step = sequence.feed(anyTokens(part.length, count), tiny.decoder, () => {
          if (checkpoints-- === 0) throw new Error('cancelled');
        });
        const error = await step.then(
          () => null,
          (thrown: unknown) => thrown,
        );
        expect(error).to.be.instanceOf(Error);
      }
      await tiny.feed(sequence, part, count);
      first += part.length;
    }
  }

  describe('in a generation', () => {
    const tokenizer = {
      vocabularySize: 300,
      endOfGeneration: new Set<number>(),
      tokenBytes: () => Uint8Array.of(0x61),
    };

    async function answer(sequence: Sequence, prompt: readonly number[]) {
      // The parts of a model that a generation touches.
      const model = {decoder: tiny.decoder, tokenizer} as unknown as LoadedModel;
      const events = {onPrefill: () => undefined, onToken: () => undefined};
      const generation = new Generation(model, sequence, prompt, {maxTokens: 4}, defaultSampling, events);
      while (!(await generation.step(() => undefined)));
      const {tokens, usage} = generation.result();
      return {tokens, cached: usage.cachedTokens};
    }

    it('the beginning of a prompt is reused where the windows are there, else computed again', async () => {
      const sequence = tiny.sequence();
      const prompt = anyTokens(150);
      await answer(sequence, prompt);
      const near = [...prompt.slice(0, 140), 299, 298];
      const far = [...prompt.slice(0, 60), 299, 298];
      for (const [changed, cached] of [
        [near, 140],
        [far, 0],
      ] as const) {
        const again = await answer(sequence, changed);
        expect(again.cached).to.equal(cached);
        expect((await answer(tiny.sequence(tiny.wholeCache), changed)).tokens).to.deep.equal(again.tokens);
      }
    });
  });
});
