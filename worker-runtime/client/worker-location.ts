/**
 * Where the Worker's script is when the page names none. This file is what a source checkout uses; the build puts
 * another one in its place: beside the bundle (`gguf-chat.worker.js`), or inlined (the drop-in).
 */
export interface WorkerLocation {
  /** A script beside this one; usable only from the page's own origin. */
  readonly url: URL | null;
  /** The Worker's whole source, for a Blob. */
  readonly source: string | null;
}

export const workerLocation: WorkerLocation = {url: new URL('../worker.ts', import.meta.url), source: null};
