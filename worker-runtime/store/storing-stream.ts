import type {ChunkStream} from '../source/chunk-stream.ts';
import type {HttpStream} from '../source/http-stream.ts';
import {mismatch} from '../source/integrity.ts';
import type {Hasher} from '../source/integrity.ts';
import type {EntryWriter} from './entry-writer.ts';

/** Bytes that are read from the disk at once. */
const readBackBytes = 1024 * 1024;

interface StoringOptions {
  readonly writer: EntryWriter;
  /** Bytes that are in the store already; the rest comes from `http`. */
  readonly received: number;
  readonly http: HttpStream;
  readonly hasher: Hasher;
  /** SHA-256 in hexadecimal; `null`: whatever it is. */
  readonly expected: string | null;
}

/**
 * A download that is written to the store while it is read. What had been stored before is read from there. Where the bytes are
 * not what they should be the entry is quarantined; it is installed when whoever reads says that all is well.
 */
export class StoringStream implements ChunkStream {
  readonly #options: StoringOptions;
  #position = 0;
  /** Of the whole; `null` before its end. */
  #sha256: string | null = null;

  constructor(options: StoringOptions) {
    this.#options = options;
  }

  get length(): number | null {
    return this.#options.http.length;
  }

  get lengthIsExact(): boolean {
    return this.#options.http.lengthIsExact;
  }

  /** @throws {GgufError} as `HttpStream`; `storage-full`, `storage-failed`, `integrity-mismatch` */
  async read(spare?: ArrayBuffer): Promise<Uint8Array<ArrayBuffer> | null> {
    const {received, http, writer, hasher} = this.#options;
    if (this.#position < received) return this.#readBack();
    const chunk = await http.read(spare);
    if (!chunk) {
      await this.#end();
      return null;
    }
    hasher.update(chunk);
    await writer.append(chunk);
    this.#position += chunk.length;
    return chunk;
  }

  /** Installs it. */
  async commit(): Promise<void> {
    const {writer, expected} = this.#options;
    const actual = this.#sha256;
    if (actual === null) return;
    if (expected !== null && actual !== expected) throw mismatch(writer.record.url, expected, actual);
    await writer.install(actual);
  }

  async discard(): Promise<void> {
    await this.#options.writer.discard();
  }

  async cancel(): Promise<void> {
    await this.#options.http.cancel();
    this.#options.writer.close();
  }

  truncated(received: number): Error {
    return this.#options.http.truncated(received);
  }

  #readBack(): Uint8Array<ArrayBuffer> {
    const {received, writer, hasher} = this.#options;
    const bytes = new Uint8Array(Math.min(readBackBytes, received - this.#position));
    const count = writer.readBack(bytes, this.#position);
    const chunk = bytes.subarray(0, count);
    hasher.update(chunk);
    this.#position += count;
    return chunk;
  }

  async #end(): Promise<void> {
    if (this.#sha256 !== null) return;
    const {http, writer, hasher, expected} = this.#options;
    const {length} = http;
    // The reader says what is missing; what there is can be taken up again.
    if (http.lengthIsExact && length !== null && this.#position < length) return;
    const actual = hasher.digest();
    this.#sha256 = actual;
    if (expected === null || actual === expected) return;
    await writer.quarantine(actual, expected);
    throw mismatch(writer.record.url, expected, actual);
  }
}
