import {GgufError} from '../errors.ts';
import type {ChunkStream} from './chunk-stream.ts';

/** An ArrayBuffer: one chunk, never copied as a whole. */
export class BufferStream implements ChunkStream {
  readonly length: number;
  readonly lengthIsExact = true;
  #bytes: Uint8Array<ArrayBuffer> | null;

  constructor(buffer: ArrayBuffer) {
    this.length = buffer.byteLength;
    this.#bytes = new Uint8Array(buffer);
  }

  read(): Promise<Uint8Array<ArrayBuffer> | null> {
    const bytes = this.#bytes;
    this.#bytes = null;
    return Promise.resolve(bytes);
  }

  cancel(): Promise<void> {
    this.#bytes = null;
    return Promise.resolve();
  }

  truncated(received: number): GgufError {
    return new GgufError('gguf-truncated', `The buffer ends after ${received} bytes, within the tensor data`);
  }
}
