import {GgufError, GgufRuntime, defaultSampling} from '../worker-runtime/client/index.ts';
import type {
  BootOptions,
  LoadOptions,
  LoadProgress,
  ModelInfo,
  SamplingSettings,
  Timings,
  Usage,
} from '../worker-runtime/client/index.ts';
import {Activity} from './activity.ts';
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
import {checkedTranscript, newMessage, promptOf, replaced, without} from './transcript.ts';
import type {Transcript} from './transcript.ts';

export interface ChatSessionOptions {
  readonly onEvent: (event: SessionEvent) => void;
  /** Starts the runtime when a model is first loaded; by default {@link GgufRuntime.boot}. */
  readonly boot?: BootRuntime;
}

export type SessionLoadOptions = Pick<LoadOptions, 'contextLength' | 'kvType' | 'signal'> &
  Pick<BootOptions, 'workerSrc'>;

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
  #load: Activity<ModelInfo> | null = null;
  #run: Activity<TranscriptMessage> | null = null;
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
    void this.#run?.stop();
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
  /** Of the last answer, as are `timings`. */
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
   * @throws {GgufError} `load-aborted` after `stop()`, `unload()` or a newer load; what `GgufRuntime.loadModel` throws
   */
  async load(source = this.#source, options: SessionLoadOptions = {}): Promise<ModelInfo> {
    if (source === null) {
      throw new GgufError('invalid-source', 'There is no model to load: set src, or give load() a source', {
        field: 'src',
      });
    }
    void this.#load?.stop();
    const load: Activity<ModelInfo> = new Activity(
      (signal) => this.#loadModel(source, {...options, signal}, () => this.#load === load),
      options.signal,
    );
    this.#load = load;
    this.#source = source;
    this.#error = null;
    this.#progress = null;
    this.#changed();
    return load.result;
  }

  /** Frees the model; the transcript stays. */
  async unload(): Promise<void> {
    await this.stop();
    const {current} = this.#runtime;
    if (!current || !this.#model) return;
    const {freedBytes} = await current.freeModel();
    this.#forgetModel();
    this.#changed();
    this.#notify({type: 'unload', freedBytes});
  }

  /**
   * Sends `text` and resolves with the whole answer, or with the part that was there when it was stopped. A message that
   * is refused before its first token leaves the transcript again.
   *
   * @throws {GgufError} `no-model`, `sequence-busy`, `invalid-prompt`, or what failed
   */
  async send(text: string, options: SendOptions = {}): Promise<TranscriptMessage> {
    return this.#send(text, options);
  }

  /** Sends the draft. A refused one is put back, unless something else was written meanwhile. */
  async submit(options: SendOptions = {}): Promise<TranscriptMessage> {
    const text = this.draft.trim();
    const answer = this.#send(text, options, () => (this.draft ||= text));
    this.draft = '';
    this.#changed();
    return answer;
  }

  /** Writes the last answer anew, each time with the next seed (unless `options` name one). */
  async regenerate(options: SendOptions = {}): Promise<TranscriptMessage> {
    this.#requireReady();
    const last = this.#messages.at(-1);
    const old = last?.role === 'assistant' ? [last] : [];
    const question = this.#messages.slice(0, this.#messages.length - old.length);
    if (question.length === 0) {
      throw new GgufError('invalid-prompt', 'There is no message to answer', {field: 'messages'});
    }
    this.#messages = question;
    this.#attempt += 1;
    const seed = (this.#sampling.seed + this.#attempt) % Number.MAX_SAFE_INTEGER;
    const sampling = {seed, ...options.sampling};
    return this.#answer({...options, sampling}, (messages) => [...messages, ...old]);
  }

  /** Ends the answer or the load under way, and waits for that. What was written stays. */
  async stop(): Promise<void> {
    await Promise.all([this.#load?.stop(), this.#run?.stop()]);
  }

  /** Empties the transcript. The context in the Worker and the model stay. */
  async clear(): Promise<void> {
    this.#messages = [];
    const stopped = this.#run?.stop();
    this.#changed();
    await stopped;
  }

  /** Empties the context in the Worker, after ending the answer under way. The transcript and the model stay. */
  async resetContext(): Promise<void> {
    await this.#run?.stop();
    await this.#requireReady().resetContext();
    this.#usage = null;
    this.#timings = null;
    this.#changed();
  }

  /**
   * The settings from now on; what is left out has its default. Before a model is loaded they are kept for then.
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
    void this.#load?.stop();
    this.#load = null;
    this.#runtime.drop();
    this.#forgetModel();
    this.#changed();
  }

  async #loadModel(
    source: ChatModelSource,
    {workerSrc, ...options}: SessionLoadOptions,
    isNewest: () => boolean,
  ): Promise<ModelInfo> {
    try {
      await this.#run?.stop();
      const runtime = await this.#bootedRuntime(workerSrc);
      const onProgress = (progress: LoadProgress): void => void (isNewest() && this.#progressed(progress));
      const model = await runtime.loadModel(source, {...options, onProgress});
      // Also where a newer load is under way: until that has ended, this is the model that the Worker holds.
      this.#model = model;
      if (!isNewest()) throw new GgufError('load-aborted', 'A newer load took the place of this one');
      this.#endLoad();
      this.#notify({type: 'load', model});
      return model;
    } catch (thrown) {
      const error = GgufError.from(thrown);
      if (isNewest()) this.#endLoad(error);
      throw error;
    }
  }

  async #bootedRuntime(workerSrc: SessionLoadOptions['workerSrc']): Promise<ChatRuntime> {
    const before = this.#runtime.current;
    const runtime = await this.#runtime.get(workerSrc === undefined ? {} : {workerSrc});
    // A refused setting has been reported and does not stand in the way of the model.
    if (!before) await this.#applySampling(runtime).catch(() => undefined);
    return runtime;
  }

  #progressed(progress: LoadProgress): void {
    const {loadedBytes, totalBytes} = progress;
    this.#progress = {...progress, ratio: totalBytes ? Math.min(1, loadedBytes / totalBytes) : null};
    this.#notify({type: 'progress', progress: this.#progress});
    this.#notify({type: 'change'});
  }

  #endLoad(error?: GgufError): void {
    this.#load = null;
    this.#progress = null;
    if (error && !isIntended(error)) this.#fail(error);
    else this.#changed();
  }

  async #applySampling(runtime: ChatRuntime): Promise<void> {
    try {
      this.#sampling = await runtime.configureSampling({...defaultSampling, ...this.#wantedSampling});
      if (this.#error?.name === 'invalid-setting') this.dismissError();
    } catch (thrown) {
      throw this.#fail(GgufError.from(thrown));
    }
  }

  #requireReady(): ChatRuntime {
    const {current} = this.#runtime;
    if (this.#load) throw new GgufError('no-model', 'The model is still loading');
    if (!current || !this.#model) throw new GgufError('no-model', 'No model is loaded');
    if (this.#run) throw new GgufError('sequence-busy', 'An answer is being written: wait for it, or stop it');
    return current;
  }

  #send(text: string, options: SendOptions, onRefused?: () => void): Promise<TranscriptMessage> {
    this.#requireReady();
    if (text.trim() === '') throw new GgufError('invalid-prompt', 'The message is empty', {field: 'text'});
    const message = newMessage('user', text);
    this.#messages = [...this.#messages, message];
    this.#attempt = 0;
    this.#notify({type: 'message', message});
    return this.#answer(options, (messages) => {
      onRefused?.();
      return without(messages, message.id);
    });
  }

  /** Lets the model answer the transcript. `undo` makes of it what it was, should there be no answer at all. */
  #answer(
    {systemPrompt, signal, ...options}: SendOptions,
    undo: (messages: Transcript) => Transcript,
  ): Promise<TranscriptMessage> {
    const runtime = this.#requireReady();
    const params = {...options, messages: promptOf(this.#messages, systemPrompt)};
    const answer = newMessage('assistant', '');
    this.#messages = [...this.#messages, answer];
    this.#error = null;
    this.#run = new Activity((stopped) => this.#write(answer, runtime, {...params, signal: stopped}, undo), signal);
    this.#changed();
    this.#notify({type: 'generate-start', message: answer});
    return this.#run.result;
  }

  async #write(
    answer: TranscriptMessage,
    runtime: ChatRuntime,
    params: Parameters<ChatRuntime['generate']>[0],
    undo: (messages: Transcript) => Transcript,
  ): Promise<TranscriptMessage> {
    let written = answer;
    try {
      const run = runtime.generate({...params, onPrefill: (progress) => this.#prefilled(progress)});
      for await (const token of run) {
        this.#prefill = null;
        written = {...written, content: written.content + token.text};
        this.#messages = replaced(this.#messages, written);
        this.#notify({type: 'token', token, message: written});
      }
      const result = await run.result;
      const {text: content, finishReason, usage, timings} = result;
      written = {...written, content, finishReason, usage};
      this.#usage = usage;
      this.#timings = timings;
      this.#endRun(replaced(this.#messages, written));
      this.#notify({type: 'message', message: written});
      this.#notify({type: 'generate-end', message: written, result});
      return written;
    } catch (thrown) {
      const error = GgufError.from(thrown);
      this.#endRun(
        written.content === ''
          ? undo(without(this.#messages, written.id))
          : replaced(this.#messages, {...written, finishReason: 'error'}),
      );
      throw isIntended(error) ? error : this.#fail(error);
    }
  }

  #prefilled({done, total}: PrefillProgress): void {
    this.#prefill = {done, total};
    this.#notify({type: 'change'});
  }

  #endRun(messages: Transcript): void {
    this.#messages = messages;
    this.#run = null;
    this.#prefill = null;
    this.#changed();
  }

  #forgetModel(): void {
    this.#model = null;
    this.#usage = null;
    this.#timings = null;
  }

  #fail(error: GgufError): GgufError {
    this.#error = error;
    if (!error.recoverable) {
      this.#runtime.drop();
      this.#forgetModel();
    }
    this.#changed();
    this.#notify({type: 'error', error});
    return error;
  }

  #changed(): void {
    const {status} = this;
    const previous = this.#reportedStatus;
    this.#reportedStatus = status;
    if (status !== previous) this.#notify({type: 'status', status, previous});
    this.#notify({type: 'change'});
  }
}

/** Whether someone asked for just this: to stop a load, or to let the runtime go. */
function isIntended({name}: GgufError): boolean {
  return name === 'load-aborted' || name === 'terminated';
}
