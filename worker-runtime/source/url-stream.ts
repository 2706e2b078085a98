import {GgufError} from '../errors.ts';
import {loadAborted} from './chunk-reader.ts';
import type {ChunkStream} from './chunk-stream.ts';

/**
 * The body of what `url` answers. The browser holds the server back while nobody reads.
 *
 * @throws {GgufError} `invalid-source`, `network-failed`, `network-status`, `load-aborted`; reading it throws
 *   `network-truncated`
 */
export async function openUrl(url: string, signal: AbortSignal): Promise<ChunkStream> {
  const {href} = parse(url);
  const response = await request(href, signal);
  if (!response.ok) {
    // Nobody waits for it: the status says more than a body that cannot even be cancelled.
    void response.body?.cancel().catch(() => undefined);
    const status = [response.status, response.statusText].filter(Boolean).join(' ');
    throw new GgufError('network-status', `The server answered ${status} for ${response.url || href}`, {
      field: url,
    });
  }
  return new UrlStream(response, url);
}

function parse(url: string): URL {
  try {
    return new URL(url, globalThis.location?.href);
  } catch (cause) {
    throw new GgufError('invalid-source', `"${url}" is not a URL`, {field: url, cause});
  }
}

async function request(href: string, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(href, {signal});
  } catch (cause) {
    if (signal.aborted) throw loadAborted(signal);
    throw new GgufError(
      'network-failed',
      `${href} could not be requested: ${reason(cause)}. The server is out of reach, or it does not allow this page's origin (CORS)`,
      {field: href, cause},
    );
  }
}

/** Of a buffer that the browser fills: more than comes at once. */
const bufferBytes = 256 * 1024;

/** Gives the next bytes, or nothing at the end. */
type BodyRead = (spare?: ArrayBuffer) => Promise<Uint8Array<ArrayBuffer> | undefined>;

/**
 * How a body is read: into buffers of ours, used again and again, where the browser can. Else every chunk is a buffer of
 * its own, and those that were consumed can pile up to the size of the file before the engine collects them.
 */
function readerOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): {
  read: BodyRead;
  cancel(): Promise<void>;
} {
  try {
    const reader = body.getReader({mode: 'byob'});
    const read: BodyRead = async (spare = new ArrayBuffer(bufferBytes)) => {
      const {value, done} = await reader.read(new Uint8Array(spare));
      return done ? undefined : value;
    };
    return {read, cancel: () => reader.cancel()};
  } catch (error) {
    // Not a stream of bytes.
    if (!(error instanceof TypeError)) throw error;
    const reader = body.getReader();
    return {read: async () => (await reader.read()).value, cancel: () => reader.cancel()};
  }
}

class UrlStream implements ChunkStream {
  readonly length: number | null;
  readonly lengthIsExact: boolean;
  readonly #url: string;
  readonly #body: ReturnType<typeof readerOf> | null;
  #received = 0;

  constructor(response: Response, url: string) {
    this.#url = url;
    this.length = declaredLength(response.headers);
    this.lengthIsExact = this.length !== null && response.type !== 'cors';
    this.#body = response.body && readerOf(response.body);
  }

  async read(spare?: ArrayBuffer): Promise<Uint8Array<ArrayBuffer> | null> {
    if (!this.#body) return null;
    try {
      const chunk = (await this.#body.read(spare)) ?? null;
      this.#received += chunk?.length ?? 0;
      return chunk;
    } catch (cause) {
      throw this.#broken(`The connection broke (${reason(cause)})`, this.#received, cause);
    }
  }

  async cancel(): Promise<void> {
    // A body that has failed already rejects with that error again; there is nothing left to cancel then.
    await this.#body?.cancel().catch(() => undefined);
  }

  truncated(received: number): GgufError {
    if (this.length !== null && received < this.length) return this.#broken('The connection ended', received);
    return new GgufError(
      'gguf-truncated',
      `${this.#url} ends after ${received} bytes, within the tensor data`,
      {
        field: this.#url,
      },
    );
  }

  #broken(what: string, received: number, cause?: unknown): GgufError {
    const total = this.length === null ? '' : ` of ${this.length}`;
    return new GgufError('network-truncated', `${what} after ${received}${total} bytes of ${this.#url}`, {
      field: this.#url,
      cause,
    });
  }
}

/** `Content-Length`, unless it counts the bytes of an encoded body. */
function declaredLength(headers: Headers): number | null {
  const encoding = headers.get('Content-Encoding') ?? 'identity';
  const length = headers.get('Content-Length') ?? '';
  if (encoding !== 'identity' || !/^\d+$/.test(length)) return null;
  return Number.isSafeInteger(Number(length)) ? Number(length) : null;
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
