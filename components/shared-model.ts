import {GgufError, GgufRuntime} from '../worker-runtime/client/index.ts';
import type {BootOptions, LoadOptions, LoadProgress, ModelInfo} from '../worker-runtime/client/index.ts';
import type {ChatModelSource} from './session-types.ts';

/** The models that can be joined, by what they were loaded from and how. */
const joinable = new Map<string, SharedModel>();
/** All whose Workers answer, as far as anybody knows, by how they were booted. */
const alive = new Map<string, Set<SharedModel>>();

/** Those that are on their way, for chats that begin together. */
const booting = new Map<string, Promise<SharedModel>>();

type ProgressListener = (progress: LoadProgress) => void;

/** A Worker and the model in it, with all that use them. The last to leave ends both. */
export class SharedModel {
  readonly runtime: GgufRuntime;
  readonly #boot: string;
  readonly #users = new Set<object>();
  readonly #listeners = new Set<ProgressListener>();
  #key: string | null = null;
  #loading: {readonly model: Promise<ModelInfo>; readonly abort: () => void} | null = null;
  /** Whether a model is in it, or on its way. */
  #isOccupied = false;

  private constructor(runtime: GgufRuntime, boot: string) {
    this.runtime = runtime;
    this.#boot = boot;
  }

  static async boot(options: BootOptions): Promise<SharedModel> {
    const boot = bootKey(options);
    const shared = new SharedModel(await GgufRuntime.boot(options), boot);
    alive.set(boot, (alive.get(boot) ?? new Set()).add(shared));
    return shared;
  }

  /** One that runs already, to ask things of; a new one where there is none. */
  static async any(options: BootOptions): Promise<SharedModel> {
    const key = bootKey(options);
    const [first] = alive.get(key) ?? [];
    if (first) return first;
    const pending = booting.get(key) ?? SharedModel.boot(options).finally(() => booting.delete(key));
    booting.set(key, pending);
    return pending;
  }

  /** The model that was loaded, or is being loaded, under `key`. */
  static find(key: string): SharedModel | undefined {
    return joinable.get(key);
  }

  /** Whether its Worker is of no use any more. */
  get retired(): boolean {
    return !alive.get(this.#boot)?.has(this);
  }

  /** Whether `user` may load a model here: nobody else would lose one. */
  isFreeFor(user: object): boolean {
    return !this.retired && (!this.#isOccupied || !this.hasOthers(user));
  }

  hasOthers(user: object): boolean {
    return this.#users.size > (this.#users.has(user) ? 1 : 0);
  }

  enter(user: object): void {
    this.#users.add(user);
  }

  leave(user: object): void {
    this.#users.delete(user);
    if (this.#users.size > 0) return;
    this.retire();
    this.runtime.terminate();
  }

  /** @param key `null`: nobody shall join it */
  load(key: string | null, source: ChatModelSource, options: LoadOptions): Promise<ModelInfo> {
    const before = {key: this.#key, isOccupied: this.#isOccupied, loading: this.#loading};
    this.#isOccupied = true;
    this.#name(key);
    const controller = new AbortController();
    const onProgress = (progress: LoadProgress): void => {
      for (const listener of this.#listeners) listener(progress);
    };
    const model = this.runtime.loadModel(source, {...options, signal: controller.signal, onProgress});
    const loading = {model, abort: () => controller.abort()};
    this.#loading = loading;
    // Whoever waits for it is told; here only the name of what is resident then matters.
    model.catch(() => {
      if (this.#loading !== loading) return;
      this.#loading = before.loading;
      this.#isOccupied = before.isOccupied;
      this.#name(before.key);
    });
    return this.#watched(options);
  }

  /** The model, now or when it is loaded. */
  join(options: LoadOptions): Promise<ModelInfo> {
    return this.#watched(options);
  }

  /** Its model is gone. */
  forget(): void {
    this.#isOccupied = false;
    this.#name(null);
  }

  /** Nobody shall use it from now on. */
  retire(): void {
    this.#name(null);
    alive.get(this.#boot)?.delete(this);
  }

  /** The load under way, with progress; where nobody else waits, `signal` ends it. */
  async #watched({signal, onProgress}: LoadOptions): Promise<ModelInfo> {
    const {model, abort} = this.#loading ?? {};
    if (!model) throw new Error('nothing was loaded');
    if (onProgress) this.#listeners.add(onProgress);
    try {
      return await (signal ? this.#orAborted(model, signal, abort) : model);
    } finally {
      if (onProgress) this.#listeners.delete(onProgress);
    }
  }

  /** Where others wait, too, only this one's waiting ends. */
  #orAborted(model: Promise<ModelInfo>, signal: AbortSignal, abort?: () => void): Promise<ModelInfo> {
    return new Promise((resolve, reject) => {
      const aborted = (): void => {
        if (this.#users.size <= 1) abort?.();
        else reject(new GgufError('load-aborted', 'The load was cancelled; another chat goes on with it'));
      };
      signal.addEventListener('abort', aborted);
      if (signal.aborted) aborted();
      void model.then(resolve, reject).finally(() => signal.removeEventListener('abort', aborted));
    });
  }

  #name(key: string | null): void {
    if (this.#key !== null && joinable.get(this.#key) === this) joinable.delete(this.#key);
    this.#key = key;
    if (key !== null) joinable.set(key, this);
  }
}

/** Runtimes that were booted alike can stand in for each other. */
export function bootKey({workerSrc = '', core, shards = 'auto'}: BootOptions): string {
  return JSON.stringify([String(workerSrc), core, shards]);
}
