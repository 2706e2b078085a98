/** Greedy answers of the built-in model: from gguf-chat, and from the peer, llama.cpp compiled to WebAssembly. */
import {GgufRuntime} from '/dist/runtime.js';
import {Wllama} from '/test/bench/node_modules/@wllama/wllama/esm/index.js';

const model = '/demo/model/pip.gguf';
const wasm = '/test/bench/node_modules/@wllama/wllama/esm/wasm/wllama.wasm';
const quiet = {debug() {}, log() {}, warn() {}, error() {}};
const maxTokens = 200;

/** @returns {Promise<{promptTokens: number, tokens: string[]}[]>} the text of every token of every answer */
async function askOurs(conversations) {
  const runtime = await GgufRuntime.boot();
  await runtime.loadModel(model);
  const answers = [];
  for (const messages of conversations) {
    const run = runtime.generate({messages, maxTokens, sampling: {temperature: 0}});
    const tokens = [];
    for await (const {text} of run) tokens.push(text);
    answers.push({promptTokens: (await run.result).usage.promptTokens, tokens});
  }
  runtime.terminate();
  return answers;
}

async function askPeer(conversations) {
  const wllama = new Wllama({default: wasm}, {suppressNativeLog: true, logger: quiet});
  const file = await (await fetch(model)).blob();
  await wllama.loadModel([file], {n_ctx: 2048, n_threads: 1, n_gpu_layers: 0, n_parallel: 1});
  const answers = [];
  for (const messages of conversations) {
    const {usage, choices} = await wllama.createChatCompletion({
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
    answers.push({promptTokens: usage.prompt_tokens, tokens});
  }
  await wllama.exit();
  return answers;
}

globalThis.page = {askOurs, askPeer};
