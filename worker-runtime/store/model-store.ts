import {GgufError} from '../errors.ts';
import type {StoreEstimate, StoredModel} from '../protocol.ts';
import {newRecord, readJournal} from './entry-record.ts';
import type {EntryRecord} from './entry-record.ts';
import {EntryWriter, storageFull} from './entry-writer.ts';
import {acquire, tryAcquire, useLock, writeLock} from './locks.ts';
import type {Release} from './locks.ts';

const path = ['gguf-chat', 'models'] as const;
/** Left over for what the page and the browser need besides. */
const reserveBytes = 16 * 1024 * 1024;
/** How long somebody who wants to remove a model waits for one who writes. */
const patienceMs = 500;

/** A model in the store: its folder and what its journal says. */
interface Entry {
  readonly id: string;
  readonly folder: FileSystemDirectoryHandle;
  readonly record: EntryRecord;
}

/**
 * The models that this origin keeps on the device, in the origin private file system: a folder for each URL, with a journal and
 * the bytes. All tabs share it; locks keep two from writing the same entry, and an entry in use from being removed.
 */
export class ModelStore {
  readonly #root: FileSystemDirectoryHandle;

  private constructor(root: FileSystemDirectoryHandle) {
    this.#root = root;
  }

  /** `null` where the browser has no such storage, or gives none here: private windows, insecure pages. */
  static async open(): Promise<ModelStore | null> {
    if (!navigator.storage?.getDirectory || !navigator.locks || !globalThis.isSecureContext) return null;
    if (!('FileSystemSyncAccessHandle' in globalThis)) return null;
    try {
      let folder = await navigator.storage.getDirectory();
      for (const name of path) folder = await folder.getDirectoryHandle(name, {create: true});
      return new ModelStore(folder);
    } catch {
      return null;
    }
  }

  /** What is known of a URL. */
  async find(url: string): Promise<EntryRecord | null> {
    return (await this.#entry(await idOf(url)))?.record ?? null;
  }

  /** The bytes of an installed model, and a hold on them: until it is released, nobody removes them. `null`: not installed. */
  async use(
    url: string,
    signal: AbortSignal,
  ): Promise<{file: File; record: EntryRecord; release: Release} | null> {
    const id = await idOf(url);
    const release = await acquire(useLock(id), 'shared', signal);
    try {
      const entry = await this.#entry(id);
      const installed = entry?.record.installed;
      const file = entry && installed && (await this.#file(entry.folder, installed.name));
      // A file of another length is none that we installed.
      if (entry && file && file.size === installed.bytes) return {file, record: entry.record, release};
    } catch (error) {
      release();
      throw error;
    }
    release();
    return null;
  }

  /**
   * The writer of a URL's entry. Where another tab writes it, this waits until that has ended.
   *
   * @param onWait told that it waits
   */
  async write(url: string, signal: AbortSignal, onWait: () => void): Promise<EntryWriter> {
    const id = await idOf(url);
    const name = writeLock(id);
    let release = await tryAcquire(name, 'exclusive');
    if (!release) {
      onWait();
      release = await acquire(name, 'exclusive', signal);
    }
    try {
      const folder = await this.#root.getDirectoryHandle(id, {create: true});
      const record = (await this.#entry(id))?.record ?? newRecord(url);
      return await EntryWriter.open(folder, record, release, (bytes) => this.#free(bytes, id));
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Notes that a model was used, unless somebody writes its entry: then that is as good. */
  async touch(url: string): Promise<void> {
    const id = await idOf(url);
    const release = await tryAcquire(writeLock(id), 'exclusive');
    if (!release) return;
    try {
      const entry = await this.#entry(id);
      if (!entry) return;
      const writer = await EntryWriter.open(entry.folder, entry.record, release, () => Promise.resolve());
      try {
        writer.touch();
      } finally {
        writer.close();
      }
    } finally {
      release();
    }
  }

  async list(): Promise<StoredModel[]> {
    const models = (await this.#entries()).map(({id, record}) => this.#describe(id, record));
    return models.sort((a, b) => b.usedAt - a.usedAt);
  }

  /**
   * Removes a model or a part of one; removing what is not there does nothing.
   *
   * @param name its ID or its URL
   * @throws {GgufError} `storage-busy` where it is in use or being downloaded
   */
  async remove(name: string): Promise<{readonly freedBytes: number}> {
    const entries = await this.#entries();
    const entry = entries.find(({id, record}) => id === name || record.url === name);
    if (!entry) return {freedBytes: 0};
    const freedBytes = sizeOf(entry.record);
    // A moment of noting that it was used is no use.
    const writing = await acquire(writeLock(entry.id), 'exclusive', AbortSignal.timeout(patienceMs)).catch(
      () => null,
    );
    if (await this.#tryRemove(entry, writing)) return {freedBytes};
    throw new GgufError('storage-busy', `${entry.record.url} is in use in this tab or another one`, {
      field: entry.record.url,
    });
  }

  async estimate(): Promise<StoreEstimate> {
    const {usage = 0, quota = 0} = await navigator.storage.estimate();
    const models = (await this.#entries()).reduce((sum, {record}) => sum + sizeOf(record), 0);
    return {
      modelBytes: models,
      usedBytes: usage,
      quotaBytes: quota,
      persisted: await navigator.storage.persisted(),
    };
  }

  /**
   * Frees bytes by removing what has not been used for longest and is not in use now.
   *
   * @param kept the entry that the room is for
   * @throws {GgufError} `storage-full` where less than `bytes` can be freed
   */
  async #free(bytes: number, kept: string): Promise<void> {
    let missing = bytes;
    const entries = (await this.#entries()).filter(({id}) => id !== kept);
    for (const entry of entries.sort((a, b) => a.record.usedAt - b.record.usedAt)) {
      if (missing <= 0) return;
      if (await this.#tryRemove(entry)) missing -= sizeOf(entry.record);
    }
    if (missing > 0) throw new GgufError('storage-full', `${missing} bytes more would be needed`);
  }

  /**
   * Makes sure that a download of `bytes` fits, as far as the browser tells beforehand: some report more than they grant.
   *
   * @throws {GgufError} `storage-full`
   */
  async reserve(url: string, bytes: number): Promise<void> {
    const {usage = 0, quota = 0} = await navigator.storage.estimate();
    const missing = bytes + reserveBytes - (quota - usage);
    if (missing <= 0) return;
    try {
      await this.#free(missing, await idOf(url));
    } catch (error) {
      const detail = `: ${bytes} bytes of ${quota} that the browser grants this site, ${usage} of which are in use`;
      throw error instanceof GgufError ? storageFull(url, detail) : error;
    }
  }

  /** @param held the lock of the writer, where somebody has it already; it is released */
  async #tryRemove({id}: Pick<Entry, 'id'>, held?: Release | null): Promise<boolean> {
    const writing = held === undefined ? await tryAcquire(writeLock(id), 'exclusive') : held;
    const using = writing && (await tryAcquire(useLock(id), 'exclusive'));
    try {
      if (!using) return false;
      await this.#root.removeEntry(id, {recursive: true});
      return true;
    } catch (error) {
      // Removed by another tab meanwhile.
      if (error instanceof DOMException && error.name === 'NotFoundError') return true;
      throw error;
    } finally {
      using?.();
      writing?.();
    }
  }

  #describe(id: string, {url, addedAt, usedAt, installed, partial, quarantined}: EntryRecord): StoredModel {
    return {
      id,
      url,
      state: installed ? 'installed' : quarantined ? 'quarantined' : 'partial',
      bytes: installed?.bytes ?? partial?.received ?? 0,
      totalBytes: installed?.bytes ?? partial?.remote.size ?? null,
      sha256: installed?.sha256 ?? quarantined?.sha256 ?? null,
      addedAt,
      usedAt,
    };
  }

  async #entries(): Promise<Entry[]> {
    const entries: Entry[] = [];
    for await (const [id, handle] of this.#root.entries()) {
      if (handle.kind !== 'directory') continue;
      const entry = await this.#entry(id);
      if (entry) entries.push(entry);
      else await this.#tryRemove({id});
    }
    return entries;
  }

  async #entry(id: string): Promise<Entry | null> {
    try {
      const folder = await this.#root.getDirectoryHandle(id);
      const journal = await this.#file(folder, 'journal');
      const record = journal && readJournal(await journal.text());
      return record ? {id, folder, record} : null;
    } catch (error) {
      if (error instanceof DOMException && error.name === 'NotFoundError') return null;
      throw error;
    }
  }

  async #file(folder: FileSystemDirectoryHandle, name: string): Promise<File | null> {
    try {
      return await (await folder.getFileHandle(name)).getFile();
    } catch (error) {
      if (error instanceof DOMException && error.name === 'NotFoundError') return null;
      throw error;
    }
  }
}

function sizeOf({installed, partial}: EntryRecord): number {
  return (installed?.bytes ?? 0) + (partial?.received ?? 0);
}

/** The name of a URL's folder: half of its SHA-256, in hexadecimal. */
async function idOf(url: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(url)));
  return Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
