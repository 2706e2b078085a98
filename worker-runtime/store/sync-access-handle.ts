/** A file that a Worker reads and writes at once: https://fs.spec.whatwg.org/#api-filesystemsyncaccesshandle, as far as it is used. */
export interface SyncAccessHandle {
  /** @throws a `QuotaExceededError` where the disk is full */
  write(bytes: Uint8Array<ArrayBuffer>, options: {readonly at: number}): number;
  read(target: Uint8Array<ArrayBuffer>, options: {readonly at: number}): number;
  truncate(length: number): void;
  getSize(): number;
  /** Returns when what was written has reached the disk. */
  flush(): void;
  close(): void;
}

/** TypeScript's types for pages lack what only Workers have. */
interface WorkerFileHandle extends FileSystemFileHandle {
  createSyncAccessHandle(): Promise<SyncAccessHandle>;
}

/** A handle that was closed just now may still count as open for a moment. */
const attempts = 10;
const pauseMs = 20;

/** Opens a file of `folder`, and makes one where there is none. Only one at a time can have it open. */
export async function openFile(folder: FileSystemDirectoryHandle, name: string): Promise<SyncAccessHandle> {
  const file = await folder.getFileHandle(name, {create: true});
  for (let attempt = 1; ; attempt++) {
    try {
      return await (file as WorkerFileHandle).createSyncAccessHandle();
    } catch (error) {
      const isOpen = error instanceof DOMException && error.name === 'NoModificationAllowedError';
      if (!isOpen || attempt === attempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}
