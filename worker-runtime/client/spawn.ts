import {GgufError} from '../errors.ts';
import {workerLocation} from './worker-location.ts';

/**
 * Starts the runtime Worker: from `workerSrc` where given, else from the script beside this one where that is of the
 * page's origin, else from a Blob (`new Worker` refuses other origins always).
 *
 * @throws {GgufError} `worker-failed`
 */
export function spawnWorker(workerSrc?: string | URL): Worker {
  try {
    return startWorker(workerSrc);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GgufError('worker-failed', `The runtime Worker could not be started: ${reason}`, {cause});
  }
}

/** One for all Workers of the page, never revoked: they start further ones of the same script for their shards. */
let blobUrl: string | undefined;

function startWorker(workerSrc: string | URL | undefined): Worker {
  if (workerSrc !== undefined) return newWorker(String(workerSrc));
  const {url, source} = workerLocation;
  if (url && url.origin === globalThis.location.origin) return newWorker(url.href);
  // A module Worker may import from another origin that allows it, as it allowed the page to import this script.
  const script = source ?? `import ${JSON.stringify(url?.href)};`;
  blobUrl ??= URL.createObjectURL(new Blob([script], {type: 'text/javascript'}));
  return newWorker(blobUrl);
}

/** What Trusted Types, where the browser has them, make of a script's URL. */
interface ScriptUrlPolicy {
  createScriptURL(url: string): string;
}

declare const trustedTypes:
  | {createPolicy(name: string, rules: {createScriptURL: (url: string) => string}): ScriptUrlPolicy}
  | undefined;

let policy: ScriptUrlPolicy | undefined;

/** The URL is the page's own setting or our script, never a model's output: the one place that vouches for it. */
function newWorker(url: string): Worker {
  if (typeof trustedTypes !== 'undefined') {
    policy ??= trustedTypes.createPolicy('gguf-chat', {createScriptURL: (trusted) => trusted});
  }
  return new Worker(policy?.createScriptURL(url) ?? url, {type: 'module', name: 'gguf-chat'});
}
