import {GgufError} from '../errors.ts';
import type {RequestSettings} from '../protocol.ts';
import {loadAborted} from './chunk-reader.ts';
import type {ChunkStream} from './chunk-stream.ts';
import {openConnection} from './http-connection.ts';
import type {HttpConnection} from './http-connection.ts';
import {HttpStatusError, reasonOf} from './http-request.ts';
import {isResumable, isSameFile} from './remote-file.ts';
import type {RemoteFile} from './remote-file.ts';

export interface HttpOptions {
  readonly signal: AbortSignal;
  readonly request?: RequestSettings | undefined;
  /** Whether the browser's own cache shall not keep what is read. */
  readonly noStore?: boolean;
}

/** Half a minute in all: a walk through a tunnel, a router that starts again. */
const defaultRetryDelaysMs = [500, 1000, 2000, 4000, 8000, 16000];
const defaultTimeoutMs = 30_000;

/**
 * The bytes of a file on a server, from some byte to the last one. A connection that breaks is taken up again where it broke,
 * as long as the server proves that the file is still the same one. The browser holds the server back while nobody reads.
 */
export class HttpStream implements ChunkStream {
  /** What the server says of the file. */
  readonly remote: RemoteFile;
  readonly lengthIsExact: boolean;
  readonly #url: string;
  readonly #options: HttpOptions;
  #connection: HttpConnection;
  #position: number;
  #failures = 0;

  private constructor(url: string, options: HttpOptions, connection: HttpConnection, position: number) {
    this.remote = connection.remote;
    this.lengthIsExact = connection.lengthIsExact;
    this.#url = url;
    this.#options = options;
    this.#connection = connection;
    this.#position = position;
  }

  /**
   * @param resumed the first byte that is wanted, of a file that must be this one still
   * @throws {GgufError} `invalid-source`, `network-failed`, `network-status`, `network-changed`, `load-aborted`; reading
   *   throws these and `network-truncated`
   */
  static async open(
    url: string,
    options: HttpOptions,
    resumed?: {readonly from: number; readonly remote: RemoteFile},
  ): Promise<HttpStream> {
    const from = resumed?.from ?? 0;
    const connection = await openConnection(url, options, from, resumed?.remote);
    if (resumed && !isSameFile(connection.remote, resumed.remote)) {
      connection.cancel();
      throw changed(url);
    }
    return new HttpStream(url, options, connection, from);
  }

  /** Bytes of the whole file, also where reading does not begin at the first one. */
  get length(): number | null {
    return this.remote.size;
  }

  async read(spare?: ArrayBuffer): Promise<Uint8Array<ArrayBuffer> | null> {
    for (;;) {
      try {
        const chunk = await this.#orStalled(this.#connection.read(spare));
        if (chunk && chunk.length > 0) {
          this.#position += chunk.length;
          this.#failures = 0;
          return chunk;
        }
        const isComplete = !this.lengthIsExact || this.length === null || this.#position >= this.length;
        if (isComplete || !this.#canGoOn) return chunk;
        await this.#goOn(this.truncated(this.#position));
      } catch (cause) {
        if (this.#options.signal.aborted) throw loadAborted(this.#options.signal);
        const error =
          cause instanceof GgufError
            ? cause
            : this.#broken(`The connection broke (${reasonOf(cause)})`, cause);
        await this.#goOn(error);
      }
      // It may have been given away with the read that failed.
      spare = undefined;
    }
  }

  cancel(): Promise<void> {
    this.#connection.cancel();
    return Promise.resolve();
  }

  truncated(received: number): GgufError {
    if (this.length !== null && received < this.length) return this.#broken('The connection ended');
    return new GgufError(
      'gguf-truncated',
      `${this.#url} ends after ${received} bytes, within the tensor data`,
      {field: this.#url},
    );
  }

  get #canGoOn(): boolean {
    return isResumable(this.remote);
  }

  /** Connects again where reading stopped. @throws {GgufError} `failure`, when that was tried often enough */
  async #goOn(failure: GgufError): Promise<void> {
    this.#connection.cancel();
    let latest = failure;
    const delays = this.#options.request?.retryDelaysMs ?? defaultRetryDelaysMs;
    for (;;) {
      const delay = delays[this.#failures++];
      if (delay === undefined || !this.#canGoOn || !isTemporary(latest)) throw latest;
      await pause(delay, this.#options.signal);
      try {
        const connection = await openConnection(this.#url, this.#options, this.#position, this.remote);
        if (isSameFile(connection.remote, this.remote)) {
          this.#connection = connection;
          return;
        }
        connection.cancel();
        throw changed(this.#url);
      } catch (error) {
        latest = GgufError.from(error);
        // The file ends before what was promised.
        if (latest instanceof HttpStatusError && latest.status === 416) throw failure;
      }
    }
  }

  /** What is read, or an error where nothing comes. */
  #orStalled<T>(pending: Promise<T>): Promise<T> {
    const {timeoutMs = defaultTimeoutMs} = this.#options.request ?? {};
    return new Promise((resolve, reject) => {
      const stalled = (): void => reject(this.#broken(`Nothing came for ${timeoutMs / 1000} s`));
      const timer = setTimeout(stalled, timeoutMs);
      void pending.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }

  #broken(what: string, cause?: unknown): GgufError {
    const total = this.length === null ? '' : ` of ${this.length}`;
    return new GgufError(
      'network-truncated',
      `${what} after ${this.#position}${total} bytes of ${this.#url}`,
      {
        field: this.#url,
        cause,
      },
    );
  }
}

function isTemporary(error: GgufError): boolean {
  if (error instanceof HttpStatusError) return error.isTemporary;
  return error.name === 'network-truncated' || error.name === 'network-failed';
}

function changed(url: string): GgufError {
  return new GgufError('network-changed', `${url} is not the same file any more`, {field: url});
}

/** @throws {GgufError} `load-aborted` */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      if (signal.aborted) reject(loadAborted(signal));
      else resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}
