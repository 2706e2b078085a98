import {GgufError} from '../errors.ts';
import type {HttpOptions} from './http-stream.ts';
import {parseUrl, request} from './http-request.ts';
import {isEncoded, rangeOf, remoteFileOf} from './remote-file.ts';
import type {RemoteFile} from './remote-file.ts';

/** One answer of a server, from the byte that was wanted. */
export interface HttpConnection {
  readonly remote: RemoteFile;
  /** See `ByteReader.lengthIsExact`. */
  readonly lengthIsExact: boolean;
  /** @param spare a buffer that may be filled */
  read(spare?: ArrayBuffer): Promise<Uint8Array<ArrayBuffer> | null>;
  /** Ends it. Never fails. */
  cancel(): void;
}

/**
 * @param from the first byte that is wanted
 * @param expected the file that it was begun with, where it is not begun now
 * @throws {GgufError} as `request`
 */
export async function openConnection(
  url: string,
  {signal, request: settings, noStore = false}: HttpOptions,
  from: number,
  expected?: RemoteFile,
): Promise<HttpConnection> {
  const own = new AbortController();
  const abort = (): void => own.abort(signal.reason);
  signal.addEventListener('abort', abort);
  const release = (): void => signal.removeEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    const ifRange = expected && isSameOrigin(url) ? (expected.etag ?? expected.lastModified) : null;
    const response = await request({url, signal: own.signal, settings, from, ifRange, noStore});
    const body = response.body ? readerOf(response.body) : null;
    const remote = remoteFileOf(response);
    let rest = unwanted(response, from, url);
    return {
      remote,
      lengthIsExact: remote.size !== null && isLengthExact(response),
      async read(spare) {
        for (;;) {
          const chunk = (await body?.read(spare)) ?? null;
          if (!chunk || rest === 0) return chunk;
          if (chunk.length > rest) {
            const wanted = chunk.subarray(rest);
            rest = 0;
            return wanted;
          }
          rest -= chunk.length;
          spare = chunk.buffer;
        }
      },
      cancel() {
        release();
        own.abort();
        // A body that has failed already rejects with that error again; there is nothing left to cancel then.
        void body?.cancel().catch(() => undefined);
      },
    };
  } catch (error) {
    release();
    if (error instanceof GgufError && error.name === 'load-aborted' && !signal.aborted) {
      throw new GgufError('network-failed', `The request for ${url} was ended`, {field: url, cause: error});
    }
    throw error;
  }
}

/** How many bytes come before the one that was wanted: all, where the server sends the whole file. */
function unwanted(response: Response, from: number, url: string): number {
  if (response.status !== 206) return from;
  const start = rangeOf(response.headers)?.start ?? from;
  if (start <= from) return from - start;
  throw new GgufError('network-status', `The server gave byte ${start} of ${url}, not byte ${from}`, {
    field: url,
  });
}

/** A condition of our own makes browsers ask another origin's server whether it is welcome; many say no. */
function isSameOrigin(url: string): boolean {
  return parseUrl(url).origin === globalThis.location?.origin;
}

/** Another origin's `Content-Encoding` cannot be seen, so its `Content-Length` may count other bytes. A range cannot be encoded. */
function isLengthExact(response: Response): boolean {
  if (isEncoded(response.headers)) return false;
  return response.type !== 'cors' || rangeOf(response.headers) !== null;
}

/** Of a buffer that the browser fills: more than comes at once. */
const bufferBytes = 256 * 1024;

/**
 * How a body is read: into buffers of ours, used again and again, where the browser can. Else every chunk is a buffer of
 * its own, and those that were consumed can pile up to the size of the file before the engine collects them.
 */
function readerOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): {
  read(spare?: ArrayBuffer): Promise<Uint8Array<ArrayBuffer> | undefined>;
  cancel(): Promise<void>;
} {
  try {
    const reader = body.getReader({mode: 'byob'});
    return {
      async read(spare = new ArrayBuffer(bufferBytes)) {
        const {value, done} = await reader.read(new Uint8Array(spare));
        return done ? undefined : value;
      },
      cancel: () => reader.cancel(),
    };
  } catch (error) {
    // Not a stream of bytes.
    if (!(error instanceof TypeError)) throw error;
    const reader = body.getReader();
    return {read: async () => (await reader.read()).value, cancel: () => reader.cancel()};
  }
}
