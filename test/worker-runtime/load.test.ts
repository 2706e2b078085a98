import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../worker-runtime/client/index.ts';
import type {ErrorName, LoadOptions, LoadProgress, ModelInfo} from '../../worker-runtime/client/index.ts';
import {readHeader} from '../../worker-runtime/gguf/header.ts';
import type {FixtureEvent} from '../helpers/fixture-fetch.ts';
import {tinyLlama} from '../helpers/gguf-writer.ts';
import type {TinyLlamaOptions} from '../helpers/gguf-writer.ts';
import {readPieces} from '../helpers/piece-stream.ts';
import {expectRefusal} from '../helpers/refusal.ts';

const prompt = [1, 70, 80, 90];
const answer = async (runtime: GgufRuntime): Promise<readonly number[]> => {
  await runtime.resetContext();
  const options = {tokens: prompt, maxTokens: 8, ignoreEndOfGeneration: true};
  return (await runtime.generate(options).result).tokens;
};

describe('loadModel', () => {
  let runtime: GgufRuntime;
  before(async () => (runtime = await GgufRuntime.boot()));
  after(() => runtime.terminate());

  it('gives the same model from a URL, a Blob, a File and an ArrayBuffer', async () => {
    const bytes = tinyLlama({weightType: 'Q8_0'});
    const blob = new Blob([bytes]);
    const url = URL.createObjectURL(blob);
    const file = new File([bytes], 'model.gguf');
    const all: number[][] = [];
    for (const source of [blob, file, url, new URL(url), bytes]) {
      await runtime.loadModel(source);
      all.push([...(await runtime.evaluate(prompt)).logits]);
    }
    URL.revokeObjectURL(url);
    for (const logits of all) expect(logits).to.deep.equal(all[0]);
  });

  it('takes a URL relative to the page', async () => {
    const error = await expectRefusal(() => runtime.loadModel('no/such.gguf'), 'network-status', '404');
    expect(error.message).to.include(new URL('no/such.gguf', location.href).href);
  });

  it('transfers an ArrayBuffer, once', async () => {
    const bytes = tinyLlama();
    await runtime.loadModel(bytes);
    expect(bytes.byteLength).to.equal(0);
    await expectRefusal(() => runtime.loadModel(bytes), 'invalid-source', 'transferred');
  });

  it('tells what it loaded', async () => {
    const bytes = tinyLlama({weightType: 'Q8_0', chatTemplate: '{{ messages }}', seed: 3});
    const info = await runtime.loadModel(new Blob([bytes]));
    const vocabularySize = 3 + 256 + 77 + 38;
    const parameters = 2 * vocabularySize * 64 + 64 + 2 * (2 * 64 + 2 * 64 * 64 + 2 * 32 * 64 + 3 * 96 * 64);
    expect(info).to.deep.include({
      name: 'tiny llama',
      architecture: 'llama',
      fileBytes: bytes.byteLength,
      layerCount: 2,
      embeddingLength: 64,
      trainingContextLength: 256,
      contextLength: 256,
      kvType: 'f16',
      hasChatTemplate: true,
      tensorTypes: {Q8_0: 16, F32: 5},
    });
    expect(info.parameterCount - parameters).to.equal((info.vocabularySize - vocabularySize) * 128);
    const {headerMs, tensorsMs, totalMs} = info.timings;
    expect(headerMs).to.be.at.least(0);
    expect(totalMs).to.be.at.least(headerMs + tensorsMs);
  });

  it('reports its phases in order, up to the whole file', async () => {
    const seen: LoadProgress[] = [];
    const blob = new Blob([tinyLlama()]);
    await runtime.loadModel(blob, {onProgress: (progress) => seen.push(progress)});
    const phases = ['header', 'tensors', 'warm-up'];
    const order = seen.map(({phase}) => phases.indexOf(phase));
    expect(order).to.deep.equal([...order].sort((a, b) => a - b));
    const bytes = seen.map(({loadedBytes}) => loadedBytes);
    expect(bytes).to.deep.equal([...bytes].sort((a, b) => a - b));
    expect(seen.at(-1)).to.deep.equal({phase: 'warm-up', loadedBytes: blob.size, totalBytes: blob.size});
  });
});

describe('the memory plan', () => {
  let runtime: GgufRuntime;
  before(async () => (runtime = await GgufRuntime.boot()));
  after(() => runtime.terminate());

  const planned = ({memory}: ModelInfo): number =>
    Object.values(memory.weights).reduce((sum, bytes) => sum + bytes, 0) +
    memory.kvCache +
    memory.scratch +
    memory.logits;

  it('is the memory that is used', async () => {
    for (const weightType of ['F32', 'Q4_0'] as const) {
      const info = await runtime.loadModel(tinyLlama({weightType}));
      const {memory} = await runtime.diagnostics();
      expect(memory.plan).to.deep.equal(info.memory);
      expect(memory.wasmBytes).to.equal(info.memory.total);
      const base = info.memory.total - planned(info);
      // The core's own 64 KiB, and up to a page of rounding.
      expect(base).to.be.within(65536, 2 * 65536 - 1);
      expect(await runtime.freeModel()).to.deep.equal({freedBytes: info.memory.total});
    }
  });

  it('knows the bytes of the KV cache', async () => {
    const perPosition = 2 * 2 * 32;
    for (const [kvType, bytes] of [
      ['f16', 2],
      ['f32', 4],
    ] as const) {
      const {memory} = await runtime.loadModel(tinyLlama(), {kvType, contextLength: 128});
      expect(memory.kvCache).to.equal(128 * perPosition * bytes);
      await runtime.evaluate(prompt);
      const used = (await runtime.diagnostics()).memory.kvUsedBytes;
      expect(used).to.equal(prompt.length * perPosition * bytes);
    }
  });

  it('keeps weights in the bytes of their type', async () => {
    const {memory} = await runtime.loadModel(
      tinyLlama({weightType: 'Q8_0', vocabulary: [...'abcdefghijklm']}),
    );
    const elements = 2 * 272 * 64 + 2 * (2 * 64 * 64 + 2 * 32 * 64 + 3 * 96 * 64);
    expect(memory.weights).to.deep.equal({Q8_0: (elements / 32) * 34, F32: 5 * 64 * 4});
  });

  it('refuses what WebAssembly cannot address, and keeps the model before', async () => {
    const metadata = {'llama.context_length': 2 ** 31};
    const source = new Blob([tinyLlama({metadata})]);
    await runtime.loadModel(tinyLlama());
    const before = await answer(runtime);
    // Also lengths at which a 32-bit count of bytes would come out as 0, small or negative.
    for (const contextLength of [2 ** 25, 2 ** 26, 2 ** 26 + 64, 2 ** 27, 2 ** 31]) {
      const error = await expectRefusal(
        () => runtime.loadModel(source, {contextLength}),
        'memory-plan',
        'GiB',
      );
      expect(error.field).to.equal('contextLength');
    }
    expect(await answer(runtime)).to.deep.equal(before);
  });
});

describe('a refused load', () => {
  let runtime: GgufRuntime;
  let info: ModelInfo;
  let expected: readonly number[];
  before(async () => {
    runtime = await GgufRuntime.boot();
    info = await runtime.loadModel(tinyLlama({seed: 7}));
    expected = await answer(runtime);
  });
  after(() => runtime.terminate());
  // Whatever was refused: the model before is there, and answers as before.
  afterEach(async () => {
    expect((await runtime.diagnostics()).model).to.deep.equal(info);
    expect(await answer(runtime)).to.deep.equal(expected);
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
    ['llama.expert_count', 8],
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
    await refused(tiny({}), 'invalid-setting', 'kvType', {kvType: 'q8_0' as 'f16'});
  });

  it('for a source that is none', async () => {
    await refused('' as unknown as Blob, 'invalid-source', 'source');
    await refused('http://' as unknown as Blob, 'invalid-source', 'source');
    await refused(null as unknown as Blob, 'invalid-source', 'source');
  });
});

describe('a load that stalls', () => {
  const workerSrc = new URL('../helpers/fixture-fetch-worker.ts', import.meta.url);
  let runtime: GgufRuntime;
  let expected: readonly number[];
  before(async () => {
    runtime = await GgufRuntime.boot({workerSrc});
    await runtime.loadModel(tinyLlama({seed: 7}));
    expected = await answer(runtime);
  });
  after(() => runtime.terminate());

  let download = 0;
  /** A download that stops coming after `stallAfter` bytes. */
  function stalling(
    stallAfter: number,
    architecture = 'llama',
  ): {url: string; event: (event: FixtureEvent) => Promise<void>} {
    const name = `download-${++download}`;
    const events = new Set<FixtureEvent>();
    const waiting = new Map<FixtureEvent, () => void>();
    new BroadcastChannel(name).onmessage = ({data}: MessageEvent<FixtureEvent>) => {
      events.add(data);
      waiting.get(data)?.();
    };
    const event = (wanted: FixtureEvent): Promise<void> =>
      events.has(wanted) ? Promise.resolve() : new Promise((resolve) => waiting.set(wanted, resolve));
    const query = new URLSearchParams({stallAfter: String(stallAfter), architecture});
    return {url: `https://fixture.example/${name}?${query}`, event};
  }

  /** In the header, and in the tensors. */
  const positions = [1000, tinyLlama().byteLength - 5000];

  for (const position of positions) {
    const where = position === 1000 ? 'its header' : 'its tensors';

    it(`in ${where} ends at once when it is aborted, fetch included`, async () => {
      const {url, event} = stalling(position);
      const controller = new AbortController();
      const load = expectRefusal(() => runtime.loadModel(url, {signal: controller.signal}), 'load-aborted');
      await event('stalled');
      // The runtime answers while it waits for bytes, and after.
      expect(await answer(runtime)).to.deep.equal(expected);
      controller.abort();
      await load;
      await event('abandoned');
      expect(await answer(runtime)).to.deep.equal(expected);
    });

    it(`in ${where} gives way to a newer one`, async () => {
      const {url, event} = stalling(position);
      const older = expectRefusal(() => runtime.loadModel(url), 'load-aborted');
      await event('stalled');
      const newer = await runtime.loadModel(tinyLlama({seed: 7, metadata: {'general.name': 'newer'}}));
      await older;
      await event('abandoned');
      const {model, running} = await runtime.diagnostics();
      expect(model).to.deep.equal(newer);
      expect(model?.name).to.equal('newer');
      expect(running).to.deep.equal([]);
      expect(await answer(runtime)).to.deep.equal(expected);
    });

    it(`in ${where} is ended by free-model`, async () => {
      const {url, event} = stalling(position);
      const load = expectRefusal(() => runtime.loadModel(url), 'load-aborted');
      await event('stalled');
      await runtime.freeModel();
      await load;
      await event('abandoned');
      expect((await runtime.diagnostics()).model).to.equal(null);
      await runtime.loadModel(tinyLlama({seed: 7}));
    });
  }

  it('is refused without its tensors, for all that the header can tell', async () => {
    const bytes = tinyLlama({metadata: {'general.architecture': 'wombat'}});
    const {dataOffset} = await readHeader(readPieces(bytes));
    // The header is read in pieces, which may reach into the tensors.
    const {url, event} = stalling(dataOffset + 65536, 'wombat');
    await expectRefusal(() => runtime.loadModel(url), 'unsupported-architecture', 'wombat');
    await event('abandoned');
    expect(await answer(runtime)).to.deep.equal(expected);
  });

  it('gives way even where the newer one is refused: the model before stays', async () => {
    const {url, event} = stalling(1000);
    const older = expectRefusal(() => runtime.loadModel(url), 'load-aborted');
    await event('stalled');
    await expectRefusal(() => runtime.loadModel(new Blob(['no model'])), 'not-gguf');
    await older;
    await event('abandoned');
    expect(await answer(runtime)).to.deep.equal(expected);
  });

  it('keeps only the newest of many', async () => {
    const names = Array.from({length: 8}, (_, index) => `model ${index}`);
    const models = names.map((name) => new Blob([tinyLlama({seed: 7, metadata: {'general.name': name}})]));
    const loads = models.map((model) =>
      runtime.loadModel(model).catch((error: {name: string}) => error.name),
    );
    const outcomes = await Promise.all(loads);
    expect(outcomes.slice(0, -1)).to.deep.equal(Array.from({length: 7}, () => 'load-aborted'));
    expect((await runtime.diagnostics()).model?.name).to.equal('model 7');
  });

  it('is not begun with a signal that is aborted already', async () => {
    const signal = AbortSignal.abort();
    const {loads} = (await runtime.diagnostics()).counters;
    await expectRefusal(() => runtime.loadModel(tinyLlama(), {signal}), 'load-aborted');
    expect((await runtime.diagnostics()).counters.loads).to.equal(loads);
  });
});

describe('free-model', () => {
  it('leaves nothing to run on, until the next load', async () => {
    const runtime = await GgufRuntime.boot();
    await runtime.loadModel(tinyLlama());
    const expected = await answer(runtime);
    await runtime.freeModel();
    const {model, memory} = await runtime.diagnostics();
    expect(model).to.equal(null);
    expect(memory.wasmBytes).to.equal(0);
    expect(memory.wasmHighWaterBytes).to.be.greaterThan(0);
    await expectRefusal(() => runtime.generate({tokens: [1]}).result, 'no-model');
    await expectRefusal(() => runtime.tokenize('a'), 'no-model');
    await expectRefusal(() => runtime.resetContext(), 'no-model');
    expect(await runtime.freeModel()).to.deep.equal({freedBytes: 0});
    await runtime.loadModel(tinyLlama());
    expect(await answer(runtime)).to.deep.equal(expected);
    runtime.terminate();
  });
});

describe('GgufRuntime.boot', () => {
  it('names a Worker script that is not there', async () => {
    const workerSrc = new URL('no-such-worker.js', import.meta.url);
    await expectRefusal(() => GgufRuntime.boot({workerSrc}), 'worker-failed');
  });

  it('rejects all that is under way on terminate', async () => {
    const runtime = await GgufRuntime.boot();
    await runtime.loadModel(tinyLlama({contextLength: 4096}));
    const run = runtime.generate({tokens: [1], ignoreEndOfGeneration: true});
    const load = expectRefusal(() => runtime.loadModel(new Blob([tinyLlama()])), 'terminated');
    runtime.terminate();
    await load;
    await expectRefusal(() => run.result, 'terminated');
    await expectRefusal(() => runtime.diagnostics(), 'terminated');
  });
});
