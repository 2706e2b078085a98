import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../worker-runtime/client/index.ts';
import type {ErrorName, Pooling} from '../../worker-runtime/client/index.ts';
import {tinyLlama} from '../helpers/gguf-writer.ts';
import {tinyEncoders} from '../helpers/gguf/architectures/encoders.ts';
import {tinyModel} from '../helpers/gguf/architectures/index.ts';
import {RawWorker} from '../helpers/raw-worker.ts';
import {expectRefusal} from '../helpers/refusal.ts';
import {anyTokens, greedy, prompt} from '../helpers/tiny-runs.ts';

const bits = (values: Float32Array): string =>
  String(new Uint32Array(values.buffer, values.byteOffset, values.length));
const length = (values: Float32Array): number => Math.hypot(...values);

const encoder = (contextLength = 256): ArrayBuffer =>
  tinyModel({...tinyEncoders['nomic-bert']!, contextLength});
const embeddingLlama = (pooling = 3): ArrayBuffer => tinyLlama({metadata: {'llama.pooling_type': pooling}});
/** Takes an encoder long enough that an abort after some milliseconds comes before its end. */
const longTexts = Array.from({length: 40}, (_, index) => anyTokens(4000, index));

describe('embed', () => {
  let runtime: GgufRuntime;
  before(async () => (runtime = await GgufRuntime.boot()));
  after(() => runtime.terminate());

  describe('of an encoder', () => {
    before(() => runtime.loadModel(encoder()));

    it('gives one vector of length 1 for each text', async () => {
      const embeddings = await runtime.embed(['hello', 'the thing', 'hello']);
      expect(embeddings.map((embedding) => embedding.length)).to.deep.equal([64, 64, 64]);
      // Each of 64 values is rounded to 2^-24 of itself.
      for (const embedding of embeddings) expect(length(embedding)).to.be.closeTo(1, 2 ** -23);
      const [first, second, third] = embeddings.map(bits);
      expect(first).to.equal(third);
      expect(first).to.not.equal(second);
    });

    it('gives the vectors as they are where they are not to be normalised', async () => {
      const [unit] = await runtime.embed(['hello']);
      const [raw] = await runtime.embed(['hello'], {normalize: false});
      expect(length(raw!)).to.be.greaterThan(2);
      unit!.forEach((value, i) => expect(raw![i]! / length(raw!)).to.be.closeTo(value, 2 ** -23));
    });

    it('takes token IDs for texts', async () => {
      const tokens = await runtime.tokenize('hello there', {addSpecial: true, parseSpecial: true});
      const [text, ids] = await runtime.embed(['hello there', tokens]);
      expect(bits(text!)).to.equal(bits(ids!));
    });

    it('pools as asked: of the states of all tokens', async () => {
      const tokens = anyTokens(9);
      const options = {normalize: false} as const;
      const [all] = await runtime.embed([tokens], {...options, pooling: 'none'});
      const row = (index: number): Float32Array => all!.subarray(index * 64, (index + 1) * 64);
      const mean = Float32Array.from({length: 64}, (_, i) => {
        let sum = 0;
        for (let token = 0; token < 9; token++) sum += row(token)[i]!;
        return sum / 9;
      });
      const pooled = async (pooling?: Pooling): Promise<string> =>
        bits((await runtime.embed([tokens], {...options, ...(pooling && {pooling})}))[0]!);
      expect(await pooled('cls')).to.equal(bits(row(0)));
      expect(await pooled('last')).to.equal(bits(row(8)));
      expect(await pooled('mean')).to.equal(bits(mean));
      expect(await pooled(), 'as the file says').to.equal(bits(mean));
    });

    it('normalises each row where nothing is pooled', async () => {
      const [all] = await runtime.embed([anyTokens(5)], {pooling: 'none'});
      expect(all!.length).to.equal(5 * 64);
      for (let token = 0; token < 5; token++) {
        expect(length(all!.subarray(token * 64, (token + 1) * 64))).to.be.closeTo(1, 2 ** -23);
      }
    });

    it('does not depend on the texts beside, nor on those at the same time', async () => {
      const texts = [3, 200, 1, 70].map((count, seed) => anyTokens(count, seed));
      const alone: string[] = [];
      for (const text of texts) alone.push(bits((await runtime.embed([text]))[0]!));
      const together = await runtime.embed(texts);
      expect(together.map(bits)).to.deep.equal(alone);
      const atOnce = await Promise.all(texts.map((text) => runtime.embed([text, ...texts])));
      expect(atOnce.map(([first]) => bits(first!))).to.deep.equal(alone);
    });

    it('of no text is nothing', async () => expect(await runtime.embed([])).to.deep.equal([]));

    it('takes texts as long as the context', async () => {
      expect((await runtime.embed([anyTokens(256)]))[0]!.every(Number.isFinite)).to.be.true;
    });

    it('is all that it can do', async () => {
      await expectRefusal(() => runtime.generate(greedy).result, 'unsuitable-model', 'nomic-bert');
      await expectRefusal(() => runtime.evaluate([1, 2]), 'unsuitable-model', 'evaluate');
      expect((await runtime.embed(['hello'])).length).to.equal(1);
    });

    const refusals: readonly (readonly [string, unknown, object, ErrorName, string])[] = [
      ['a text', 'hello', {}, 'invalid-prompt', 'texts'],
      ['what is no text', ['a', 7], {}, 'invalid-prompt', 'texts[1]'],
      ['an unknown token', ['a', [1, 100_000]], {}, 'invalid-prompt', 'texts[1][1]'],
      ['an empty text', ['a', []], {}, 'invalid-prompt', 'texts[1]'],
      ['a long text', ['a', 'b', anyTokens(257)], {}, 'prompt-too-long', 'texts[2]'],
      ['a pooling', ['a'], {pooling: 'max'}, 'invalid-setting', 'pooling'],
      ['normalize', ['a'], {normalize: 1}, 'invalid-setting', 'normalize'],
      ['a slice', ['a'], {sliceLength: 65}, 'invalid-setting', 'sliceLength'],
      ['what it does not know', ['a'], {dimensions: 32}, 'unsupported-feature', 'dimensions'],
    ];
    for (const [name, texts, options, error, field] of refusals) {
      it(`refuses ${name}: ${error} ${field}`, async () => {
        const bad = texts as string[];
        const refusal = await expectRefusal(() => runtime.embed(bad, options), error, field);
        expect(refusal.field).to.equal(field);
      });
    }
  });

  describe('of a decoder', () => {
    it('pools the states as its file says', async () => {
      for (const [type, pooling] of [
        [1, 'mean'],
        [2, 'cls'],
        [3, 'last'],
      ] as const) {
        const info = await runtime.loadModel(embeddingLlama(type));
        expect([info.pooling, info.generates]).to.deep.equal([pooling, true]);
        const [asFile, asAsked] = await Promise.all([
          runtime.embed(['hello hello']),
          runtime.embed(['hello hello'], {pooling}),
        ]);
        expect(bits(asFile[0]!)).to.equal(bits(asAsked[0]!));
      }
    });

    it('gives the state of each token as the last one of a shorter text', async () => {
      await runtime.loadModel(embeddingLlama());
      const tokens = anyTokens(100);
      const [all] = await runtime.embed([tokens], {pooling: 'none'});
      for (const count of [1, 33, 100]) {
        const [last] = await runtime.embed([tokens.slice(0, count)]);
        expect(bits(last!)).to.equal(bits(all!.slice((count - 1) * 64, count * 64)));
      }
    });

    it('needs a pooling, from the file or from the page', async () => {
      await runtime.loadModel(embeddingLlama(0));
      await expectRefusal(() => runtime.embed(['hello']), 'unsuitable-model', 'pooling');
      expect((await runtime.embed(['hello'], {pooling: 'mean'}))[0]!.length).to.equal(64);
    });

    it('leaves the context as it was', async () => {
      for (const kvType of ['f32', 'f16', 'q8_0'] as const) {
        await runtime.loadModel(tinyLlama(), {kvType});
        const first = await runtime.generate(greedy).result;
        const next = {...greedy, tokens: [...prompt, ...first.tokens, 277]};
        const expected = await runtime.generate(next).result;
        await runtime.resetContext();
        await runtime.generate(greedy).result;
        await runtime.embed([anyTokens(200), anyTokens(60, 2)], {pooling: 'mean'});
        const after = await runtime.generate(next).result;
        expect(after.tokens).to.deep.equal(expected.tokens);
        expect(after.usage.cachedTokens).to.equal(expected.usage.cachedTokens);
      }
    });

    it('runs beside an answer', async () => {
      await runtime.loadModel(tinyLlama());
      const options = {...greedy, maxTokens: 100};
      const expected = await runtime.generate(options).result;
      const texts = [anyTokens(30), anyTokens(7)];
      const embeddings = await runtime.embed(texts, {pooling: 'last'});
      await runtime.resetContext();
      const run = runtime.generate(options);
      const beside = [runtime.embed(texts, {pooling: 'last'}), runtime.embed(texts, {pooling: 'last'})];
      expect((await run.result).tokens).to.deep.equal(expected.tokens);
      for (const each of await Promise.all(beside)) {
        expect(each.map(bits)).to.deep.equal(embeddings.map(bits));
      }
    });
  });

  describe('cancelled', () => {
    const aborted = async (texts: readonly number[][], delay: number, options = {}): Promise<string> => {
      const controller = new AbortController();
      const embedding = runtime.embed(texts, {signal: controller.signal, ...options});
      setTimeout(() => controller.abort(), delay);
      return embedding.then(
        () => 'done',
        (error: Error) => error.name,
      );
    };

    it('ends with an AbortError and leaves an encoder as it was', async () => {
      await runtime.loadModel(encoder(4096));
      const expected = (await runtime.embed([anyTokens(300)])).map(bits);
      for (const delay of [0, 3, 20]) {
        expect(await aborted(longTexts, delay)).to.equal('AbortError');
        expect((await runtime.embed([anyTokens(300)])).map(bits)).to.deep.equal(expected);
      }
      const before = runtime.embed(['a'], {signal: AbortSignal.abort()});
      expect(await before.catch((error: Error) => error.name)).to.equal('AbortError');
      expect((await runtime.diagnostics()).running).to.deep.equal([]);
    });

    it('leaves the context of a decoder as it was', async () => {
      await runtime.loadModel(tinyLlama({contextLength: 4096}));
      const next = async (): Promise<{tokens: readonly number[]; cached: number}> => {
        await runtime.resetContext();
        const {tokens} = await runtime.generate(greedy).result;
        await between();
        const {tokens: more, usage} = await runtime.generate({...greedy, tokens: [...prompt, ...tokens, 277]})
          .result;
        return {tokens: more, cached: usage.cachedTokens};
      };
      let between = (): Promise<unknown> => Promise.resolve();
      const expected = await next();
      for (const delay of [0, 3, 20]) {
        between = async () =>
          expect(await aborted(longTexts, delay, {pooling: 'mean'})).to.equal('AbortError');
        expect(await next()).to.deep.equal(expected);
      }
    });

    it('by freeing the model', async () => {
      await runtime.loadModel(encoder(4096));
      const embedding = runtime.embed(longTexts).catch((error: Error) => error.name);
      expect((await runtime.freeModel()).freedBytes).to.be.greaterThan(0);
      expect(await embedding).to.equal('AbortError');
      await expectRefusal(() => runtime.embed(['a']), 'no-model');
    });

    it('is a result of the command', async () => {
      const worker = await RawWorker.booted();
      await worker.result('load-model', {source: encoder(4096)});
      const id = worker.send('embed', {texts: longTexts});
      expect(await worker.result('cancel', {target: id})).to.deep.equal({found: true});
      expect(await worker.outcome(id)).to.deep.equal({result: {cancelled: true}});
      worker.terminate();
    });
  });
});
