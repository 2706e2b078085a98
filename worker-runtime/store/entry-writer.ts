import {GgufError} from '../errors.ts';
import type {RemoteFile} from '../source/remote-file.ts';
import {journalLine} from './entry-record.ts';
import type {EntryRecord} from './entry-record.ts';
import type {Release} from './locks.ts';
import {openFile} from './sync-access-handle.ts';
import type {SyncAccessHandle} from './sync-access-handle.ts';

/** Bytes between two records in the journal: what a crash loses at most. */
const safeStep = 4 * 1024 * 1024;

const utf8 = new TextEncoder();

/**
 * The one who writes an entry. Bytes reach the disk before the journal says so; what is behind the journal's last record does
 * not count. A download goes into a file of its own, so that what was installed before stays until the new one is whole.
 */
export class EntryWriter {
  readonly #folder: FileSystemDirectoryHandle;
  readonly #journal: SyncAccessHandle;
  readonly #release: Release;
  /** Removes other models, so many bytes of them at least; throws where it cannot. */
  readonly #makeRoom: (bytes: number) => Promise<void>;
  #record: EntryRecord;
  #data: SyncAccessHandle | null = null;
  #written = 0;
  #isClosed = false;

  private constructor(
    folder: FileSystemDirectoryHandle,
    journal: SyncAccessHandle,
    record: EntryRecord,
    release: Release,
    makeRoom: (bytes: number) => Promise<void>,
  ) {
    this.#folder = folder;
    this.#journal = journal;
    this.#record = record;
    this.#release = release;
    this.#makeRoom = makeRoom;
  }

  /** @param release of the lock that makes this the only one who writes; called when the writer is closed */
  static async open(
    folder: FileSystemDirectoryHandle,
    record: EntryRecord,
    release: Release,
    makeRoom: (bytes: number) => Promise<void>,
  ): Promise<EntryWriter> {
    const journal = await openFile(folder, 'journal');
    return new EntryWriter(folder, journal, record, release, makeRoom);
  }

  get record(): EntryRecord {
    return this.#record;
  }

  /** Goes on with the partial download, of which so many bytes are safe; they can be read with {@link readBack}. */
  async resume(): Promise<number> {
    const {partial} = this.#record;
    if (!partial) return 0;
    this.#data = await openFile(this.#folder, partial.name);
    const received = Math.min(partial.received, this.#data.getSize());
    this.#data.truncate(received);
    this.#written = received;
    return received;
  }

  /** Begins a download anew. */
  async begin(remote: RemoteFile): Promise<void> {
    await this.#dropPartial();
    const {installed} = this.#record;
    const name = installed?.name === 'data-0' ? 'data-1' : 'data-0';
    this.#data = await openFile(this.#folder, name);
    this.#data.truncate(0);
    this.#written = 0;
    this.#write({...this.#record, partial: {name, remote, received: 0}});
  }

  /** Bytes of the partial download from `position` on, into `target`; says how many. */
  readBack(target: Uint8Array<ArrayBuffer>, position: number): number {
    return this.#open().read(target, {at: position});
  }

  /** @throws {GgufError} `storage-full`, `storage-failed` */
  async append(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    while (!this.#tryAppend(bytes)) await this.#freeSome(bytes.length);
    const {partial} = this.#record;
    if (partial && this.#written - partial.received >= safeStep) this.save();
  }

  /** The browser refuses more: other models have to go. @throws {GgufError} `storage-full` where there is none that can */
  async #freeSome(bytes: number): Promise<void> {
    const {url, partial} = this.#record;
    try {
      await this.#makeRoom(bytes + safeStep);
    } catch (error) {
      const size = partial?.remote.size ?? null;
      const detail = `: the browser refuses more than ${this.#written}${size === null ? '' : ` of its ${size}`} bytes`;
      throw error instanceof GgufError ? storageFull(url, detail) : error;
    }
  }

  /** Makes all that was written safe. */
  save(): void {
    const {partial} = this.#record;
    if (!partial || !this.#data || partial.received === this.#written) return;
    this.#data.flush();
    this.#write({...this.#record, partial: {...partial, received: this.#written}});
  }

  /** The download is whole: it takes the place of what was installed before. */
  async install(sha256: string): Promise<void> {
    const {partial, installed: before} = this.#record;
    if (!partial || !this.#data) throw new GgufError('internal', 'no download to install');
    const bytes = this.#written;
    this.#data.flush();
    this.#data.close();
    this.#data = null;
    const {name, remote} = partial;
    const installed = {name, remote, bytes, sha256};
    this.#write({...this.#record, usedAt: Date.now(), installed, partial: null, quarantined: null});
    if (before) await remove(this.#folder, before.name);
  }

  /** The download is not what it should be: it is never used. */
  async quarantine(sha256: string, expected: string): Promise<void> {
    await this.#dropPartial();
    this.#write({...this.#record, quarantined: {sha256, expected}});
  }

  /** Nobody wants what was downloaded. */
  async discard(): Promise<void> {
    await this.#dropPartial();
  }

  touch(): void {
    this.#write({...this.#record, usedAt: Date.now()});
  }

  /** Keeps what was downloaded, for another time. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    try {
      this.save();
    } finally {
      this.#data?.close();
      this.#journal.close();
      this.#release();
    }
  }

  async #dropPartial(): Promise<void> {
    this.#data?.close();
    this.#data = null;
    const {partial} = this.#record;
    if (!partial) return;
    this.#write({...this.#record, partial: null});
    await remove(this.#folder, partial.name);
  }

  /** False where the disk is full. */
  #tryAppend(bytes: Uint8Array<ArrayBuffer>): boolean {
    try {
      const written = this.#open().write(bytes, {at: this.#written});
      if (written < bytes.length) return false;
      this.#written += written;
      return true;
    } catch (cause) {
      if (cause instanceof DOMException && cause.name === 'QuotaExceededError') return false;
      throw storageFailed(this.#record.url, cause);
    }
  }

  #open(): SyncAccessHandle {
    if (this.#data) return this.#data;
    throw new GgufError('internal', 'no download was begun');
  }

  #write(record: EntryRecord): void {
    try {
      this.#journal.write(utf8.encode(journalLine(record)), {at: this.#journal.getSize()});
      this.#journal.flush();
    } catch (cause) {
      if (cause instanceof DOMException && cause.name === 'QuotaExceededError') throw storageFull(record.url);
      throw storageFailed(record.url, cause);
    }
    this.#record = record;
  }
}

async function remove(folder: FileSystemDirectoryHandle, name: string): Promise<void> {
  // Gone already, or still being read somewhere: then it goes with its entry.
  await folder.removeEntry(name).catch(() => undefined);
}

export function storageFull(url: string, detail = ''): GgufError {
  return new GgufError('storage-full', `There is no room to store ${url}${detail}`, {field: url});
}

export function storageFailed(url: string, cause: unknown): GgufError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new GgufError('storage-failed', `${url} could not be stored: ${reason}`, {field: url, cause});
}
