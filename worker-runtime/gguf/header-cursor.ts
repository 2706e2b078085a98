import {GgufError} from '../errors.ts';
import type {ByteReader} from '../source/byte-reader.ts';
import {limits} from './limits.ts';

/** Not an error: thrown by a read that reaches past the window, caught by {@link HeaderCursor.item}. */
class MoreBytesNeeded {
  /** How many bytes of the item there must be before it is worth trying again. */
  readonly bytes: number;

  constructor(bytes: number) {
    this.bytes = bytes;
  }
}

/** The first window: the header of a small model. It doubles while one item does not fit. */
const initialWindow = 16 * 1024;

const utf8 = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});

/**
 * Reads the header's little-endian values from a window of buffered bytes. The code that reads an item is plain and
 * synchronous; where the window ends inside an item, more bytes are awaited and the item is read again from its start.
 * As the window at least doubles, that reads no byte more than about twice.
 */
export class HeaderCursor {
  readonly #reader: ByteReader;
  #window: Uint8Array = new Uint8Array();
  #view: DataView = new DataView(new ArrayBuffer(0));
  #offset = 0;
  #itemStart = 0;
  /** What is being read, for messages. */
  #item = 'the header';
  #field: string | undefined;

  constructor(reader: ByteReader) {
    this.#reader = reader;
  }

  /**
   * Runs `read`, which reads one item from this cursor and has no other effect, until the item's bytes are there.
   *
   * @throws {GgufError} `gguf-truncated` where the file ends inside the item; what `read` throws
   */
  async item<T>(name: string, read: () => T): Promise<T> {
    this.#itemStart = this.#offset;
    for (;;) {
      this.describe(name);
      try {
        return read();
      } catch (thrown) {
        if (!(thrown instanceof MoreBytesNeeded)) throw thrown;
        await this.#moreBytes(thrown.bytes);
      }
    }
  }

  /** Says what the reads that follow are for, so that a file that ends there is refused in its words. */
  describe(item: string, field?: string): void {
    this.#item = item;
    this.#field = field;
  }

  /** Consumes the bytes of all items. The cursor is not to be used after it. */
  async finish(): Promise<void> {
    await this.#reader.skip(this.#offset);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** A u64 as a number: exact below 2^53, else at least 2^53, and so beyond every limit. */
  count(): number {
    const start = this.#advance(8);
    return this.#view.getUint32(start + 4, true) * 2 ** 32 + this.#view.getUint32(start, true);
  }

  /** A copy of `count` bytes: it must not keep the whole window in memory. */
  bytes(count: number): Uint8Array<ArrayBuffer> {
    const start = this.#advance(count);
    return new Uint8Array(this.#window.slice(start, start + count).buffer as ArrayBuffer);
  }

  skip(count: number): void {
    this.#advance(count);
  }

  /**
   * A copy of `count` length-prefixed strings as they lie in the file, and where each one's characters begin; the last
   * start, one more than there are strings, is where another's would.
   */
  strings(count: number): {bytes: Uint8Array; starts: Uint32Array} {
    // Nothing is allocated for a count before there are bytes for at least the lengths.
    this.#require(count * 8);
    const first = this.#offset;
    const starts = new Uint32Array(count + 1);
    for (let i = 0; i < count; i++) {
      const length = this.stringLength();
      starts[i] = this.#offset - first;
      this.#advance(length);
    }
    starts[count] = this.#offset - first + 8;
    return {bytes: this.#window.slice(first, this.#offset), starts};
  }

  /** @throws {GgufError} `gguf-limit` */
  stringLength(): number {
    const length = this.count();
    if (length <= limits.stringBytes) return length;
    throw new GgufError('gguf-limit', `String of ${length} bytes in ${this.#item}`, {field: this.#field});
  }

  /** UTF-8; `null` where the bytes are not. */
  text(length: number): string | null {
    const start = this.#advance(length);
    try {
      return utf8.decode(this.#window.subarray(start, start + length));
    } catch {
      return null;
    }
  }

  /** Passes over `count` bytes and says where in the window they begin. */
  #advance(count: number): number {
    this.#require(count);
    const start = this.#offset;
    this.#offset += count;
    return start;
  }

  #require(count: number): void {
    if (this.#offset + count > this.#window.length) {
      throw new MoreBytesNeeded(this.#offset + count - this.#itemStart);
    }
  }

  /** Moves the window to the start of the item, and lets it grow to `needed` bytes or more. */
  async #moreBytes(needed: number): Promise<void> {
    const {length, lengthIsExact} = this.#reader;
    const start = this.#reader.position + this.#itemStart;
    const left = length !== null && lengthIsExact ? length - start : Infinity;
    // Where the length is known, the end of the file is: there is no need to read up to it.
    if (needed > left) throw this.#truncated();
    if (start + needed > limits.headerBytes) {
      throw new GgufError(
        'gguf-limit',
        `The header reaches beyond ${limits.headerBytes} bytes in ${this.#item}`,
        {
          field: this.#field,
        },
      );
    }
    const wanted = Math.max(needed, initialWindow, 2 * (this.#window.length - this.#itemStart));
    await this.#reader.skip(this.#itemStart);
    this.#window = await this.#reader.peek(Math.min(wanted, left));
    this.#view = new DataView(this.#window.buffer, this.#window.byteOffset, this.#window.byteLength);
    this.#offset = 0;
    this.#itemStart = 0;
    if (this.#window.length < needed) throw this.#truncated();
  }

  #truncated(): GgufError {
    return new GgufError('gguf-truncated', `The file ends inside ${this.#item}`, {field: this.#field});
  }
}
