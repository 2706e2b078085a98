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

class UrlStream implements ChunkStream {
  readonly length: number | null;
  readonly lengthIsExact: boolean;
  readonly #url: string;
  readonly #body: ReadableStreamDefaultReader<Uint8Array> | null;
  #received = 0;

  constructor(response: Response, url: string) {
    this.#url = url;
    this.length = declaredLength(response.headers);
    this.lengthIsExact = this.length !== null && response.type !== 'cors';
    this.#body = response.body?.getReader() ?? null;
  }

  async read(): Promise<Uint8Array | null> {
    if (!this.#body) return null;
    try {
      const {value = null} = await this.#body.read();
      this.#received += value?.length ?? 0;
      return value;
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
