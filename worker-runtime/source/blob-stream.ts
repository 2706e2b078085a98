import {GgufError} from '../errors.ts';
import type {ChunkStream} from './chunk-stream.ts';

/** Large enough that the cost of a read does not count, small enough that two of them do not either. */
const defaultSliceBytes = 4 * 1024 * 1024;

/** A Blob or File, read slice by slice; the next slice is on its way while one is being consumed. */
export class BlobStream implements ChunkStream {
  readonly length: number;
  readonly lengthIsExact = true;
  readonly #blob: Blob;
  readonly #sliceBytes: number;
  #position = 0;
  #ahead: Promise<Uint8Array<ArrayBuffer>> | null = null;

  /** @param sliceBytes read at once */
  constructor(blob: Blob, sliceBytes = defaultSliceBytes) {
    this.#blob = blob;
    this.#sliceBytes = sliceBytes;
    this.length = blob.size;
  }

  async read(): Promise<Uint8Array<ArrayBuffer> | null> {
    const slice = this.#ahead ?? this.#readSlice();
    this.#ahead = null;
    if (!slice) return null;
    const bytes = await slice;
    this.#ahead = this.#readSlice();
    // If the next slice fails, the next `read` says so; until then the failure is not unhandled.
    this.#ahead?.catch(() => undefined);
    return bytes;
  }

  cancel(): Promise<void> {
    this.#position = this.length;
    this.#ahead = null;
    return Promise.resolve();
  }

  truncated(received: number): GgufError {
    return new GgufError(
      'gguf-truncated',
      `${this.#name} ends after ${received} bytes, within the tensor data`,
    );
  }

  get #name(): string {
    return this.#blob instanceof File ? `The file ${this.#blob.name}` : 'The Blob';
  }

  #readSlice(): Promise<Uint8Array<ArrayBuffer>> | null {
    const start = this.#position;
    if (start >= this.length) return null;
    const end = Math.min(start + this.#sliceBytes, this.length);
    this.#position = end;
    return this.#blob
      .slice(start, end)
      .arrayBuffer()
      .then(
        (buffer) => new Uint8Array(buffer),
        (cause: unknown) => {
          throw new GgufError(
            'file-unreadable',
            `${this.#name} could not be read at byte ${start}: ${cause instanceof Error ? cause.message : String(cause)}`,
            {cause},
          );
        },
      );
  }
}
