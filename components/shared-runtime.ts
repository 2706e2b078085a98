import {GgufError, defaultSampling} from '../worker-runtime/client/index.ts';
import type {
  BootOptions,
  Diagnostics,
  EmbedParams,
  GenerateOptions,
  GenerationRun,
  InspectOptions,
  LoadOptions,
  ModelInfo,
  ModelInspection,
  SamplingSettings,
  SequenceHandle,
  StoredModels,
} from '../worker-runtime/client/index.ts';
import type {ChatModelSource, ChatRuntime} from './session-types.ts';
import {SharedModel, bootKey} from './shared-model.ts';

/**
 * A runtime for one chat of a page, which shares its Worker and its model with the other chats that load the same model in the same way: each
 * has a conversation and sampling settings of its own.
 */
export class SharedRuntime implements ChatRuntime {
  readonly #options: BootOptions;
  #shared: SharedModel;
  /** `undefined`: the default one. */
  #sequence: SequenceHandle | undefined;
  /** The settings in force, and those that were asked for last. */
  #sampling = defaultSampling;
  #wanted: SamplingSettings = defaultSampling;
  readonly store: StoredModels;

  private constructor(options: BootOptions, shared: SharedModel) {
    this.#options = options;
    this.#shared = shared;
    shared.enter(this);
    this.store = {
      list: () => this.#shared.runtime.store.list(),
      remove: (name) => this.#shared.runtime.store.remove(name),
      estimate: () => this.#shared.runtime.store.estimate(),
      persist: () => this.#shared.runtime.store.persist(),
    };
  }

  /** @throws {GgufError} as `GgufRuntime.boot` */
  static async boot(options: BootOptions): Promise<SharedRuntime> {
    return new SharedRuntime(options, await SharedModel.any(options));
  }

  get core(): ChatRuntime['core'] {
    return this.#shared.runtime.core;
  }

  get version(): string {
    return this.#shared.runtime.version;
  }

  async loadModel(source: ChatModelSource, options: LoadOptions = {}): Promise<ModelInfo> {
    const key = this.#keyOf(source, options);
    const found = key === null ? undefined : SharedModel.find(key);
    const joined = found && (await this.#join(found, options));
    if (joined) return joined;
    // What others use stays as it is.
    const own = this.#shared.isFreeFor(this) ? this.#shared : await SharedModel.boot(this.#options);
    own.enter(this);
    try {
      const model = await own.load(key, source, options);
      this.#move(own, undefined);
      return model;
    } catch (error) {
      if (own !== this.#shared) own.leave(this);
      throw error;
    }
  }

  inspect(source: Parameters<ChatRuntime['inspect']>[0], options?: InspectOptions): Promise<ModelInspection> {
    return this.#shared.runtime.inspect(source, options);
  }

  async configureSampling(settings: Partial<SamplingSettings>): Promise<SamplingSettings> {
    const wanted = {...this.#sampling, ...settings};
    this.#wanted = wanted;
    this.#sampling = await this.#shared.runtime.configureSampling(wanted);
    return this.#sampling;
  }

  generate(params: GenerateOptions): GenerationRun {
    this.#sendSampling();
    return this.#shared.runtime.generate({...this.#inSequence, ...params});
  }

  evaluate(...[tokens, options]: Parameters<ChatRuntime['evaluate']>): ReturnType<ChatRuntime['evaluate']> {
    return this.#shared.runtime.evaluate(tokens, {...this.#inSequence, ...options});
  }

  resetContext(options: {readonly sequence?: SequenceHandle} = {}): Promise<void> {
    return this.#shared.runtime.resetContext({...this.#inSequence, ...options});
  }

  embed(
    texts: EmbedParams['texts'],
    options?: Parameters<ChatRuntime['embed']>[1],
  ): ReturnType<ChatRuntime['embed']> {
    return this.#shared.runtime.embed(texts, options);
  }

  tokenize(...args: Parameters<ChatRuntime['tokenize']>): Promise<readonly number[]> {
    return this.#shared.runtime.tokenize(...args);
  }

  detokenize(tokens: readonly number[]): Promise<string> {
    return this.#shared.runtime.detokenize(tokens);
  }

  applyTemplate(...args: Parameters<ChatRuntime['applyTemplate']>): Promise<string> {
    return this.#shared.runtime.applyTemplate(...args);
  }

  openSequence(): Promise<SequenceHandle> {
    return this.#shared.runtime.openSequence();
  }

  closeSequence(sequence: SequenceHandle): Promise<void> {
    return this.#shared.runtime.closeSequence(sequence);
  }

  /** Frees the model where nobody else uses it. */
  async freeModel(): Promise<{readonly freedBytes: number}> {
    if (!this.#shared.hasOthers(this)) {
      this.#shared.forget();
      return this.#shared.runtime.freeModel();
    }
    this.#move(await SharedModel.boot(this.#options), undefined);
    return {freedBytes: 0};
  }

  diagnostics(): Promise<Diagnostics> {
    return this.#shared.runtime.diagnostics();
  }

  terminate(): void {
    this.#closeOwnSequence();
    this.#shared.leave(this);
  }

  /** The Worker has one set of settings: that of the chat that spoke last. What it refuses changes nothing, and was reported. */
  #sendSampling(): void {
    const {runtime} = this.#shared;
    const refused = (): void => undefined;
    runtime.configureSampling(this.#sampling).catch(refused);
    if (this.#wanted !== this.#sampling) runtime.configureSampling(this.#wanted).catch(refused);
  }

  get #inSequence(): {readonly sequence?: SequenceHandle} {
    return this.#sequence ? {sequence: this.#sequence} : {};
  }

  /** `null` where it turns out to be of no use: its Worker has ended, or its model has gone. */
  async #join(found: SharedModel, options: LoadOptions): Promise<ModelInfo | null> {
    // Alone, to load it again means to load it again.
    if (found === this.#shared && !found.hasOthers(this)) return null;
    found.enter(this);
    let isLoaded = false;
    try {
      const model = await found.join(options);
      isLoaded = true;
      const sequence = await found.runtime.openSequence();
      this.#move(found, sequence);
      return {...model, sequence};
    } catch (error) {
      if (found !== this.#shared) found.leave(this);
      // A load that fails, fails for all.
      if (!isLoaded) throw error;
      found.retire();
      return null;
    }
  }

  #move(to: SharedModel, sequence: SequenceHandle | undefined): void {
    this.#closeOwnSequence();
    const from = this.#shared;
    this.#shared = to;
    this.#sequence = sequence;
    to.enter(this);
    if (from !== to) from.leave(this);
  }

  #closeOwnSequence(): void {
    const sequence = this.#sequence;
    this.#sequence = undefined;
    // Gone already with its model or its Worker.
    if (sequence) this.#shared.runtime.closeSequence(sequence).catch(() => undefined);
  }

  /** What makes two loads the same; `null` for what is no URL. */
  #keyOf(source: ChatModelSource, options: LoadOptions): string | null {
    if (typeof source !== 'string' && !(source instanceof URL)) return null;
    const settings = Object.entries({...options, signal: undefined, onProgress: undefined}).sort();
    return JSON.stringify([String(source), bootKey(this.#options), settings]);
  }
}

/** @throws {GgufError} as `GgufRuntime.boot` */
export async function bootShared(options: BootOptions): Promise<ChatRuntime> {
  const runtime = await SharedRuntime.boot(options);
  if (!options.signal?.aborted) return runtime;
  runtime.terminate();
  throw new GgufError('terminated', 'The runtime was let go while it started');
}
