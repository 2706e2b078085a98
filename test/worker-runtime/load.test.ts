import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../worker-runtime/client/index.ts';
import type {LoadProgress} from '../../worker-runtime/client/index.ts';
import {tinyLlama} from '../helpers/gguf-writer.ts';
import {expectRefusal} from '../helpers/refusal.ts';
import {freshAnswer, prompt} from '../helpers/tiny-runs.ts';

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

describe('free-model', () => {
  it('leaves nothing to run on, until the next load', async () => {
    const runtime = await GgufRuntime.boot();
    await runtime.loadModel(tinyLlama());
    const expected = await freshAnswer(runtime);
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
    expect(await freshAnswer(runtime)).to.deep.equal(expected);
    runtime.terminate();
  });
});
