import {GgufError} from '../errors.ts';
import type {ChunkStream} from './chunk-stream.ts';
import {request} from './http-request.ts';
import type {HttpOptions} from './http-stream.ts';
import {isEncoded, rangeOf, remoteFileOf} from './remote-file.ts';

/** Enough for small vocabularies; most headers take a few of the second size. */
const firstBytes = 256 * 1024;
const furtherBytes = 1024 * 1024;

/**
 * The beginning of a file on a server, by as many requests for a part of it as are needed: no more is transferred than is asked
 * for. Of a server that knows no parts, the whole body is begun, and ended with this stream.
 */
export class HeaderStream implements ChunkStream {
  #length: number | null = null;
  #lengthIsExact = false;
  readonly #url: string;
  readonly #options: HttpOptions;
  readonly #ending = new AbortController();
  #position = 0;
  #isEnded = false;
  #body: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | null = null;

  constructor(url: string, options: HttpOptions) {
    this.#url = url;
    this.#options = options;
  }

  get length(): number | null {
    return this.#length;
  }

  get lengthIsExact(): boolean {
    return this.#lengthIsExact;
  }

  async read(): Promise<Uint8Array<ArrayBuffer> | null> {
    if (this.#isEnded) return null;
    if (this.#body) return this.#readBody(this.#body);
    const {signal} = this.#ending;
    const from = this.#position;
    const to = from + (from === 0 ? firstBytes : furtherBytes) - 1;
    const response = await request({url: this.#url, settings: this.#options.request, signal, from, to});
    this.#length ??= remoteFileOf(response).size;
    if (response.status !== 206) {
      this.#lengthIsExact = response.type !== 'cors' && !isEncoded(response.headers);
      this.#body = response.body?.getReader() ?? null;
      return this.#body && this.#readBody(this.#body);
    }
    this.#lengthIsExact = rangeOf(response.headers)?.total != null;
    const bytes = new Uint8Array(await response.arrayBuffer());
    this.#position += bytes.length;
    // Less than was asked for: the file ends here.
    if (bytes.length <= to - from) this.#isEnded = true;
    return bytes;
  }

  cancel(): Promise<void> {
    this.#isEnded = true;
    this.#ending.abort();
    return Promise.resolve();
  }

  truncated(received: number): GgufError {
    return new GgufError('gguf-truncated', `${this.#url} ends after ${received} bytes, within the header`, {
      field: this.#url,
    });
  }

  async #readBody(
    body: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
  ): Promise<Uint8Array<ArrayBuffer> | null> {
    const {value} = await body.read();
    this.#position += value?.length ?? 0;
    return value ?? null;
  }
}
