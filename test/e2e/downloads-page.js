/** In the page of downloads.mjs: loads a model from a server that fails, and says what became of it. */
import {GgufError, GgufRuntime} from '/runtime.js';

let runtime;
let controller;

async function hash(array) {
  const bits = await crypto.subtle.digest('SHA-256', await new Blob([array]).arrayBuffer());
  return Array.from(new Uint8Array(bits, 0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

const told = (error) =>
  error instanceof GgufError
    ? {name: error.name, stage: error.stage, message: error.message, field: error.field}
    : {name: error.name, message: String(error.stack ?? error)};

globalThis.page = {
  async boot() {
    runtime ??= await GgufRuntime.boot({shards: 1});
    return runtime.core;
  },

  /** Digest of logits of a loaded model, or the error. @param abortAfter bytes after which the load is aborted */
  async load(source, options = {}, abortAfter = Infinity) {
    await this.boot();
    controller = new AbortController();
    const phases = new Set();
    const started = performance.now();
    let abortedAt = 0;
    try {
      const model = await runtime.loadModel(source, {
        ...options,
        signal: controller.signal,
        onProgress({phase, loadedBytes}) {
          phases.add(phase);
          if (loadedBytes < abortAfter || abortedAt) return;
          abortedAt = performance.now();
          controller.abort();
        },
      });
      const {logits} = await runtime.evaluate([1, 2, 3, 4, 5]);
      const {fallbacks} = await runtime.diagnostics();
      return {digest: await hash(logits), phases: [...phases], fileBytes: model.fileBytes, fallbacks};
    } catch (error) {
      return {error: told(error), phases: [...phases], ms: performance.now() - (abortedAt || started)};
    }
  },

  /** Digest of logits of the model that is resident, or the error. */
  async resident() {
    try {
      return {digest: await hash((await runtime.evaluate([1, 2, 3, 4, 5])).logits)};
    } catch (error) {
      return {error: told(error)};
    }
  },

  abort: () => controller?.abort(),
  free: async () => runtime && runtime.freeModel(),
  list: async () => (await page.boot(), runtime.store.list()),
  estimate: async () => (await page.boot(), runtime.store.estimate()),
  async remove(name) {
    await this.boot();
    try {
      return await runtime.store.remove(name);
    } catch (error) {
      return {error: told(error)};
    }
  },
  async inspect(source, options) {
    await this.boot();
    try {
      return await runtime.inspect(source, options);
    } catch (error) {
      return {error: told(error)};
    }
  },
  terminate() {
    runtime?.terminate();
    runtime = undefined;
  },
};
