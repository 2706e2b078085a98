/**
 * How a Worker's end is noticed, whatever ends it: it holds a lock for as long as it lives, and who gets the lock next
 * knows. No message tells of it: a Worker that runs out of memory is gone without one.
 */

/** Holds the lock `name` until the Worker ends. */
export async function holdLifeline(name: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const held = navigator.locks.request(name, () => {
      resolve();
      return new Promise<never>(() => undefined);
    });
    held.catch(reject);
  });
}

/** Calls `onEnd` when the holder of the lock `name` has ended, which must be holding it already. */
export function watchLifeline(name: string, signal: AbortSignal, onEnd: () => void): void {
  navigator.locks
    .request(name, {signal}, () => onEnd())
    .catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
}

/** Insecure pages have no locks. */
export function hasLifelines(): boolean {
  return 'locks' in navigator;
}
