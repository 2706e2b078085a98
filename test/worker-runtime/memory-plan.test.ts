import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../worker-runtime/client/index.ts';
import type {ModelInfo} from '../../worker-runtime/client/index.ts';
import {tinyLlama} from '../helpers/gguf-writer.ts';
import {expectRefusal} from '../helpers/refusal.ts';
import {freshAnswer, prompt} from '../helpers/tiny-runs.ts';

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

  it('counts both models while one takes the place of the other', async () => {
    const own = await GgufRuntime.boot();
    const first = await own.loadModel(tinyLlama());
    expect((await own.diagnostics()).memory.wasmHighWaterBytes).to.equal(first.memory.total);
    const second = await own.loadModel(tinyLlama({weightType: 'Q8_0'}));
    const {wasmBytes, wasmHighWaterBytes} = (await own.diagnostics()).memory;
    expect(wasmBytes).to.equal(second.memory.total);
    expect(wasmHighWaterBytes).to.equal(first.memory.total + second.memory.total);
    own.terminate();
  });

  it('counts a load that fails after it has taken its memory', async () => {
    const own = await GgufRuntime.boot();
    const first = await own.loadModel(tinyLlama());
    await expectRefusal(() => own.loadModel(new Blob(['no model'])), 'not-gguf');
    const norm = {type: 'F32', dimensions: [64], data: new Float32Array(64).fill(NaN)} as const;
    const broken = tinyLlama({tensors: {'output_norm.weight': norm}});
    expect((await own.diagnostics()).memory.wasmHighWaterBytes).to.equal(first.memory.total);
    await expectRefusal(() => own.loadModel(broken), 'logits-not-finite');
    const {wasmBytes, wasmHighWaterBytes} = (await own.diagnostics()).memory;
    expect(wasmBytes).to.equal(first.memory.total);
    expect(wasmHighWaterBytes).to.equal(2 * first.memory.total);
    own.terminate();
  });

  it('knows the bytes of the KV cache', async () => {
    // Keys and values of two layers; in q8_0 each of the two heads of 16 has a scale of its own.
    const perPosition = 2 * 2 * 32;
    for (const [kvType, bytes] of [
      ['f16', 2],
      ['f32', 4],
      ['q8_0', 1 + 2 / 16],
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
    const before = await freshAnswer(runtime);
    // Also lengths at which a 32-bit count of bytes would come out as 0, small or negative.
    for (const contextLength of [2 ** 25, 2 ** 26, 2 ** 26 + 64, 2 ** 27, 2 ** 31]) {
      const error = await expectRefusal(
        () => runtime.loadModel(source, {contextLength}),
        'memory-plan',
        'GiB',
      );
      expect(error.field).to.equal('contextLength');
    }
    expect(await freshAnswer(runtime)).to.deep.equal(before);
  });
});
