import {GgufError} from '../../worker-runtime/errors.ts';
import {ChunkReader} from '../../worker-runtime/source/chunk-reader.ts';
import type {ChunkStream} from '../../worker-runtime/source/chunk-stream.ts';

/** A source that gives `bytes` in pieces of `pieceLength`, as a network would. */
export class PieceStream implements ChunkStream {
  readonly length: number | null;
  readonly lengthIsExact: boolean;
  cancelled = false;
  reads = 0;
  spares = 0;
  readonly #bytes: Uint8Array;
  readonly #pieceLength: number;
  #position = 0;

  constructor(bytes: Uint8Array, pieceLength: number, length: number | null = null) {
    this.#bytes = bytes;
    this.#pieceLength = pieceLength;
    this.length = length;
    this.lengthIsExact = length !== null;
  }

  read(spare?: ArrayBuffer): Promise<Uint8Array<ArrayBuffer> | null> {
    this.reads++;
    if (spare) this.#overwrite(spare);
    const start = this.#position;
    if (start >= this.#bytes.length) return Promise.resolve(null);
    this.#position = Math.min(start + this.#pieceLength, this.#bytes.length);
    return Promise.resolve(this.#bytes.slice(start, this.#position));
  }

  /** As the next read would: whoever still looks at it sees it. */
  #overwrite(spare: ArrayBuffer): void {
    this.spares++;
    new Uint8Array(spare).fill(0xee);
  }

  cancel(): Promise<void> {
    this.cancelled = true;
    return Promise.resolve();
  }

  truncated(received: number): Error {
    return new GgufError('network-truncated', `ended after ${received}`);
  }
}

/** A reader over `bytes`, which arrive in pieces. */
export function readPieces(
  bytes: ArrayBuffer | Uint8Array,
  pieceLength = 1 << 20,
  length?: number | null,
): ChunkReader {
  const array = new Uint8Array(bytes);
  const stream = new PieceStream(array, pieceLength, length === undefined ? array.length : length);
  return new ChunkReader(stream, {signal: new AbortController().signal});
}
