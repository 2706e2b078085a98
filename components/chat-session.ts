import {GgufError, GgufRuntime, defaultSampling} from '../worker-runtime/client/index.ts';
import type {
  BootOptions,
  GenerateResult,
  LoadOptions,
  LoadProgress,
  ModelInfo,
  SamplingSettings,
  Timings,
  Usage,
} from '../worker-runtime/client/index.ts';
import {LazyRuntime} from './lazy-runtime.ts';
import type {BootRuntime} from './lazy-runtime.ts';
import type {
  ChatLoadProgress,
  ChatModelSource,
  ChatRuntime,
  ChatStatus,
  PrefillProgress,
  SendOptions,
  SessionEvent,
  TranscriptMessage,
} from './session-types.ts';
import {checkedTranscript, newMessage, replaced, without} from './transcript.ts';
import type {Transcript} from './transcript.ts';

export interface ChatSessionOptions {
  readonly onEvent: (event: SessionEvent) => void;
  /** Starts the runtime when a model is first loaded; by default {@link GgufRuntime.boot}. */
  readonly boot?: BootRuntime;
}

export type SessionLoadOptions = Pick<LoadOptions, 'contextLength' | 'kvType' | 'signal'> &
  Pick<BootOptions, 'workerSrc'>;

/** An answer under way. `ended` never rejects. */
interface Run {
  readonly abort: AbortController;
  readonly ended: Promise<unknown>;
}

/**
 * One conversation with one model: the state machine behind the element, without a DOM.
 *
 * Three planes are kept apart: the transcript (`messages`, `clear()`), the context in the Worker (`resetContext()`) and
 * the resident model (`load()`, `unload()`). A failure keeps whatever was accepted before it: a refused message leaves
 * the transcript as it was, a refused file the model, a refused setting the settings.
 */
export class ChatSession {
  readonly #notify: (event: SessionEvent) => void;
  readonly #runtime: LazyRuntime;
  #reportedStatus: ChatStatus = 'empty';
  #messages: Transcript = [];
  #source: ChatModelSource | null = null;
  #load: AbortController | null = null;
  #run: Run | null = null;
  /** How often the last answer was written anew. */
  #attempt = 0;
  #wantedSampling: Partial<SamplingSettings> = {};
  #sampling: SamplingSettings = defaultSampling;
  #model: ModelInfo | null = null;
  #progress: ChatLoadProgress | null = null;
  #prefill: PrefillProgress | null = null;
  #usage: Usage | null = null;
  #timings: Timings | null = null;
  #error: GgufError | null = null;
  /** What is written and not sent. */
  draft = '';

  constructor({onEvent, boot = (options) => GgufRuntime.boot(options)}: ChatSessionOptions) {
    this.#notify = onEvent;
    this.#runtime = new LazyRuntime(boot);
  }

  get status(): ChatStatus {
    if (this.#load) return 'loading';
    if (this.#run) return 'generating';
    if (this.#model) return 'ready';
    if (this.#error) return 'error';
    return this.#source === null ? 'empty' : 'idle';
  }

  get messages(): Transcript {
    return this.#messages;
  }
  /** Replaces the transcript; an answer under way is stopped. @throws {GgufError} `invalid-prompt` */
  set messages(messages: readonly unknown[]) {
    this.#messages = checkedTranscript(messages);
    this.#run?.abort.abort();
    this.#changed();
  }

  /** What `load()` loads when it is given nothing. */
  get source(): ChatModelSource | null {
    return this.#source;
  }
  set source(source: ChatModelSource | null) {
    this.#source = source;
    this.#changed();
  }

  get model(): ModelInfo | null {
    return this.#model;
  }
  /** Of the load under way. */
  get progress(): ChatLoadProgress | null {
    return this.#progress;
  }
  /** Of the answer under way, until its first token. */
  get prefill(): PrefillProgress | null {
    return this.#prefill;
  }
  /** Of the last answer. */
  get usage(): Usage | null {
    return this.#usage;
  }
  get timings(): Timings | null {
    return this.#timings;
  }
  /** The sampling settings in force. */
  get sampling(): SamplingSettings {
    return this.#sampling;
  }
  /** The last failure; gone when something works again, or by {@link dismissError}. */
  get error(): GgufError | null {
    return this.#error;
  }
  get runtime(): ChatRuntime | null {
    return this.#runtime.current;
  }

  /**
   * Loads a model, after ending an answer or an older load that is under way. The model before stays until then.
   *
   * @throws {GgufError} `load-aborted` after `stop()`, `unload()` or a newer load; what {@link GgufRuntime.loadModel} throws
   */
  async load(source = this.#source, options: SessionLoadOptions = {}): Promise<ModelInfo> {
    if (source === null) {
      throw new GgufError('invalid-source', 'There is no model to load: set src, or give load() a source', {
        field: 'src',
      });
    }
    this.#load?.abort();
    const load = (this.#load = new AbortController());
    this.#source = source;
    this.#error = null;
    this.#progress = null;
    this.#changed();
    try {
      this.#model = await this.#loadModel(source, options, load);
      if (this.#load !== load) throw new GgufError('load-aborted', 'A newer load took the place of this one');
    } catch (thrown) {
      const error = GgufError.from(thrown);
      if (this.#load === load) this.#endLoad(error);
      throw error;
    }
    this.#endLoad(null);
    this.#notify({type: 'load', model: this.#model});
    return this.#model;
  }

  /** Frees the model; the transcript stays. */
  async unload(): Promise<void> {
    this.#load?.abort();
    await this.stop();
    const {current} = this.#runtime;
    if (!current || !this.#model) return;
    const {freedBytes} = await current.freeModel();
    this.#model = null;
    this.#usage = null;
    this.#timings = null;
    this.#changed();
    this.#notify({type: 'unload', freedBytes});
  }

  /**
   * Sends `text` and resolves with the whole answer, or with the part that was there when it was stopped. A message that
   * is refused before its first token leaves the transcript again.
   *
   * @throws {GgufError} `no-model`, `sequence-busy`, `invalid-prompt`, or what failed
   */
  send(text: string, options: SendOptions = {}): Promise<TranscriptMessage> {
    return this.#send(text, options, () => undefined);
  }

  /** Sends the draft. A refused one is put back, unless something else was written meanwhile. */
  submit(options: SendOptions = {}): Promise<TranscriptMessage> {
    const text = this.draft.trim();
    const sent = this.#send(text, options, () => (this.draft ||= text));
    if (this.#run) this.draft = '';
    return sent;
  }

  /** Writes the last answer anew, each time with the next seed (unless `options` name one). */
  async regenerate(options: SendOptions = {}): Promise<TranscriptMessage> {
    const runtime = this.#readyRuntime();
    const last = this.#messages.at(-1);
    const answer = last?.role === 'assistant' ? last : null;
    if (answer) this.#messages = without(this.#messages, answer.id);
    if (this.#messages.length === 0) {
      throw new GgufError('invalid-prompt', 'There is no message to answer', {field: 'messages'});
    }
    const seed = (this.#wantedSampling.seed ?? this.#sampling.seed) + ++this.#attempt;
    return this.#answer(runtime, {...options, sampling: {seed, ...options.sampling}}, (messages) =>
      answer ? [...messages, answer] : messages,
    );
  }

  /** Ends the answer or the load under way, and waits for that. What was written stays. */
  async stop(): Promise<void> {
    this.#load?.abort();
    this.#run?.abort.abort();
    await this.#run?.ended;
  }

  /** Empties the transcript. The context in the Worker and the model stay. */
  async clear(): Promise<void> {
    this.#messages = [];
    this.#run?.abort.abort();
    this.#changed();
    await this.#run?.ended;
  }

  /** Empties the context in the Worker, after ending the answer under way. The transcript and the model stay. */
  async resetContext(): Promise<void> {
    await this.stop();
    await this.#readyRuntime().resetContext();
    this.#usage = null;
    this.#timings = null;
    this.#changed();
  }

  /**
   * The settings from now on; those that are left out have their defaults. Before a model is loaded they are kept for then.
   *
   * @throws {GgufError} `invalid-setting`; the settings before stay
   */
  async configureSampling(settings: Partial<SamplingSettings>): Promise<void> {
    this.#wantedSampling = settings;
    const {current} = this.#runtime;
    if (current) await this.#applySampling(current);
  }

  dismissError(): void {
    this.#error = null;
    this.#changed();
  }

  /** Terminates the runtime with whatever it is doing. The transcript stays, and the session can load again. */
  dispose(): void {
    this.#load?.abort();
    this.#load = null;
    this.#letRuntimeGo();
    this.#changed();
  }

  // ---- loading ----------------------------------------------------------------------------------------------------

  async #loadModel(
    source: ChatModelSource,
    {workerSrc, signal, ...options}: SessionLoadOptions,
    load: AbortController,
  ): Promise<ModelInfo> {
    this.#run?.abort.abort();
    await this.#run?.ended;
    const booted = this.#runtime.current;
    const runtime = await this.#runtime.get(workerSrc === undefined ? {} : {workerSrc});
    // A refused setting is reported and does not stand in the way of the model.
    if (!booted) await this.#applySampling(runtime).catch(() => undefined);
    const onProgress = (progress: LoadProgress): void => {
      if (this.#load === load) this.#progressed(progress);
    };
    return runtime.loadModel(source, {
      ...options,
      onProgress,
      signal: signal ? AbortSignal.any([signal, load.signal]) : load.signal,
    });
  }

  #progressed(progress: LoadProgress): void {
    const {loadedBytes, totalBytes} = progress;
    this.#progress = {...progress, ratio: totalBytes ? Math.min(1, loadedBytes / totalBytes) : null};
    this.#notify({type: 'progress', progress: this.#progress});
    this.#notify({type: 'change'});
  }

  #endLoad(error: GgufError | null): void {
    this.#load = null;
    this.#progress = null;
    if (error && !isCancellation(error)) this.#fail(error);
    else this.#changed();
  }

  // ---- sampling ---------------------------------------------------------------------------------------------------

  async #applySampling(runtime: ChatRuntime): Promise<void> {
    try {
      this.#sampling = await runtime.configureSampling({...defaultSampling, ...this.#wantedSampling});
      if (this.#error?.name === 'invalid-setting') this.dismissError();
    } catch (thrown) {
      throw this.#fail(GgufError.from(thrown));
    }
  }

  // ---- answering --------------------------------------------------------------------------------------------------

  #readyRuntime(): ChatRuntime {
    const {current} = this.#runtime;
    if (this.#load) throw new GgufError('no-model', 'The model is still loading');
    if (!current || !this.#model) throw new GgufError('no-model', 'No model is loaded');
    if (this.#run) throw new GgufError('sequence-busy', 'An answer is being written: wait for it, or stop it');
    return current;
  }

  async #send(text: string, options: SendOptions, onRefused: () => void): Promise<TranscriptMessage> {
    const runtime = this.#readyRuntime();
    if (text.trim() === '') throw new GgufError('invalid-prompt', 'The message is empty', {field: 'text'});
    const message = newMessage('user', text);
    this.#messages = [...this.#messages, message];
    this.#attempt = 0;
    return this.#answer(
      runtime,
      options,
      (messages) => {
        onRefused();
        return without(messages, message.id);
      },
      message,
    );
  }

  /** @param undo makes of the transcript what it was before, when there is no answer at all */
  #answer(
    runtime: ChatRuntime,
    options: SendOptions,
    undo: (messages: Transcript) => Transcript,
    question?: TranscriptMessage,
  ): Promise<TranscriptMessage> {
    const abort = new AbortController();
    const answer = newMessage('assistant', '');
    const messages = this.#prompt(options.systemPrompt);
    this.#messages = [...this.#messages, answer];
    this.#error = null;
    const written = this.#write(runtime, {...options, messages}, answer, abort, undo);
    const run: Run = {abort, ended: written.catch(() => undefined)};
    this.#run = run;
    if (question) this.#notify({type: 'message', message: question});
    this.#changed();
    this.#notify({type: 'generate-start', message: answer});
    return written;
  }
}
