import {GgufError, defaultSampling} from '../worker-runtime/client/index.ts';
import type {
  BootOptions,
  LoadOptions,
  LoadProgress,
  ModelInfo,
  SamplingSettings,
} from '../worker-runtime/client/index.ts';
import {Activity} from './activity.ts';
import {LazyRuntime} from './lazy-runtime.ts';
import type {BootRuntime} from './lazy-runtime.ts';
import type {ChatLoadProgress, ChatModelSource, ChatRuntime, SessionEvent} from './session-types.ts';

export type SlotLoadOptions = Pick<
  LoadOptions,
  'contextLength' | 'kvType' | 'shards' | 'chatTemplate' | 'signal'
> &
  Pick<BootOptions, 'workerSrc'>;

/** What a slot needs of the session that it is part of. */
export interface SlotOwner {
  readonly notify: (event: SessionEvent) => void;
  /** Says that the state has changed. */
  readonly changed: () => void;
  /** Reports a failure that nobody asked for; gives it back. */
  readonly fail: (error: GgufError) => GgufError;
  /** Ends what the resident model is doing. */
  readonly endRun: () => Promise<void>;
}

/** Where the one resident model is, with the runtime that holds it and the settings that it samples by. */
export class ModelSlot {
  readonly #owner: SlotOwner;
  readonly #runtime: LazyRuntime;
  #load: Activity<ModelInfo> | null = null;
  #wantedSampling: Partial<SamplingSettings> = {};
  /** What a load without an argument loads. */
  source: ChatModelSource | null = null;
  model: ModelInfo | null = null;
  /** Of the load under way. */
  progress: ChatLoadProgress | null = null;
  /** The settings in force. */
  sampling: SamplingSettings = defaultSampling;

  constructor(boot: BootRuntime, owner: SlotOwner) {
    this.#runtime = new LazyRuntime(boot);
    this.#owner = owner;
  }

  get loading(): boolean {
    return this.#load !== null;
  }

  get runtime(): ChatRuntime | null {
    return this.#runtime.current;
  }

  /** The runtime with a model in it. @throws {GgufError} `no-model` */
  requireModel(): ChatRuntime {
    if (this.#load) throw new GgufError('no-model', 'The model is still loading');
    if (!this.runtime || !this.model) throw new GgufError('no-model', 'No model is loaded');
    return this.runtime;
  }

  /** A newer load stops an older one, which then changes nothing any more. */
  load(source: ChatModelSource, options: SlotLoadOptions): Promise<ModelInfo> {
    void this.#load?.stop();
    const load: Activity<ModelInfo> = new Activity(
      (signal) => this.#perform(source, {...options, signal}, () => this.#load === load),
      options.signal,
    );
    this.#load = load;
    this.source = source;
    this.progress = null;
    this.#owner.changed();
    return load.result;
  }

  async stopLoad(): Promise<void> {
    await this.#load?.stop();
  }

  async unload(): Promise<void> {
    await this.stopLoad();
    if (!this.runtime || !this.model) return;
    const {freedBytes} = await this.runtime.freeModel();
    this.model = null;
    this.#owner.changed();
    this.#owner.notify({type: 'unload', freedBytes});
  }

  /** Before the runtime is booted, settings are kept for then. @throws {GgufError} `invalid-setting` */
  async configureSampling(settings: Partial<SamplingSettings>): Promise<void> {
    this.#wantedSampling = settings;
    if (this.runtime) await this.#applySampling(this.runtime);
  }

  /** Terminates the runtime and forgets what it held. */
  drop(): void {
    void this.#load?.stop();
    this.#load = null;
    this.#runtime.drop();
    this.model = null;
    this.progress = null;
  }

  async #perform(
    source: ChatModelSource,
    {workerSrc, ...options}: SlotLoadOptions,
    isNewest: () => boolean,
  ): Promise<ModelInfo> {
    try {
      await this.#owner.endRun();
      const runtime = await this.#bootedRuntime(workerSrc);
      const onProgress = (progress: LoadProgress): void => void (isNewest() && this.#progressed(progress));
      const model = await runtime.loadModel(source, {...options, onProgress});
      // Also where a newer load is under way: until that has ended, this is the model that the Worker holds.
      this.model = model;
      if (!isNewest()) throw new GgufError('load-aborted', 'A newer load took the place of this one');
      this.#end();
      this.#owner.notify({type: 'load', model});
      return model;
    } catch (thrown) {
      const error = GgufError.from(thrown);
      if (isNewest()) this.#end(error);
      throw error;
    }
  }

  #end(error?: GgufError): void {
    this.#load = null;
    this.progress = null;
    if (error && error.name !== 'load-aborted') this.#owner.fail(error);
    else this.#owner.changed();
  }

  async #bootedRuntime(workerSrc: SlotLoadOptions['workerSrc']): Promise<ChatRuntime> {
    const before = this.runtime;
    const runtime = await this.#runtime.get(workerSrc === undefined ? {} : {workerSrc});
    // A refused setting has been reported and does not stand in the way of the model.
    if (!before) await this.#applySampling(runtime).catch(() => undefined);
    return runtime;
  }

  #progressed(progress: LoadProgress): void {
    const {loadedBytes, totalBytes} = progress;
    this.progress = {...progress, ratio: totalBytes ? Math.min(1, loadedBytes / totalBytes) : null};
    this.#owner.notify({type: 'progress', progress: this.progress});
    this.#owner.changed();
  }

  async #applySampling(runtime: ChatRuntime): Promise<void> {
    try {
      this.sampling = await runtime.configureSampling({...defaultSampling, ...this.#wantedSampling});
    } catch (thrown) {
      throw this.#owner.fail(GgufError.from(thrown));
    }
  }
}
