import type {ModelSource, RequestSettings} from '../protocol.ts';
import {BlobStream} from '../source/blob-stream.ts';
import type {ByteReader} from '../source/byte-reader.ts';
import {loadAborted} from '../source/chunk-reader.ts';
import {HeaderStream} from '../source/header-stream.ts';
import {parseIntegrity} from '../source/integrity.ts';
import {openSource, readerOf} from '../source/open-source.ts';
import type {SourceOptions} from '../source/open-source.ts';
import type {Release} from './locks.ts';
import {ModelStore} from './model-store.ts';
import {openStored} from './open-stored.ts';

export interface ModelOptions extends SourceOptions {
  /** Whether the store on the device is left alone. */
  readonly withoutCache: boolean;
  /** Told that another tab downloads the same model. */
  readonly onWait: () => void;
}

/** A model that is being read. */
export interface OpenedModel {
  readonly reader: ByteReader;
  /** Lets go of the stored file, when the model is in use no longer. */
  readonly release: Release | null;
  /** What was wanted and not available. */
  readonly fallbacks: readonly string[];
}

/**
 * Opens a model for reading; one from a server by way of the store.
 *
 * @throws {GgufError} as `openSource`; of the storage
 */
export async function openModel(source: ModelSource, options: ModelOptions): Promise<OpenedModel> {
  if (options.signal.aborted) throw loadAborted(options.signal);
  const isKept = isRemote(source) && !options.withoutCache;
  const store = isKept ? await ModelStore.open() : null;
  if (!store || !isRemote(source)) {
    const fallbacks = isKept ? ['store: not available here, the model is downloaded each time'] : [];
    return {reader: await openSource(source, options), release: null, fallbacks};
  }
  const expected = options.integrity === undefined ? null : parseIntegrity(options.integrity);
  const {stream, release} = await openStored(store, source, {...options, expected});
  return {reader: readerOf(stream, options), release, fallbacks: []};
}

/** Read of a file at once: a header is seldom longer. */
const headerSliceBytes = 256 * 1024;

/**
 * A reader of a model's header: from the device where it is there, else no more of the file than that takes.
 *
 * @throws {GgufError} as `openSource`
 */
export async function openHeader(
  source: ModelSource,
  signal: AbortSignal,
  request: RequestSettings | undefined,
): Promise<ByteReader> {
  const fromFile = (file: Blob): ByteReader => readerOf(new BlobStream(file, headerSliceBytes), {signal});
  if (source instanceof Blob) return fromFile(source);
  if (!isRemote(source)) return openSource(source, {signal});
  const used = await (await ModelStore.open())?.use(source, signal);
  if (!used) return readerOf(new HeaderStream(source, {signal, request}), {signal});
  // The file stays readable, also should the entry be removed meanwhile.
  used.release();
  return fromFile(used.file);
}

function isRemote(source: ModelSource): source is string {
  return typeof source === 'string' && /^https?:/.test(source);
}
