/** Work under way that can be told to stop. It begins in the next microtask, when its owner has noted it. */
export class Activity<T> {
  readonly #abort = new AbortController();
  readonly result: Promise<T>;
  readonly #ended: Promise<void>;

  /** @param outer stops the work, too */
  constructor(work: (signal: AbortSignal) => Promise<T>, outer?: AbortSignal) {
    const {signal} = this.#abort;
    const either = outer ? AbortSignal.any([signal, outer]) : signal;
    this.result = Promise.resolve().then(() => work(either));
    this.#ended = this.result.then(
      () => undefined,
      () => undefined,
    );
  }

  /** Resolves when the work is over, however it ended. */
  stop(): Promise<void> {
    this.#abort.abort();
    return this.#ended;
  }
}
