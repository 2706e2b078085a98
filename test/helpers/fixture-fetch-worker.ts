/** The runtime's Worker with the downloads of `fixture-fetch.ts`. The order matters: `fetch` is replaced first. */
import './fixture-fetch.ts';
import '../../worker-runtime/worker.ts';
