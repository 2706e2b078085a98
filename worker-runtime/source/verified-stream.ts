import type {ChunkStream} from './chunk-stream.ts';
import {createHasher, mismatch} from './integrity.ts';
import type {Hasher} from './integrity.ts';

/** A stream whose end is given only where all of it had the SHA-256 that it should have. */
export class VerifiedStream implements ChunkStream {
  readonly #stream: ChunkStream;
  readonly #hasher: Hasher;
  readonly #name: string;
  readonly #expected: string;

  private constructor(stream: ChunkStream, hasher: Hasher, name: string, expected: string) {
    this.#stream = stream;
    this.#hasher = hasher;
    this.#name = name;
    this.#expected = expected;
  }

  /** @param expected in hexadecimal */
  static async open(stream: ChunkStream, name: string, expected: string): Promise<VerifiedStream> {
    return new VerifiedStream(stream, await createHasher(), name, expected);
  }

  get length(): number | null {
    return this.#stream.length;
  }

  get lengthIsExact(): boolean {
    return this.#stream.lengthIsExact;
  }

  /** @throws {GgufError} `integrity-mismatch` at the end */
  async read(spare?: ArrayBuffer): Promise<Uint8Array<ArrayBuffer> | null> {
    const chunk = await this.#stream.read(spare);
    if (chunk) {
      this.#hasher.update(chunk);
      return chunk;
    }
    const actual = this.#hasher.digest();
    if (actual !== this.#expected) throw mismatch(this.#name, this.#expected, actual);
    return null;
  }

  cancel(): Promise<void> {
    return this.#stream.cancel();
  }

  truncated(received: number): Error {
    return this.#stream.truncated(received);
  }
}
