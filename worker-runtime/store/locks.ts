/** Names of Web Locks, the same in all tabs of an origin. */
const prefix = 'gguf-chat:store:';

/** Held, shared, by those who use a stored model: nobody takes it away from them. */
export const useLock = (id: string): string => `${prefix}use:${id}`;
/** Held by the one who writes an entry. */
export const writeLock = (id: string): string => `${prefix}write:${id}`;

export type Release = () => void;

/** Waits for a lock. @throws what `signal` gives when it aborts first */
export function acquire(name: string, mode: LockMode, signal: AbortSignal): Promise<Release> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(name, {mode, signal}, () => new Promise<void>((release) => resolve(() => release())))
      .catch(reject);
  });
}

/** The lock, if nobody stands in the way; else `null`, at once. */
export function tryAcquire(name: string, mode: LockMode): Promise<Release | null> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(name, {mode, ifAvailable: true}, (lock) => {
        if (!lock) return resolve(null);
        return new Promise<void>((release) => resolve(() => release()));
      })
      .catch(reject);
  });
}
