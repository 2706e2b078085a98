import {GgufError} from '../errors.ts';
import type {ModelSource} from '../protocol.ts';
import {BlobStream} from './blob-stream.ts';
import {BufferStream} from './buffer-stream.ts';
import type {ByteReader} from './byte-reader.ts';
import {ChunkReader, loadAborted} from './chunk-reader.ts';
import type {ChunkStream} from './chunk-stream.ts';
import {HttpStream} from './http-stream.ts';
import type {HttpOptions} from './http-stream.ts';
import {parseIntegrity} from './integrity.ts';
import {ProgressThrottle} from './progress.ts';
import type {ProgressListener} from './progress.ts';
import {VerifiedStream} from './verified-stream.ts';

export interface SourceOptions extends HttpOptions {
  readonly onProgress?: ProgressListener;
  /** SHA-256 that the whole must have, as in HTML's `integrity`. */
  readonly integrity?: string | undefined;
}

/**
 * Opens a model for reading, from its first byte.
 *
 * @throws {GgufError} `invalid-source`, `invalid-setting`, `network-failed`, `network-status`, `load-aborted`
 */
export async function openSource(source: ModelSource, options: SourceOptions): Promise<ByteReader> {
  if (options.signal.aborted) throw loadAborted(options.signal);
  return readerOf(await openStream(source, options), options);
}

export function readerOf(
  stream: ChunkStream,
  {signal, onProgress}: Pick<SourceOptions, 'signal' | 'onProgress'>,
): ByteReader {
  return new ChunkReader(stream, {signal, progress: onProgress && new ProgressThrottle(onProgress)});
}

async function openStream(source: ModelSource, options: SourceOptions): Promise<ChunkStream> {
  const expected = options.integrity === undefined ? null : parseIntegrity(options.integrity);
  const stream = await openPlain(source, options);
  return expected === null ? stream : VerifiedStream.open(stream, nameOf(source), expected);
}

async function openPlain(source: ModelSource, options: HttpOptions): Promise<ChunkStream> {
  if (typeof source === 'string') return HttpStream.open(source, options);
  if (source instanceof Blob) return new BlobStream(source);
  if (source instanceof ArrayBuffer) return new BufferStream(source);
  throw new GgufError('invalid-source', 'The source must be a URL, a Blob or an ArrayBuffer');
}

function nameOf(source: ModelSource): string {
  if (typeof source === 'string') return source;
  return source instanceof File ? source.name : 'the model';
}
