import type {GenerateResult, TokenEvent} from '../protocol.ts';

interface Waiter {
  readonly resolve: (result: IteratorResult<TokenEvent, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One answer under way: iterate it for the tokens, await `result` for the whole.
 *
 * Tokens are kept until they are read, so that iteration may begin late. Leaving a `for await` loop early cancels the
 * run. An error rejects both the iteration and `result`.
 */
export class GenerationRun implements AsyncIterable<TokenEvent> {
  readonly result: Promise<GenerateResult>;
  readonly #requestCancel: () => Promise<unknown>;
  readonly #queue: TokenEvent[] = [];
  /** Reads that found no token; more than one only where the run is iterated twice at once. */
  #waiters: Waiter[] = [];
  #state: {ended: false} | {ended: true; error?: unknown} = {ended: false};

  /** Made by {@link GgufRuntime.generate}: `start` sends the request and reports its tokens. */
  constructor(
    start: (onToken: (token: TokenEvent) => void) => Promise<GenerateResult>,
    requestCancel: () => Promise<unknown>,
  ) {
    this.#requestCancel = requestCancel;
    this.result = start((token) => this.#push(token));
    this.result.then(
      () => this.#end({ended: true}),
      (error: unknown) => this.#end({ended: true, error}),
    );
  }

  /** Stops the run. Resolves with the result so far (`finishReason: 'cancelled'`, or how it had just ended). */
  async cancel(): Promise<GenerateResult> {
    if (!this.#state.ended) await this.#requestCancel();
    return this.result;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TokenEvent, void, void> {
    try {
      for (;;) {
        const next = await this.#next();
        if (next.done) return;
        yield next.value;
      }
    } finally {
      if (!this.#state.ended) await this.cancel();
    }
  }

  #next(): Promise<IteratorResult<TokenEvent, undefined>> {
    const value = this.#queue.shift();
    if (value) return Promise.resolve({done: false, value});
    const state = this.#state;
    if (!state.ended) return new Promise((resolve, reject) => this.#waiters.push({resolve, reject}));
    return state.error === undefined
      ? Promise.resolve({done: true, value: undefined})
      : Promise.reject(state.error as Error);
  }

  #push(token: TokenEvent): void {
    const waiter = this.#waiters.shift();
    if (waiter) waiter.resolve({done: false, value: token});
    else this.#queue.push(token);
  }

  #end(state: {ended: true; error?: unknown}): void {
    this.#state = state;
    for (const {resolve, reject} of this.#waiters) {
      if (state.error === undefined) resolve({done: true, value: undefined});
      else reject(state.error);
    }
    this.#waiters = [];
  }
}
