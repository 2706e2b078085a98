import {GgufError} from '../errors.ts';
import {workerLocation} from './worker-location.ts';

/**
 * Starts the runtime Worker: from `workerSrc` where given, else from the script beside this one where that is of the
 * page's origin, else from a Blob of the inlined source. (`new Worker` refuses other origins always.)
 *
 * @throws {GgufError} `worker-failed`
 */
export function spawnWorker(workerSrc?: string | URL): Worker {
  try {
    return startWorker(workerSrc);
  } catch (cause) {
    if (cause instanceof GgufError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GgufError('worker-failed', `The runtime Worker could not be started: ${reason}`, {cause});
  }
}

function startWorker(workerSrc: string | URL | undefined): Worker {
  if (workerSrc !== undefined) return new Worker(workerSrc, {type: 'module', name: 'gguf-chat'});
  const {url, source} = workerLocation;
  if (url && url.origin === globalThis.location.origin)
    return new Worker(url, {type: 'module', name: 'gguf-chat'});
  if (source === null) {
    throw new GgufError(
      'worker-failed',
      'This script comes from another origin, which browsers refuse for Workers. Give `worker-src` a same-origin copy of gguf-chat.worker.js, or use the one-file gguf-chat.js.',
      {field: 'worker-src'},
    );
  }
  const blobUrl = URL.createObjectURL(new Blob([source], {type: 'text/javascript'}));
  try {
    return new Worker(blobUrl, {type: 'module', name: 'gguf-chat'});
  } finally {
    // The Worker fetches its script at once, but Firefox only after this task.
    setTimeout(() => URL.revokeObjectURL(blobUrl), 10_000);
  }
}
