import {GgufError} from '../errors.ts';
import type {ByteReader} from './byte-reader.ts';
import type {ChunkStream} from './chunk-stream.ts';
import type {ProgressThrottle} from './progress.ts';

interface ChunkReaderOptions {
  readonly signal: AbortSignal;
  /** Told of the bytes consumed; its last report is made when the reader is closed. */
  readonly progress?: ProgressThrottle | undefined;
}

/** A {@link ByteReader} over chunks of any size. Holds no more than one chunk, or what the longest `peek` asked for. */
export class ChunkReader implements ByteReader {
  readonly #stream: ChunkStream;
  readonly #signal: AbortSignal;
  readonly #progress: ProgressThrottle | undefined;
  /** Chunks not consumed yet, and how many bytes of the first one are. */
  #chunks: Uint8Array<ArrayBuffer>[] = [];
  #offset = 0;
  #buffered = 0;
  #position = 0;
  #received = 0;
  /** Where the views end that `peek` gave out: chunks that begin before are not used again. */
  #viewed = 0;
  #spare: ArrayBuffer | undefined;
  #ended = false;
  #closed = false;
  #rejectPending: ((reason: Error) => void) | null = null;

  constructor(stream: ChunkStream, {signal, progress}: ChunkReaderOptions) {
    this.#stream = stream;
    this.#signal = signal;
    this.#progress = progress;
    signal.addEventListener('abort', this.#abort);
  }

  get position(): number {
    return this.#position;
  }

  /** A server that sends more than it declared did not tell the length. */
  get length(): number | null {
    const {length} = this.#stream;
    return length !== null && this.#received > length ? null : length;
  }

  get lengthIsExact(): boolean {
    return this.#stream.lengthIsExact && this.length !== null;
  }

  fill(target: Uint8Array): void | Promise<void> {
    this.#check();
    const filled = this.#copyInto(target);
    if (filled < target.length) return this.#fillRest(target, filled);
    return undefined;
  }

  skip(bytes: number): void | Promise<void> {
    this.#check();
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new RangeError(`cannot skip ${bytes} bytes at ${this.#position}`);
    }
    const rest = bytes - this.#pass(bytes);
    if (rest > 0) return this.#skipRest(rest);
    return undefined;
  }

  async peek(minimum: number): Promise<Uint8Array> {
    this.#check();
    while (this.#buffered < minimum && (await this.#receive()));
    this.#viewed = this.#received;
    const {length} = this;
    if (this.#ended && this.lengthIsExact && length !== null && this.#received < length) {
      throw this.#stream.truncated(this.#received);
    }
    const first = this.#chunks[0]?.subarray(this.#offset) ?? new Uint8Array();
    return first.length >= Math.min(minimum, this.#buffered) ? first : this.#join();
  }

  async finish(): Promise<void> {
    this.#check();
    do this.#pass(this.#buffered);
    while (await this.#receive());
    await this.#stream.commit?.();
  }

  async discard(): Promise<void> {
    await this.#stream.discard?.();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#signal.removeEventListener('abort', this.#abort);
    this.#rejectPending?.(new GgufError('load-aborted', 'The source was closed'));
    this.#chunks = [];
    if (!this.#signal.aborted) this.#progress?.flush();
    await this.#stream.cancel();
  }

  async #fillRest(target: Uint8Array, start: number): Promise<void> {
    let filled = start;
    while (filled < target.length) {
      if (!(await this.#receive())) throw this.#stream.truncated(this.#received);
      filled += this.#copyInto(filled === 0 ? target : target.subarray(filled));
    }
  }

  async #skipRest(bytes: number): Promise<void> {
    let rest = bytes;
    while (rest > 0) {
      if (!(await this.#receive())) throw this.#stream.truncated(this.#received);
      rest -= this.#pass(rest);
    }
  }

  /** Moves buffered bytes into `target` and says how many there were. */
  #copyInto(target: Uint8Array): number {
    let filled = 0;
    for (let chunk = this.#chunks[0]; chunk && filled < target.length; chunk = this.#chunks[0]) {
      const count = Math.min(target.length - filled, chunk.length - this.#offset);
      target.set(chunk.subarray(this.#offset, this.#offset + count), filled);
      filled += this.#pass(count);
    }
    return filled;
  }

  /** Consumes up to `bytes` buffered bytes and says how many there were. */
  #pass(bytes: number): number {
    let passed = 0;
    for (let chunk = this.#chunks[0]; chunk && passed < bytes; chunk = this.#chunks[0]) {
      const count = Math.min(bytes - passed, chunk.length - this.#offset);
      passed += count;
      this.#offset += count;
      if (this.#offset === chunk.length) {
        this.#chunks.shift();
        this.#offset = 0;
        if (this.#position + passed - chunk.length >= this.#viewed) this.#spare = chunk.buffer;
      }
    }
    this.#buffered -= passed;
    this.#position += passed;
    if (passed > 0) this.#progress?.update(this.#position, this.length);
    return passed;
  }

  /** All buffered bytes as one chunk. */
  #join(): Uint8Array {
    const joined = new Uint8Array(this.#buffered);
    let end = 0;
    let start = this.#offset;
    for (const chunk of this.#chunks) {
      joined.set(chunk.subarray(start), end);
      end += chunk.length - start;
      start = 0;
    }
    this.#chunks = [joined];
    this.#offset = 0;
    return joined;
  }

  /** Waits for one more chunk; false at the end. */
  async #receive(): Promise<boolean> {
    if (this.#ended) return false;
    this.#check();
    const spare = this.#spare;
    this.#spare = undefined;
    const chunk = await this.#orAbort(this.#stream.read(spare));
    if (chunk === null) {
      this.#ended = true;
      return false;
    }
    if (chunk.length > 0) {
      this.#chunks.push(chunk);
      this.#buffered += chunk.length;
      this.#received += chunk.length;
    }
    return true;
  }

  /** `pending`, or the abort that comes first: a stalled connection must not hold up a cancel. */
  #orAbort<T>(pending: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#rejectPending = reject;
      pending.then(resolve, (reason: unknown) => {
        reject(this.#signal.aborted ? loadAborted(this.#signal) : reason);
      });
    }).finally(() => {
      this.#rejectPending = null;
    });
  }

  readonly #abort = (): void => {
    this.#rejectPending?.(loadAborted(this.#signal));
    void this.#stream.cancel();
  };

  #check(): void {
    if (this.#signal.aborted) throw loadAborted(this.#signal);
    if (this.#closed) throw new GgufError('load-aborted', 'The source is closed');
  }
}

export function loadAborted(signal: AbortSignal): GgufError {
  return new GgufError('load-aborted', 'The load was cancelled', {cause: signal.reason});
}
