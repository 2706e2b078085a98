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

/** Opens a file of `folder`, and makes one where there is none. Only one at a time can have it open. */
export async function openFile(folder: FileSystemDirectoryHandle, name: string): Promise<SyncAccessHandle> {
  const file = await folder.getFileHandle(name, {create: true});
  return (file as WorkerFileHandle).createSyncAccessHandle();
}
