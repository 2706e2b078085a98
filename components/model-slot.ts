import {GgufError, defaultSampling} from '../worker-runtime/client/index.ts';
import type {
  BootOptions,
  LoadOptions,
  LoadProgress,
  ModelInfo,
  ModelInspection,
  SamplingSettings,
} from '../worker-runtime/client/index.ts';
import {Activity} from './activity.ts';
import {LazyRuntime} from './lazy-runtime.ts';
import type {BootRuntime} from './lazy-runtime.ts';
import {TransferRate} from './transfer-rate.ts';
import type {ChatLoadProgress, ChatModelSource, ChatRuntime, SessionEvent} from './session-types.ts';

export type SlotLoadOptions = Pick<
  LoadOptions,
  | 'contextLength'
  | 'kvType'
  | 'shards'
  | 'chatTemplate'
  | 'integrity'
  | 'withoutCache'
  | 'request'
  | 'hubEndpoint'
  | 'signal'
> &
  Pick<BootOptions, 'workerSrc'> & {
    /** Told what the model will take, `null` where its header could not be read; false: it is not loaded. */
    readonly beforeLoad?: (inspection: ModelInspection | null) => boolean;
  };

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
  #load: Activity<ModelInfo | null> | null = null;
  #rate = new TransferRate();
  /** The last question about what a model will take, and its answer. */
  #asked: {
    readonly source: ChatModelSource;
    readonly question: string;
    readonly answer: Promise<ModelInspection | null>;
  } | null = null;
  #wantedSampling: Partial<SamplingSettings> = {};
  /** What a load without an argument loads. */
  source: ChatModelSource | null = null;
  model: ModelInfo | null = null;
  /** Of the load under way. */
  progress: ChatLoadProgress | null = null;
  /** What the model that is named will take, as soon as that is known. */
  inspection: ModelInspection | null = null;
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

  /**
   * A newer load stops an older one, which then changes nothing any more.
   *
   * @returns `null` where `beforeLoad` did not want it
   */
  load(source: ChatModelSource, options: SlotLoadOptions): Promise<ModelInfo | null> {
    void this.#load?.stop();
    const load: Activity<ModelInfo | null> = new Activity(
      (signal) => this.#perform(source, {...options, signal}, () => this.#load === load),
      options.signal,
    );
    this.#load = load;
    if (source !== this.source) this.inspection = null;
    this.source = source;
    this.progress = null;
    this.#rate = new TransferRate();
    this.#owner.changed();
    return load.result;
  }

  /** Finds out what the named model will take, before anybody has asked to load it. */
  async consider({workerSrc, ...options}: SlotLoadOptions): Promise<void> {
    const {source} = this;
    if (source === null || this.#load || this.model || this.inspection) return;
    const runtime = await this.#bootedRuntime(workerSrc);
    const inspection = await this.#inspected(runtime, source, options);
    if (source !== this.source || !inspection) return;
    this.inspection = inspection;
    this.#owner.changed();
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
    {workerSrc, beforeLoad, ...options}: SlotLoadOptions,
    isNewest: () => boolean,
  ): Promise<ModelInfo | null> {
    try {
      await this.#owner.endRun();
      const runtime = await this.#bootedRuntime(workerSrc);
      const inspection = beforeLoad ? await this.#inspected(runtime, source, options) : null;
      if (beforeLoad && isNewest()) {
        if (!beforeLoad(inspection)) {
          this.#end();
          return null;
        }
        this.inspection = inspection;
      }
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

  /** What a model will take. A header that cannot be read is no news: the load says why. The same question is asked once. */
  #inspected(
    runtime: ChatRuntime,
    source: ChatModelSource,
    {contextLength, kvType, shards, chatTemplate, request, hubEndpoint, signal}: SlotLoadOptions,
  ): Promise<ModelInspection | null> {
    if (source instanceof ArrayBuffer) return Promise.resolve(null);
    const options = {contextLength, kvType, shards, chatTemplate, request, hubEndpoint};
    const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
    const question = JSON.stringify(given);
    const asked = this.#asked;
    if (asked?.source === source && asked.question === question) return asked.answer;
    const answer = runtime.inspect(source, {...given, ...(signal && {signal})}).catch(() => {
      this.#asked = null;
      return null;
    });
    this.#asked = {source, question, answer};
    return answer;
  }

  #end(error?: GgufError): void {
    // By the next time it may have changed, or be on the device.
    this.#asked = null;
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
    const ratio = totalBytes ? Math.min(1, loadedBytes / totalBytes) : null;
    this.progress = {...progress, ratio, bytesPerSecond: this.#rate.of(loadedBytes)};
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
