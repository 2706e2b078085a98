import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../../worker-runtime/client/index.ts';
import {tinyLlama} from '../../helpers/gguf-writer.ts';

describe('the page side of the runtime', () => {
  const {WebAssembly: wasm, fetch} = globalThis;
  const {arrayBuffer, stream, slice} = Blob.prototype;
  afterEach(() => {
    Object.assign(globalThis, {WebAssembly: wasm, fetch});
    Object.assign(Blob.prototype, {arrayBuffer, stream, slice});
  });

  it('never touches WebAssembly or a byte of the model: both are the Worker’s', async () => {
    const touched: string[] = [];
    const forbid = (name: string) => (): never => {
      touched.push(name);
      throw new Error(`${name} on the page`);
    };
    const blob = new Blob([tinyLlama()]);
    const url = URL.createObjectURL(blob);
    Object.assign(globalThis, {
      fetch: forbid('fetch'),
      WebAssembly: new Proxy(wasm, {get: (_, name) => forbid(`WebAssembly.${String(name)}`)()}),
    });
    Object.assign(Blob.prototype, {
      arrayBuffer: forbid('arrayBuffer'),
      stream: forbid('stream'),
      slice: forbid('slice'),
    });
    const runtime = await GgufRuntime.boot();
    for (const source of [url, blob]) {
      await runtime.loadModel(source);
      await runtime.generate({tokens: [1], maxTokens: 2}).result;
    }
    runtime.terminate();
    URL.revokeObjectURL(url);
    expect(touched).to.deep.equal([]);
  });
});
