import type {ModelSource} from '../protocol.ts';
import type {ByteReader} from '../source/byte-reader.ts';
import {loadAborted} from '../source/chunk-reader.ts';
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
  const isRemote = typeof source === 'string' && /^https?:/.test(source) && !options.withoutCache;
  const store = isRemote ? await ModelStore.open() : null;
  if (!store || !isRemote) {
    const fallbacks = isRemote ? ['store: not available here, the model is downloaded each time'] : [];
    return {reader: await openSource(source, options), release: null, fallbacks};
  }
  const expected = options.integrity === undefined ? null : parseIntegrity(options.integrity);
  const {stream, release} = await openStored(store, source, {...options, expected});
  return {reader: readerOf(stream, options), release, fallbacks: []};
}
