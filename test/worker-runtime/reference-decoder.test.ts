import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../worker-runtime/client/index.ts';
import {tinyLlama} from '../helpers/gguf-writer.ts';
import type {TinyLlamaOptions} from '../helpers/gguf-writer.ts';
import {largestDifference} from '../helpers/logits-difference.ts';
import {referenceLogits} from '../helpers/reference-decoder/index.ts';

/**
 * f32 against f64: a sum of n ≤ 128 products errs by about √n · 2^-24 ≈ 7e-7 of its size; some ten of them lie one
 * behind the other in two layers, and logits are up to about 5. A wrong formula is off by tenths.
 */
const tolerance = 5e-5;

/** Longer than a block of 32 positions of the attention kernel. */
const tokens = Array.from({length: 40}, (_, index) => (index * 37 + 1) % 300);

describe('the decoder against the formulas of llama', () => {
  let runtime: GgufRuntime;
  before(async () => (runtime = await GgufRuntime.boot()));
  after(() => runtime.terminate());

  async function expectSame(options: TinyLlamaOptions): Promise<void> {
    const bytes = tinyLlama(options);
    const expected = await referenceLogits(bytes, tokens);
    await runtime.loadModel(bytes, {kvType: 'f32'});
    const {logits} = await runtime.evaluate(tokens);
    expect(largestDifference(logits, expected.flat())).to.be.lessThan(tolerance);
  }

  it('with grouped heads', () => expectSame({}));
  it('with as many key/value heads as heads', () => expectSame({headCountKv: 4}));
  it('with one key/value head', () => expectSame({headCountKv: 1}));
  it('with one layer and with three', async () => {
    await expectSame({layerCount: 1});
    await expectSame({layerCount: 3});
  });
  it('with the embedding as output matrix', () => expectSame({tiedEmbedding: true}));
  it('with products cut into groups of columns', () =>
    expectSame({embeddingLength: 128, headCount: 4, headCountKv: 4, feedForwardLength: 256}));
  it('with lengths that are no multiple of 16', () =>
    expectSame({embeddingLength: 60, headCount: 5, headCountKv: 5, feedForwardLength: 91}));
  it('with rope over a part of each head', () => expectSame({metadata: {'llama.rope.dimension_count': 8}}));
  it('with another rope base', () =>
    expectSame({metadata: {'llama.rope.freq_base': {type: 'f32', value: 500_000}}}));
  it('with another epsilon', () =>
    expectSame({metadata: {'llama.attention.layer_norm_rms_epsilon': {type: 'f32', value: 0.125}}}));

  it('with linear rope scaling', () =>
    expectSame({
      metadata: {'llama.rope.scaling.type': 'linear', 'llama.rope.scaling.factor': {type: 'f32', value: 4}},
    }));

  it("with the file's own rope factors", () => {
    const data = Float32Array.from({length: 8}, (_, pair) => 1 + pair / 2);
    return expectSame({tensors: {'rope_freqs.weight': {type: 'F32', dimensions: [8], data}}});
  });

  it('with YaRN', () =>
    expectSame({
      metadata: {
        'llama.rope.scaling.type': 'yarn',
        'llama.rope.scaling.factor': {type: 'f32', value: 4},
        'llama.rope.scaling.original_context_length': 64,
      },
    }));
});
