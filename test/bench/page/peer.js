/** The peer: wllama, llama.cpp compiled to WebAssembly, with one thread and without a GPU. */
import {Wllama} from '/test/bench/node_modules/@wllama/wllama/esm/index.js';

const wasm = '/test/bench/node_modules/@wllama/wllama/esm/wasm/wllama.wasm';
const quiet = {debug() {}, log() {}, warn() {}, error() {}};

export class Peer {
  #wllama;

  constructor(wllama) {
    this.#wllama = wllama;
  }

  /** The version of llama.cpp inside. */
  get version() {
    return Wllama.getLibllamaVersion();
  }

  static async load(url, contextLength) {
    const wllama = new Wllama({default: wasm}, {suppressNativeLog: true, logger: quiet});
    const model = await (await fetch(url)).blob();
    await wllama.loadModel([model], {
      n_ctx: contextLength,
      n_batch: 512,
      n_threads: 1,
      n_gpu_layers: 0,
      n_parallel: 1,
    });
    return new Peer(wllama);
  }

  /** One greedy run without reuse of an earlier prompt; times in milliseconds, as its own clock gives them. */
  async run({prompt, maxTokens}) {
    const response = await this.#wllama.createCompletion({
      prompt,
      max_tokens: maxTokens,
      temperature: 0,
      ignore_eos: true,
      cache_prompt: false,
    });
    return {usage: response.usage, timings: response.timings};
  }
}
