/** What the benchmark runs in the page: the limits of the hardware, this project, the peer; one call a measurement. */
import {GgufRuntime} from '/dist/runtime.js';
import {greedyRun} from './greedy-run.js';
import {Rooflines} from './rooflines.js';

const rooflines = new Rooflines();
/** @type {GgufRuntime | undefined} */
let runtime;
/** @type {import('./peer.js').Peer | undefined} */
let peer;

const toPath = (path) => new URL(path, location.origin).href;

globalThis.page = {
  memoryRead: (bytes) => rooflines.memoryRead(bytes),

  dotPeak: () => rooflines.dotPeak(),

  async loadOurs({model, core, contextLength}) {
    runtime = await GgufRuntime.boot({shards: 1, ...(core === undefined ? {} : {core})});
    return runtime.loadModel(toPath(model), {contextLength});
  },

  runOurs: (request) => greedyRun(runtime, request),

  diagnoseOurs: () => runtime.diagnostics(),

  async loadPeer({model, contextLength}) {
    const {Peer} = await import('./peer.js');
    peer = await Peer.load(toPath(model), contextLength);
    return peer.version;
  },

  runPeer: (request) => peer.run(request),
};
