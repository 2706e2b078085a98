/** What the benchmark runs in the page: the limits of the hardware, this project, the peer; one call a measurement. */
import {GgufRuntime} from '/dist/runtime.js';

/** @type {Worker | undefined} */
let rooflines;
/** @type {GgufRuntime | undefined} */
let runtime;
/** @type {import('./peer.js').Peer | undefined} */
let peer;

function askRooflines(request) {
  rooflines ??= new Worker(new URL('./rooflines-worker.js', import.meta.url), {type: 'module'});
  const worker = rooflines;
  return new Promise((resolve, reject) => {
    worker.onmessage = ({data}) => resolve(data);
    worker.onerror = (event) => reject(new Error(`The rooflines Worker failed: ${event.message}`));
    worker.postMessage(request);
  });
}

const toPath = (path) => new URL(path, location.origin).href;

globalThis.page = {
  /** GB/s of reading `bytes` of memory in one Worker: `{oneStream, fourStreams}`; `null` without relaxed SIMD. */
  memoryRead: (bytes) => askRooflines({kind: 'memory-read', bytes}),

  /** GMAC/s of the relaxed dot product from registers in one Worker; `null` where the engine has none. */
  dotPeak: () => askRooflines({kind: 'dot-peak'}),

  async loadOurs({model, core, contextLength}) {
    runtime = await GgufRuntime.boot(core === undefined ? {} : {core});
    return runtime.loadModel(toPath(model), {contextLength});
  },

  /** One greedy run of a fresh context. */
  async runOurs({prompt, maxTokens}) {
    await runtime.resetContext();
    const run = runtime.generate({
      prompt,
      maxTokens,
      sampling: {temperature: 0},
      ignoreEndOfGeneration: true,
    });
    const {usage, timings, tokens: generated} = await run.result;
    if (usage.cachedTokens !== 0) throw new Error('the context was not empty');
    return {usage, timings, tokens: generated};
  },

  diagnoseOurs: () => runtime.diagnostics(),

  async loadPeer({model, contextLength}) {
    const {Peer} = await import('./peer.js');
    peer = await Peer.load(toPath(model), contextLength);
    return peer.version;
  },

  runPeer: (request) => peer.run(request),
};
