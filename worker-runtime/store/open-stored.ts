import {GgufError} from '../errors.ts';
import {BlobStream} from '../source/blob-stream.ts';
import type {ChunkStream} from '../source/chunk-stream.ts';
import {HttpStatusError, request} from '../source/http-request.ts';
import type {HttpRequest} from '../source/http-request.ts';
import {HttpStream} from '../source/http-stream.ts';
import type {HttpOptions} from '../source/http-stream.ts';
import {createHasher} from '../source/integrity.ts';
import {isOtherFile, isResumable, remoteFileOf} from '../source/remote-file.ts';
import type {RemoteFile} from '../source/remote-file.ts';
import type {EntryRecord} from './entry-record.ts';
import type {EntryWriter} from './entry-writer.ts';
import type {Release} from './locks.ts';
import type {ModelStore} from './model-store.ts';
import {StoringStream} from './storing-stream.ts';

/** How long a server may take to say whether a stored model is still the newest. */
const checkMs = 4000;

export interface StoreOptions extends HttpOptions {
  /** SHA-256 in hexadecimal that the file must have; `null`: whatever it is. */
  readonly expected: string | null;
  /** Told that another tab downloads the same model. */
  readonly onWait: () => void;
}

/** The bytes of a model, and what must be released when it is in use no longer. */
export interface StoredSource {
  readonly stream: ChunkStream;
  readonly release: Release | null;
}

/**
 * A model from the store, or from its server into the store. One that is stored is used without asking anybody where its
 * SHA-256 is the wanted one, and also where the server cannot be reached.
 *
 * @throws {GgufError} as `HttpStream.open`; `storage-full`
 */
export async function openStored(
  store: ModelStore,
  url: string,
  options: StoreOptions,
): Promise<StoredSource> {
  const found = await store.find(url);
  if (found && (await isUsable(found, options))) {
    const used = await openInstalled(store, url, options.signal);
    if (used) return used;
  }
  const before = found?.installed ?? null;
  const writer = await store.write(url, options.signal, options.onWait);
  try {
    const {installed} = writer.record;
    // Another tab has downloaded it while this one waited.
    const isNew = installed !== null && installed.sha256 !== before?.sha256;
    if (isNew && (options.expected === null || options.expected === installed.sha256)) {
      writer.close();
      const used = await openInstalled(store, url, options.signal);
      if (used) return used;
      throw new GgufError('storage-failed', `${url} was removed while it was opened`, {field: url});
    }
    return {stream: await download(store, writer, url, options), release: null};
  } catch (error) {
    writer.close();
    throw error;
  }
}

/** Whether the installed file is the one that is wanted. */
async function isUsable({url, installed}: EntryRecord, options: StoreOptions): Promise<boolean> {
  if (!installed) return false;
  if (options.expected !== null) return installed.sha256 === options.expected;
  const remote = await askRemote(url, options);
  return remote === null || !isOtherFile(remote, installed.remote);
}

/** What the server says of the file now; `null` where it does not answer, or not in time. */
async function askRemote(url: string, {signal, request: settings}: HttpOptions): Promise<RemoteFile | null> {
  const timeout = new AbortController();
  const abort = (): void => timeout.abort();
  const timer = setTimeout(abort, checkMs);
  signal.addEventListener('abort', abort);
  try {
    const wanted = {url, settings, signal: timeout.signal, noStore: true};
    return remoteFileOf(await askHead(wanted));
  } catch (error) {
    if (signal.aborted) throw error;
    return null;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

/** Links that are signed for one method only refuse others. */
async function askHead(wanted: HttpRequest): Promise<Response> {
  try {
    return await request({...wanted, method: 'HEAD'});
  } catch (error) {
    if (!(error instanceof HttpStatusError)) throw error;
    const response = await request({...wanted, to: 0});
    void response.body?.cancel().catch(() => undefined);
    return response;
  }
}

async function openInstalled(
  store: ModelStore,
  url: string,
  signal: AbortSignal,
): Promise<StoredSource | null> {
  const used = await store.use(url, signal);
  if (!used) return null;
  // For the order in which models make room; nobody waits for it.
  void store.touch(url).catch(() => undefined);
  return {stream: new BlobStream(used.file), release: used.release};
}

async function download(
  store: ModelStore,
  writer: EntryWriter,
  url: string,
  options: StoreOptions,
): Promise<ChunkStream> {
  const {partial} = writer.record;
  const {http, received} = (partial && (await goOn(writer, url, options, partial.remote))) ?? {
    http: await HttpStream.open(url, {...options, noStore: true}),
    received: 0,
  };
  try {
    if (http.length !== null) await store.reserve(url, http.length - received);
    if (received === 0) await writer.begin(http.remote);
    const hasher = await createHasher();
    return new StoringStream({writer, received, http, hasher, expected: options.expected});
  } catch (error) {
    await http.cancel();
    throw error;
  }
}

/** The rest of a partial download; `null` where it has to begin anew. */
async function goOn(
  writer: EntryWriter,
  url: string,
  options: StoreOptions,
  remote: RemoteFile,
): Promise<{readonly http: HttpStream; readonly received: number} | null> {
  const received = await writer.resume();
  // Asking for what is behind the last byte is an error.
  if (received === 0 || received === remote.size || !isResumable(remote)) return null;
  try {
    return {
      http: await HttpStream.open(url, {...options, noStore: true}, {from: received, remote}),
      received,
    };
  } catch (error) {
    if (error instanceof GgufError && ['network-changed', 'network-status'].includes(error.name)) return null;
    throw error;
  }
}
