import {GgufError} from '../worker-runtime/client/index.ts';
import type {BootOptions} from '../worker-runtime/client/index.ts';
import type {ChatRuntime} from './session-types.ts';

export type BootRuntime = (options: BootOptions) => Promise<ChatRuntime>;

/** A runtime that is booted when it is first needed, and again after it was dropped. */
export class LazyRuntime {
  readonly #boot: BootRuntime;
  #pending: Promise<ChatRuntime> | null = null;
  #current: ChatRuntime | null = null;

  constructor(boot: BootRuntime) {
    this.#boot = boot;
  }

  /** The booted runtime, if there is one. */
  get current(): ChatRuntime | null {
    return this.#current;
  }

  /** @throws {GgufError} what boot throws; `terminated` when the runtime was dropped meanwhile */
  async get(options: BootOptions): Promise<ChatRuntime> {
    const pending = (this.#pending ??= this.#boot(options));
    try {
      const runtime = await pending;
      if (this.#pending !== pending)
        throw new GgufError('terminated', 'The runtime was let go while it started');
      this.#current = runtime;
      return runtime;
    } catch (error) {
      if (this.#pending === pending) this.#pending = null;
      throw error;
    }
  }

  /** Terminates the runtime, at once or as soon as it has booted. */
  drop(): void {
    // A boot that fails has nothing to terminate, and whoever asked for it was told.
    this.#pending?.then(
      (runtime) => runtime.terminate(),
      () => undefined,
    );
    this.#pending = null;
    this.#current = null;
  }
}
