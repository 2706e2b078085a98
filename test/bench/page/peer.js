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

  /** A greedy answer without reuse of an earlier prompt: its tokens as texts, without the one that ends it. */
  async answer({messages, maxTokens}) {
    const {usage, choices} = await this.#wllama.createChatCompletion({
      messages,
      max_tokens: maxTokens,
      temperature: 0,
      logprobs: true,
      top_logprobs: 1,
      cache_prompt: false,
    });
    const [{logprobs, finish_reason: reason}] = choices;
    const tokens = logprobs.content.map(({token}) => token);
    // It counts the token that ends the answer, whose text is empty; we do not.
    if (reason === 'stop' && tokens.at(-1) === '') tokens.pop();
    return {promptTokens: usage.prompt_tokens, tokens};
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
    const {usage, timings} = response;
    return {
      usage: {promptTokens: usage.prompt_tokens, completionTokens: usage.completion_tokens},
      timings: {firstTokenMs: timings.prompt_ms, decodeMs: timings.predicted_ms},
    };
  }
}
