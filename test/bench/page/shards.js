/** What `shards.mjs` runs in the page: one runtime for each number of shards, so that they can take turns. */
import {GgufRuntime} from '/dist/runtime.js';
import {greedyRun} from './greedy-run.js';
import {Rooflines} from './rooflines.js';

/** @type {Map<string, GgufRuntime>} */
const runtimes = new Map();
/** @type {import('./peer.js').Peer | undefined} */
let peer;
const readers = [new Rooflines(), new Rooflines()];

const toPath = (path) => new URL(path, location.origin).href;

/** GB/s of so many Workers together, reading at once. */
async function readTogether(count, bytes) {
  const rates = await Promise.all(readers.slice(0, count).map((reader) => reader.memoryRead(bytes)));
  return rates.reduce((sum, rate) => sum + Math.max(rate.oneStream, rate.fourStreams), 0);
}

globalThis.page = {
  /** Loads the model once more; what the runtime says of itself. */
  async open({model, core, shards, contextLength}) {
    const runtime = await GgufRuntime.boot({shards, ...(core === undefined ? {} : {core})});
    await runtime.loadModel(toPath(model), {contextLength});
    runtimes.set(String(shards), runtime);
    return runtime.diagnostics();
  },

  /** Tokens a second of prefill and of decode, and the exchanges of the run. */
  async run({shards, prompt, maxTokens}) {
    const runtime = runtimes.get(String(shards));
    const tokens = Array.from({length: prompt}, (_, index) => 3 + ((index * 37) % 256));
    const before = (await runtime.diagnostics()).shards.each[0];
    const {usage, timings} = await greedyRun(runtime, {tokens, maxTokens});
    const after = (await runtime.diagnostics()).shards.each[0];
    return {
      prefill: (usage.promptTokens / timings.prefillMs) * 1000,
      decode: ((usage.completionTokens - 1) / timings.decodeMs) * 1000,
      exchanges: after.exchanges - before.exchanges,
      exchangeMs: after.exchangeMs - before.exchangeMs,
    };
  },

  readTogether,

  async loadPeer({model, contextLength}) {
    const {Peer} = await import('./peer.js');
    peer = await Peer.load(toPath(model), contextLength);
    return peer.version;
  },

  runPeer: (request) => peer.run(request),
};
