import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../worker-runtime/client/index.ts';
import type {ErrorName, LoadOptions, ModelInfo} from '../../worker-runtime/client/index.ts';
import {tinyLlama} from '../helpers/gguf-writer.ts';
import type {TinyLlamaOptions} from '../helpers/gguf-writer.ts';
import {expectRefusal} from '../helpers/refusal.ts';
import {freshAnswer} from '../helpers/tiny-runs.ts';

describe('a refused load', () => {
  let runtime: GgufRuntime;
  let info: ModelInfo;
  let expected: readonly number[];
  before(async () => {
    runtime = await GgufRuntime.boot();
    info = await runtime.loadModel(tinyLlama({seed: 7}));
    expected = await freshAnswer(runtime);
  });
  after(() => runtime.terminate());
  // Whatever was refused: the model before is there, and answers as before.
  afterEach(async () => {
    expect((await runtime.diagnostics()).model).to.deep.equal(info);
    expect(await freshAnswer(runtime)).to.deep.equal(expected);
  });

  async function refused(
    source: Blob,
    name: ErrorName,
    field?: string,
    options?: LoadOptions,
  ): Promise<void> {
    const error = await expectRefusal(() => runtime.loadModel(source, options), name);
    if (field !== undefined) expect(error.field, error.message).to.equal(field);
  }
  const tiny = (options: TinyLlamaOptions): Blob => new Blob([tinyLlama(options)]);
  const norm = {type: 'F32', dimensions: [64], data: new Float32Array(64)} as const;

  it('for what is no GGUF file', async () => {
    await refused(new Blob([]), 'not-gguf');
    await refused(new Blob(['<!doctype html><title>Not found</title>']), 'not-gguf');
    await refused(new Blob([tinyLlama().slice(0, 2000)]), 'gguf-truncated');
  });

  it('for a file that ends inside its tensors', async () => {
    const bytes = tinyLlama();
    await refused(new Blob([bytes.slice(0, bytes.byteLength - 1000)]), 'gguf-truncated');
  });

  it('for an unknown architecture', () =>
    refused(
      tiny({metadata: {'general.architecture': 'wombat'}}),
      'unsupported-architecture',
      'general.architecture',
    ));

  it('for a missing key', () =>
    refused(tiny({metadata: {'llama.block_count': null}}), 'missing-key', 'llama.block_count'));

  for (const [key, value] of [
    ['llama.embedding_length', 0],
    ['llama.attention.head_count', 24],
    ['llama.attention.head_count', 0],
    ['llama.attention.head_count_kv', 3],
    ['llama.rope.dimension_count', 15],
    ['llama.rope.dimension_count', 32],
    ['llama.context_length', 'many'],
    ['llama.attention.layer_norm_rms_epsilon', {type: 'f32', value: NaN}],
    ['llama.rope.freq_base', {type: 'f32', value: 0}],
  ] as const) {
    it(`for an impossible ${key}`, () => refused(tiny({metadata: {[key]: value}}), 'gguf-metadata', key));
  }

  for (const [key, value] of [
    ['llama.expert_used_count', 2],
    ['llama.attention.value_length', 8],
    ['llama.rope.scaling.type', 'spiral'],
    ['split.count', 2],
  ] as const) {
    it(`for ${key}, which the decoder does not have`, () =>
      refused(tiny({metadata: {[key]: value}}), 'unsupported-feature', key));
  }

  it('for heads that the attention kernel cannot divide', () =>
    refused(
      tiny({embeddingLength: 72, headCount: 12, headCountKv: 12}),
      'unsupported-feature',
      'llama.attention.head_count',
    ));

  it('for an unknown tensor type', async () => {
    const name = 'blk.1.ffn_up.weight';
    const integers = {type: 24, dimensions: [64, 96], data: new Uint8Array(64 * 96)} as const;
    await refused(tiny({tensors: {[name]: integers}}), 'unsupported-tensor-type', name);
    const halves = {type: 'F16', dimensions: [64], data: new Float32Array(64)} as const;
    await refused(
      tiny({tensors: {'output_norm.weight': halves}}),
      'unsupported-tensor-type',
      'output_norm.weight',
    );
  });

  it('for a missing tensor', async () => {
    for (const name of ['token_embd.weight', 'blk.0.attn_q.weight', 'blk.1.ffn_norm.weight']) {
      await refused(tiny({tensors: {[name]: null}}), 'missing-tensor', name);
    }
    await refused(tiny({metadata: {'llama.block_count': 3}}), 'missing-tensor', 'blk.2.attn_norm.weight');
  });

  it('for a tensor of another shape', async () => {
    const shape = (dimensions: number[]) => ({
      type: 'F32' as const,
      dimensions,
      data: new Float32Array(dimensions.reduce((product, length) => product * length, 1)),
    });
    for (const dimensions of [[64, 64], [32, 64], [64, 32, 2], [2048]]) {
      const name = 'blk.0.attn_k.weight';
      await refused(tiny({tensors: {[name]: shape(dimensions)}}), 'tensor-shape', name);
    }
    await refused(tiny({tensors: {'output_norm.weight': shape([63])}}), 'tensor-shape', 'output_norm.weight');
    await refused(
      tiny({metadata: {'llama.feed_forward_length': 64}}),
      'tensor-shape',
      'blk.0.ffn_gate.weight',
    );
  });

  it('for a tensor that would be ignored', async () => {
    await refused(
      tiny({tensors: {'blk.0.attn_q_norm.weight': norm}}),
      'unsupported-feature',
      'blk.0.attn_q_norm.weight',
    );
    await refused(
      tiny({metadata: {'llama.block_count': 1}}),
      'unsupported-feature',
      'blk.1.attn_norm.weight',
    );
  });

  it('for a vocabulary that contradicts itself', () =>
    refused(
      tiny({metadata: {'tokenizer.ggml.scores': new Float32Array(3)}}),
      'tokenizer-invalid',
      'tokenizer.ggml.scores',
    ));

  it('for an unknown tokenizer', () =>
    refused(
      tiny({metadata: {'tokenizer.ggml.model': 'abacus'}}),
      'unsupported-tokenizer',
      'tokenizer.ggml.model',
    ));

  it('for weights that give logits that are not finite', () =>
    refused(
      tiny({tensors: {'output_norm.weight': {...norm, data: new Float32Array(64).fill(NaN)}}}),
      'logits-not-finite',
    ));

  it('for settings out of their range', async () => {
    for (const contextLength of [0, -1, 1.5, 257, NaN]) {
      await refused(tiny({}), 'invalid-setting', 'contextLength', {contextLength});
    }
    for (const kvType of ['q4_0', 'Q8_0', 'toString', '', 8]) {
      await refused(tiny({}), 'invalid-setting', 'kvType', {kvType: kvType as 'f16'});
    }
  });

  it('for a source that is none', async () => {
    await refused('' as unknown as Blob, 'invalid-source', 'source');
    await refused('http://' as unknown as Blob, 'invalid-source', 'source');
    await refused(null as unknown as Blob, 'invalid-source', 'source');
  });
});
