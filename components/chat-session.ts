import {GgufError, GgufRuntime} from '../worker-runtime/client/index.ts';
import type {
  GenerateOptions,
  ModelInfo,
  ModelInspection,
  SamplingSettings,
  TokenEvent,
  Timings,
  Usage,
} from '../worker-runtime/client/index.ts';
import {Activity} from './activity.ts';
import type {BootRuntime} from './lazy-runtime.ts';
import {ModelSlot} from './model-slot.ts';
import type {SlotLoadOptions} from './model-slot.ts';
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

/**
 * One conversation with one model: the state machine behind the element, without a DOM.
 *
 * Three planes are kept apart: the transcript (`messages`, `clear()`), the context in the Worker (`resetContext()`) and
 * the resident model (`load()`, `unload()`). A failure keeps whatever was accepted before it: a refused message leaves
 * the transcript as it was, a refused file the model, a refused setting the settings.
 */
export class ChatSession {
  readonly #notify: (event: SessionEvent) => void;
  readonly #slot: ModelSlot;
  #reportedStatus: ChatStatus = 'empty';
  #messages: Transcript = [];
  #run: Activity<TranscriptMessage> | null = null;
  /** How often the last answer was written anew. */
  #attempt = 0;
  #editing: string | null = null;
  #prefill: PrefillProgress | null = null;
  #lastRun: {readonly usage: Usage; readonly timings: Timings} | null = null;
  #error: GgufError | null = null;
  /** What is written and not sent. */
  draft = '';

  constructor({onEvent, boot = (options) => GgufRuntime.boot(options)}: ChatSessionOptions) {
    this.#notify = onEvent;
    this.#slot = new ModelSlot(boot, {
      notify: (event) => {
        // What the last answer used is the context of another model, then.
        if (event.type === 'load' || event.type === 'unload') this.#lastRun = null;
        onEvent(event);
      },
      changed: () => this.#changed(),
      fail: (error) => this.#fail(error),
      endRun: async () => this.#run?.stop(),
    });
  }

  get status(): ChatStatus {
    if (this.#slot.loading) return 'loading';
    if (this.#run) return 'generating';
    if (this.#slot.model) return 'ready';
    if (this.#error) return 'error';
    return this.#slot.source === null ? 'empty' : 'idle';
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
    return this.#slot.source;
  }
  set source(source: ChatModelSource | null) {
    // A load that failed was of what was named before.
    if (this.status === 'error') this.#error = null;
    this.#slot.source = source;
    this.#changed();
  }

  get model(): ModelInfo | null {
    return this.#slot.model;
  }
  /** Of the load under way. */
  get progress(): ChatLoadProgress | null {
    return this.#slot.progress;
  }
  /** What the model that is named will take, as soon as that is known. */
  get inspection(): ModelInspection | null {
    return this.#slot.inspection;
  }
  /** Of the answer under way, until its first token. */
  get prefill(): PrefillProgress | null {
    return this.#prefill;
  }
  /** Of the last answer, as are `timings`. */
  get usage(): Usage | null {
    return this.#lastRun?.usage ?? null;
  }
  get timings(): Timings | null {
    return this.#lastRun?.timings ?? null;
  }
  /** The settings in force. */
  get sampling(): SamplingSettings {
    return this.#slot.sampling;
  }
  /** The last failure; gone when something works again, or by {@link dismissError}. */
  get error(): GgufError | null {
    return this.#error;
  }
  get runtime(): ChatRuntime | null {
    return this.#slot.runtime;
  }

  /**
   * Loads a model, after ending an answer or an older load that is under way. The model before stays until then.
   *
   * @returns `null` where `options.beforeLoad` did not want it
   * @throws {GgufError} `load-aborted` after `stop()`, `unload()` or a newer load; what `GgufRuntime.loadModel` throws
   */
  async load(source = this.source, options: SlotLoadOptions = {}): Promise<ModelInfo | null> {
    if (source === null) {
      const message = 'There is no model to load: set src, or give load() a source';
      throw new GgufError('invalid-source', message, {field: 'src'});
    }
    this.#error = null;
    return this.#slot.load(source, options);
  }

  /** Finds out what the named model will take (`inspection`), should somebody want to know before loading it. */
  async consider(options: SlotLoadOptions = {}): Promise<void> {
    await this.#slot.consider(options);
  }

  /** Frees the model; the transcript stays. */
  async unload(): Promise<void> {
    await this.#run?.stop();
    await this.#reported(this.#slot.unload());
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
    const edited = this.#editing;
    const answer = this.#send(text, options, () => (this.draft ||= text));
    if (edited === this.#editing) this.#editing = null;
    this.draft = '';
    this.#changed();
    return answer;
  }

  /** The message that the draft takes the place of, with all that followed it; `null`: the draft is a new one. */
  get editing(): string | null {
    return this.#messages.some(({id}) => id === this.#editing) ? this.#editing : null;
  }

  /** Makes a message of the visitor the draft, to be written anew. What is sent takes its place. */
  edit(id: string): void {
    const message = this.#messages.find((candidate) => candidate.id === id);
    if (message?.role !== 'user') return;
    this.#editing = id;
    this.draft = message.content;
    this.#changed();
  }

  /** Leaves the conversation as it is, and the draft empty. */
  cancelEdit(): void {
    if (this.#editing === null) return;
    this.#editing = null;
    this.draft = '';
    this.#changed();
  }

  /** Whether there is an answer to write anew: not a greeting that the page has put there. */
  get canRegenerate(): boolean {
    return (
      this.status === 'ready' && this.#messages.length > 1 && this.#messages.at(-1)?.role === 'assistant'
    );
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
    const seed = (this.sampling.seed + this.#attempt) % Number.MAX_SAFE_INTEGER;
    const sampling = {seed, ...options.sampling};
    return this.#answer({...options, sampling}, (messages) => [...messages, ...old]);
  }

  /** Ends the answer or the load under way, and waits for that. What was written stays. */
  async stop(): Promise<void> {
    await Promise.all([this.#slot.stopLoad(), this.#run?.stop()]);
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
    await this.#reported(this.#requireReady().resetContext());
    this.#lastRun = null;
    this.#changed();
  }

  /**
   * The settings from now on; what is left out has its default. Before a model is loaded they are kept for then.
   *
   * @throws {GgufError} `invalid-setting`; the settings before stay
   */
  async configureSampling(settings: Partial<SamplingSettings>): Promise<void> {
    await this.#slot.configureSampling(settings);
    if (this.#error?.name === 'invalid-setting') this.dismissError();
  }

  dismissError(): void {
    this.#error = null;
    this.#changed();
  }

  /** Terminates the runtime with whatever it is doing. The transcript stays, and the session can load again. */
  dispose(): void {
    this.#slot.drop();
    this.#lastRun = null;
    this.#changed();
  }

  #requireReady(): ChatRuntime {
    const runtime = this.#slot.requireModel();
    if (this.#run)
      throw new GgufError('sequence-busy', 'An answer is being written: wait for it, or stop it');
    return runtime;
  }

  #send(text: string, options: SendOptions, onRefused?: () => void): Promise<TranscriptMessage> {
    this.#requireReady();
    if (text.trim() === '') throw new GgufError('invalid-prompt', 'The message is empty', {field: 'text'});
    const message = newMessage('user', text);
    const before = this.#messages;
    const edited = before.findIndex(({id}) => id === this.editing);
    const kept = onRefused && edited >= 0 ? before.slice(0, edited) : before;
    this.#messages = [...kept, message];
    this.#attempt = 0;
    this.#notify({type: 'message', message});
    return this.#answer(options, (messages) => {
      onRefused?.();
      // What the message took the place of comes back with its refusal.
      return kept === before ? without(messages, message.id) : before;
    });
  }

  /** Lets the model answer the transcript. `undo` makes of it what it was, should there be no answer at all. */
  #answer(
    {systemPrompt, signal, ...options}: SendOptions,
    undo: (messages: Transcript) => Transcript,
  ): Promise<TranscriptMessage> {
    const runtime = this.#requireReady();
    const params = {...options, messages: promptOf(this.#messages, systemPrompt)};
    const message = newMessage('assistant', '');
    this.#messages = [...this.#messages, message];
    this.#error = null;
    this.#run = new Activity(
      (stopped) => this.#write(message, runtime, {...params, signal: stopped}, undo),
      signal,
    );
    this.#changed();
    this.#notify({type: 'generate-start', message});
    return this.#run.result;
  }

  async #write(
    message: TranscriptMessage,
    runtime: ChatRuntime,
    params: GenerateOptions,
    undo: (messages: Transcript) => Transcript,
  ): Promise<TranscriptMessage> {
    try {
      const run = runtime.generate({...params, onPrefill: (progress) => this.#prefilled(progress)});
      for await (const token of run) {
        this.#prefill = null;
        message = withToken(message, token);
        this.#messages = replaced(this.#messages, message);
        this.#notify({type: 'token', token, message});
      }
      const result = await run.result;
      const {text: content, reasoning, finishReason, usage, timings} = result;
      message = {...message, content, finishReason, usage, ...(reasoning !== null && {reasoning})};
      this.#lastRun = {usage, timings};
      this.#endRun(replaced(this.#messages, message));
      this.#notify({type: 'message', message});
      this.#notify({type: 'generate-end', message, result});
      return message;
    } catch (thrown) {
      const error = GgufError.from(thrown);
      this.#endRun(this.#afterFailure(message, undo));
      // `terminated`: the runtime was let go on purpose.
      throw error.name === 'terminated' ? error : this.#fail(error);
    }
  }

  #afterFailure(message: TranscriptMessage, undo: (messages: Transcript) => Transcript): Transcript {
    const removed = !this.#messages.some(({id}) => id === message.id);
    if (removed || message.content !== '' || message.reasoning)
      return replaced(this.#messages, {...message, finishReason: 'error'});
    return undo(without(this.#messages, message.id));
  }

  #prefilled({done, total}: PrefillProgress): void {
    this.#prefill = {done, total};
    this.#changed();
  }

  #endRun(messages: Transcript): void {
    this.#messages = messages;
    this.#run = null;
    this.#prefill = null;
    this.#changed();
  }

  /** Tells of a failure of `action`, unless the runtime was let go on purpose. */
  async #reported(action: Promise<void>): Promise<void> {
    try {
      await action;
    } catch (thrown) {
      const error = GgufError.from(thrown);
      throw error.name === 'terminated' ? error : this.#fail(error);
    }
  }

  #fail(error: GgufError): GgufError {
    this.#error = error;
    if (!error.recoverable) this.#slot.drop();
    // The runtime has let the rest of the model go.
    if (error.name === 'shard-failed') this.#slot.model = null;
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

function withToken(message: TranscriptMessage, {text, reasoning}: TokenEvent): TranscriptMessage {
  const longer = {...message, content: message.content + text};
  return reasoning === undefined ? longer : {...longer, reasoning: (message.reasoning ?? '') + reasoning};
}
