/** Greedy answers of the built-in model: from gguf-chat, and from the peer, llama.cpp compiled to WebAssembly. */
import {GgufRuntime} from '/dist/runtime.js';
import {Peer} from '/test/bench/page/peer.js';

const model = '/demo/model/pip.gguf';
const contextLength = 2048;
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
  const peer = await Peer.load(model, contextLength);
  const answers = [];
  for (const messages of conversations) answers.push(await peer.answer({messages, maxTokens}));
  return answers;
}

globalThis.page = {askOurs, askPeer};
