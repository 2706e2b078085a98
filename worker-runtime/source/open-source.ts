import {GgufError} from '../errors.ts';
import type {ModelSource} from '../protocol.ts';
import {BlobStream} from './blob-stream.ts';
import {BufferStream} from './buffer-stream.ts';
import type {ByteReader} from './byte-reader.ts';
import {ChunkReader, loadAborted} from './chunk-reader.ts';
import type {ChunkStream} from './chunk-stream.ts';
import {ProgressThrottle} from './progress.ts';
import type {ProgressListener} from './progress.ts';
import {openUrl} from './url-stream.ts';

export interface SourceOptions {
  /** Ends everything at once: what is pending fails with `load-aborted`, a fetch is cancelled. */
  readonly signal: AbortSignal;
  readonly onProgress?: ProgressListener;
}

/**
 * Opens a model for reading, from its first byte.
 *
 * @throws {GgufError} `invalid-source`, `network-failed`, `network-status`, `load-aborted`
 */
export async function openSource(
  source: ModelSource,
  {signal, onProgress}: SourceOptions,
): Promise<ByteReader> {
  if (signal.aborted) throw loadAborted(signal);
  const stream = await openStream(source, signal);
  return new ChunkReader(stream, {signal, progress: onProgress && new ProgressThrottle(onProgress)});
}

async function openStream(source: ModelSource, signal: AbortSignal): Promise<ChunkStream> {
  if (typeof source === 'string') return openUrl(source, signal);
  if (source instanceof Blob) return new BlobStream(source);
  if (source instanceof ArrayBuffer) return new BufferStream(source);
  throw new GgufError('invalid-source', 'The source must be a URL, a Blob or an ArrayBuffer');
}
