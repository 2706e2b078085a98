import {LitElement, html, nothing} from 'lit';
import type {PropertyValues, TemplateResult} from 'lit';
import {property, query} from 'lit/decorators.js';
import type {
  BootOptions,
  GgufError,
  ModelInfo,
  RequestSettings,
  SamplingSettings,
  TemplateVariables,
  Usage,
} from '../worker-runtime/client/index.ts';
import {ChatController} from './chat-controller.ts';
import type {ChatSession} from './chat-session.ts';
import {copyText, highlight, onAnswerClick} from './controllers/answer-actions.ts';
import type {HighlightCode} from './controllers/answer-actions.ts';
import {Announcer} from './controllers/announcer.ts';
import type {Announce} from './controllers/announcer.ts';
import {DelayedFlag} from './controllers/delayed-flag.ts';
import {FormField} from './controllers/form-field.ts';
import {LoadTrigger} from './controllers/load-trigger.ts';
import type {Loading} from './controllers/load-trigger.ts';
import {ModelLibrary} from './controllers/model-library.ts';
import {StickToEnd} from './controllers/stick-to-end.ts';
import {GgufBeforeLoadEvent, GgufSendEvent} from './events.ts';
import {styles} from './gguf-chat.styles.ts';
import {strings} from './localize/index.ts';
import {setMarkdown} from './markdown/markdown-body.ts';
import {numberOrAuto, optionalNumber} from './number-attributes.ts';
import type {SlotLoadOptions} from './model-slot.ts';
import type {
  ChatLoadProgress,
  ChatModelSource,
  ChatRuntime,
  ChatStatus,
  SendOptions,
  SessionEvent,
  TranscriptMessage,
} from './session-types.ts';
import {bootShared} from './shared-runtime.ts';
import {sourceName} from './source-name.ts';
import {composer, isComposing} from './templates/composer.ts';
import type {SubmitOn} from './templates/composer.ts';
import {errorPanel} from './templates/error-panel.ts';
import {libraryPanel} from './templates/library-panel.ts';
import {loadPanel} from './templates/load-panel.ts';
import {statusLine} from './templates/status-line.ts';
import {setText} from './templates/text-body.ts';
import {isMarkdown, shownText, transcript} from './templates/transcript.ts';
import {toDomEvent} from './to-dom-event.ts';

/**
 * A private chat with a language model that runs inside the page.
 *
 * `src` names a GGUF file; it is loaded when the visitor asks for it (see `loading`) into a Worker, and nothing that is
 * written leaves the page.
 *
 * A load fires `gguf-status` (loading), `gguf-before-load`, `gguf-progress`…, `gguf-status` (ready), `gguf-load`. A message
 * fires `gguf-send`, `gguf-message` (the visitor's), `gguf-status` (generating), `gguf-generate-start`, `gguf-token`…,
 * `gguf-status` (ready), `gguf-message` (the answer), `gguf-generate-end`. A failure fires `gguf-status`, `gguf-error` in
 * place of the last events; a message that was refused is taken out of the transcript again, and back into the composer.
 *
 * In a form it is a field like others: see `name` and `required`. Resetting the form empties the conversation.
 *
 * @tag gguf-chat
 *
 * @fires {GgufBeforeLoadEvent} gguf-before-load - Before a model is loaded: `{src, source, plan}`; `plan` is what the model is and takes, from its header. Cancel it and nothing is loaded. --bubbles --composed --cancelable
 * @fires {GgufProgressEvent} gguf-progress - While a model is loaded: `{phase, loadedBytes, totalBytes, ratio}`. Does not bubble.
 * @fires {GgufLoadEvent} gguf-load - A model is ready: `{model}`. --bubbles --composed
 * @fires {GgufUnloadEvent} gguf-unload - The model was freed: `{freedBytes}`. --bubbles --composed
 * @fires {GgufSendEvent} gguf-send - Before a message is sent: `{text, options}`. Cancel it to answer otherwise, by setting `messages`. --bubbles --composed --cancelable
 * @fires {GgufMessageEvent} gguf-message - A whole message, sent or answered: `{message}`. --bubbles --composed
 * @fires {GgufGenerateStartEvent} gguf-generate-start - An answer begins: `{message}`. --bubbles --composed
 * @fires {GgufTokenEvent} gguf-token - A token of the answer: `{token, message}`. Does not bubble.
 * @fires {GgufGenerateEndEvent} gguf-generate-end - An answer has ended or was stopped: `{message, result}`. --bubbles --composed
 * @fires {GgufLinkEvent} gguf-link - A link in an answer was clicked: `{href}`. Cancel it to do something else. --bubbles --composed --cancelable
 * @fires {GgufStatusEvent} gguf-status - The status is another one: `{status, previous}`. --bubbles --composed
 * @fires {GgufErrorEvent} gguf-error - Something failed: `{error}` with `code`, `name`, `message`. --bubbles --composed
 *
 * @slot header - Above the conversation.
 * @slot poster - In place of the words of the load panel; its button stays.
 * @slot library - In place of the list of the models on the device.
 * @slot empty - In place of the words where no message is yet.
 * @slot composer-start - Before the text field.
 * @slot composer-end - Between the text field and the send button.
 * @slot footer - Below everything.
 *
 * @csspart base - Everything.
 * @csspart panel - The load panel.
 * @csspart needs - What the model takes: to download, of memory.
 * @csspart library - The list of the models on the device, a `<details>`.
 * @csspart remove-button - Removes a model from the device.
 * @csspart progress - The progress bar in it.
 * @csspart error - The error panel.
 * @csspart transcript - The scrolling list of messages.
 * @csspart message - A message.
 * @csspart message-user - A message of the visitor.
 * @csspart message-assistant - An answer.
 * @csspart message-system - A message of another role.
 * @csspart message-body - The text of a message.
 * @csspart code - A block of code in an answer.
 * @csspart code-language - The name of its language.
 * @csspart copy-code-button - Copies it.
 * @csspart link - A link in an answer.
 * @csspart message-reasoning - What the model thought before an answer, a `<details>`.
 * @csspart copy-button - Copies an answer.
 * @csspart edit-button - Takes a message of the visitor back into the text field.
 * @csspart edit-note - The line above the text field while a message is edited.
 * @csspart message-note - The line that says why an answer ended.
 * @csspart composer - The box around text field and button.
 * @csspart input - The text field.
 * @csspart button - Every button.
 * @csspart load-button - Loads the model, cancels the load.
 * @csspart retry-button - Tries again, or dismisses the error.
 * @csspart send-button - Sends; while an answer is written it is `stop-button`.
 * @csspart stop-button - Stops the answer.
 * @csspart regenerate-button - Writes the last answer again.
 * @csspart scroll-button - Leads to the newest message.
 * @csspart new-chat-button - Empties conversation and context.
 * @csspart status - The line with the model and what the last answer took.
 *
 * @cssprop [--gguf-chat-color-text=light-dark(#1d2029, #e7e9f0)] - Text.
 * @cssprop [--gguf-chat-color-muted=light-dark(#5b6172, #a2a8ba)] - Text of less weight.
 * @cssprop [--gguf-chat-color-background=light-dark(#ffffff, #15171e)] - Ground.
 * @cssprop [--gguf-chat-color-surface=light-dark(#f1f3f9, #232733)] - Ground of the visitor's messages.
 * @cssprop [--gguf-chat-color-border=light-dark(#dde0e9, #343948)] - Lines that only decorate.
 * @cssprop [--gguf-chat-color-control=light-dark(#83899b, #757c90)] - Outlines of controls.
 * @cssprop [--gguf-chat-color-accent=light-dark(#3a4fc4, #a9b8ff)] - Main buttons, focus, progress.
 * @cssprop [--gguf-chat-color-on-accent=light-dark(#ffffff, #141a3d)] - Text on the accent.
 * @cssprop [--gguf-chat-color-danger=light-dark(#b3261e, #ffb4ab)] - Errors.
 * @cssprop [--gguf-chat-font-family=system-ui, sans-serif] - Typeface.
 * @cssprop [--gguf-chat-font-size=1rem] - Size of the text.
 * @cssprop [--gguf-chat-radius=1rem] - Roundness.
 * @cssprop [--gguf-chat-spacing=1rem] - Distance between parts.
 * @cssprop [--gguf-chat-line-length=44rem] - Width of the conversation in a wide element.
 *
 * @cssState empty - No model is named.
 * @cssState idle - A model is named and not loaded.
 * @cssState loading - The model is being loaded.
 * @cssState ready - The model waits for a message.
 * @cssState generating - An answer is being written.
 * @cssState error - The model could not be loaded, or has stopped working.
 */
export class GgufChat extends LitElement {
  static override styles = styles;
  static readonly formAssociated = true;

  readonly #internals = this.attachInternals();
  readonly #session: ChatSession = new ChatController(this, {
    boot: (options) => this.bootRuntime(options),
    onEvent: (event) => this.#onSessionEvent(event),
    onStream: () => this.#onStream(),
  }).session;
  readonly #scroll = new StickToEnd(this, () => this.log);
  readonly #slowLoad = new DelayedFlag(this, () => this.status === 'loading');
  readonly #slowPrefill = new DelayedFlag(this, () => this.#session.prefill !== null);
  readonly #announcer = new Announcer(
    () => this.announcement,
    () => this.announce,
  );
  readonly #field = new FormField(this, this.#internals, {
    messages: () => this.messages,
    writing: () => this.status === 'generating',
    anchor: () => this.textarea,
  });
  readonly #trigger = new LoadTrigger(this, this.#session, {
    load: () => handled(this.load()),
    unload: () => handled(this.unload()),
  });
  readonly #library = new ModelLibrary(this, () => this.#session.runtime);
  #focused: Element | null = null;

  @query('.log') protected readonly log!: HTMLElement | null;
  @query('textarea') protected readonly textarea!: HTMLTextAreaElement | null;
  @query('.panel .button') protected readonly panelButton!: HTMLElement | null;
  @query('[role="status"]') protected readonly announcement!: HTMLElement | null;

  /** URL of the GGUF file, or `hf:owner/repository/file.gguf`, or `hf:owner/repository:Q4_K_M`. Where a model was loaded before, a new one is loaded at once; an empty one unloads. */
  @property() src = '';
  /** When the model is loaded: on `interaction`, when the element is `visible`, or `eager`: at once. */
  @property() loading: Loading = 'interaction';
  /** The accessible name of the chat. */
  @property() label = '';
  /** What the empty text field says. */
  @property() placeholder = '';
  /** Instructions for the model, before the conversation. */
  @property({attribute: 'system-prompt'}) systemPrompt = '';
  /** Positions of the context, from the next load on; by default what the model was trained for, at most 4096. */
  @property({attribute: 'context-length', converter: optionalNumber}) contextLength: number | undefined;
  /** Most tokens of an answer; by default until the model ends it or the context is full. */
  @property({attribute: 'max-tokens', converter: optionalNumber}) maxTokens: number | undefined;
  /** 0, the default, always takes the most probable token; higher is more varied. */
  @property({converter: optionalNumber}) temperature: number | undefined;
  /** Choose among that many most probable tokens; 0, the default: among all. */
  @property({attribute: 'top-k', converter: optionalNumber}) topK: number | undefined;
  /** Choose among the most probable tokens that together reach this probability; 1 by default: among all. */
  @property({attribute: 'top-p', converter: optionalNumber}) topP: number | undefined;
  /** Leave out tokens less probable than this share of the most probable one; 0 by default: none. */
  @property({attribute: 'min-p', converter: optionalNumber}) minP: number | undefined;
  /** Makes recent tokens less probable; 1 by default: not at all. */
  @property({attribute: 'repeat-penalty', converter: optionalNumber}) repeatPenalty: number | undefined;
  /** Where chance begins, 1 by default: the same seed and conversation give the same answer. */
  @property({converter: optionalNumber}) seed: number | undefined;
  /** The key that sends: `enter`, or `mod-enter`: Ctrl+Enter or ⌘+Enter. */
  @property({attribute: 'submit-on'}) submitOn: SubmitOn = 'enter';
  /** What a screen reader hears of an answer: the whole `message`, each `sentence`, or nothing (`off`). */
  @property() announce: Announce = 'message';
  /** Shows answers as they were written, without Markdown. */
  @property({type: Boolean, attribute: 'without-markdown'}) withoutMarkdown = false;
  /** Shows no figures under the conversation. */
  @property({type: Boolean, attribute: 'without-stats'}) withoutStats = false;
  /** Visitors cannot write or load; scripts can. A disabled `<fieldset>` around it does the same. */
  @property({type: Boolean, reflect: true}) disabled = false;
  /** The name of the chat in the data of a form; the value is `messages` as JSON, up to the last whole answer. */
  @property({reflect: true, converter: {toAttribute: (name: string) => name || null}}) name = '';
  /** The form around it is not valid while the conversation is empty. */
  @property({type: Boolean, reflect: true}) required = false;
  /** URL of a same-origin `gguf-chat.worker.js`, for pages that forbid Workers from `blob:`. Read when the Worker starts. */
  @property({attribute: 'worker-src'}) workerSrc = '';
  /**
   * Over how many Workers, and so cores, models are divided: 1 to 16, or `auto`, the default: as many as make a model fastest.
   * Answers are the same for any number. From the next load on.
   */
  @property({converter: numberOrAuto}) shards: number | 'auto' = 'auto';
  /** Chat template in Jinja instead of the model's own, or `chatml`; from the next load on. */
  @property({attribute: 'chat-template'}) chatTemplate = '';
  /** SHA-256 that the model must have, as in HTML: `sha256-` and base64. One that has another is not used. */
  @property() integrity = '';
  /** Does not keep the model on the device: it is downloaded each time. */
  @property({type: Boolean, attribute: 'without-cache'}) withoutCache = false;
  /** Where `hf:` sources are looked up instead of the public hub: a mirror. */
  @property({attribute: 'hf-endpoint'}) hfEndpoint = '';
  /** How the server of the model is asked: `{headers, credentials, timeoutMs, retryDelaysMs}`. */
  @property({attribute: false}) request: RequestSettings = {};
  /** Further variables for the chat template, such as `{enable_thinking: false}`. */
  @property({attribute: false}) templateVariables: TemplateVariables = {};
  /** Makes nodes of the code in an answer, to be shown in place of its text: `(code, language) => Node`. */
  @property({attribute: false}) highlightCode: HighlightCode | null = null;
  /** Strings that end an answer; they are not part of it. */
  @property({attribute: false}) stopSequences: readonly string[] = [];

  constructor() {
    super();
    this.#internals.states.add(this.status);
  }

  /** The conversation: `{id, role, content, reasoning?, finishReason?, usage?}[]`. Setting it stops an answer under way. */
  get messages(): readonly TranscriptMessage[] {
    return this.#session.messages;
  }
  set messages(messages: readonly (Omit<TranscriptMessage, 'id'> & {readonly id?: string})[]) {
    this.#session.messages = messages;
  }
  /** What is written in the text field and not sent. */
  get draft(): string {
    return this.#session.draft;
  }
  set draft(draft: string) {
    this.#session.draft = draft;
    this.requestUpdate();
  }
  /** `empty`, `idle`, `loading`, `ready`, `generating` or `error`. */
  get status(): ChatStatus {
    return this.#session.status;
  }
  /** What is known of the resident model; `null` without one. */
  get model(): ModelInfo | null {
    return this.#session.model;
  }
  /** Of the load under way: `{phase, loadedBytes, totalBytes, ratio}`; else `null`. */
  get progress(): ChatLoadProgress | null {
    return this.#session.progress;
  }
  /** Tokens of the last answer and its prompt; `null` before. */
  get usage(): Usage | null {
    return this.#session.usage;
  }
  /** The last failure, with `code`, `name` and `message`; `null` when something works again. */
  get error(): GgufError | null {
    return this.#session.error;
  }
  /** The headless runtime, for whatever the element does not offer; `null` before the first load. */
  get runtime(): ChatRuntime | null {
    return this.#session.runtime;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#adopt('messages');
    this.#adopt('draft');
  }

  /** Of the form around it: the conversation begins anew, the model stays. */
  protected formResetCallback(): void {
    this.draft = '';
    handled(this.#startNewChat());
  }

  protected formDisabledCallback(): void {
    this.requestUpdate();
  }

  /** The browser brings a page back, or fills a form in again. */
  protected formStateRestoreCallback(state: string | File | FormData | null): void {
    this.#session.messages = this.#field.restored(state);
  }

  protected override willUpdate(): void {
    this.#focused = this.shadowRoot?.activeElement ?? this.#focusedSlotted();
  }

  protected override updated(changed: PropertyValues<this>): void {
    if (samplingAttributes.some((name) => changed.has(name)))
      handled(this.#session.configureSampling(this.#samplingSettings()));
    this.#keepFocus();
  }

  #focusedSlotted(): Element | null {
    const {activeElement} = document;
    return activeElement !== this && this.contains(activeElement) ? activeElement : null;
  }

  /** What was pressed may be gone or hidden, and the focus must not be. */
  #keepFocus(): void {
    if (!this.#focused || this.#focused.checkVisibility()) return;
    // What the page put into a slot made way for the conversation; the text field would open the keyboard of a phone.
    if (this.contains(this.#focused)) this.log?.focus();
    else this.focus();
  }

  /** Starts the runtime. Override it to run the model elsewhere. */
  protected bootRuntime(options: BootOptions): Promise<ChatRuntime> {
    return bootShared(options);
  }

  /** Sets anew what a page set before the tag was defined; Lit does it for the properties that it declares. */
  #adopt<Name extends 'messages' | 'draft'>(name: Name): void {
    if (!Object.hasOwn(this, name)) return;
    const value = this[name];
    Reflect.deleteProperty(this, name);
    this[name] = value;
  }

  #samplingSettings(): Partial<SamplingSettings> {
    const given = samplingAttributes.filter((name) => this[name] !== undefined);
    return Object.fromEntries(given.map((name) => [name, this[name]]));
  }

  #sendOptions(): SendOptions {
    const {maxTokens, systemPrompt, stopSequences: stop, templateVariables} = this;
    return {systemPrompt, stop, templateVariables, ...(maxTokens === undefined ? {} : {maxTokens})};
  }

  #onSessionEvent(event: SessionEvent): void {
    if (event.type === 'status') {
      this.#internals.states.delete(event.previous);
      this.#internals.states.add(event.status);
    }
    this.#announcer.handle(event);
    const domEvent = toDomEvent(event);
    if (domEvent) this.dispatchEvent(domEvent);
  }

  /** Once per frame while an answer grows: writes what is new into its one element. */
  #onStream(): void {
    const body = this.renderRoot.querySelector<HTMLElement>('.message[data-growing] > .body');
    const message = this.messages.at(-1);
    if (body && message) this.#writeOn(body, message);
    this.#scroll.follow();
  }

  #writeOn(body: HTMLElement, message: TranscriptMessage): void {
    const text = shownText(message);
    if (isMarkdown(message, this.withoutMarkdown)) {
      setMarkdown(body, text, {growing: true, onCode: this.#onCode});
    } else setText(body, text);
  }

  readonly #onCode = (code: HTMLElement, language: string): void => {
    if (this.highlightCode) handled(highlight(code, language, this.highlightCode));
  };

  readonly #onKeydown = (event: KeyboardEvent): void => {
    const busy = this.status === 'generating' || this.status === 'loading';
    if (event.key === 'Escape' && !busy && this.#session.editing !== null && !isComposing(event)) {
      event.preventDefault();
      this.#session.cancelEdit();
      return;
    }
    if (event.key !== 'Escape' || !busy || isComposing(event)) return;
    // Else the dialog that the chat may be in would close as well.
    event.preventDefault();
    handled(this.stop());
  };

  readonly #submit = (): void => {
    if (!this.#canSend) return;
    const options = this.#sendOptions();
    this.#scroll.toEnd();
    if (this.dispatchEvent(new GgufSendEvent({text: this.draft.trim(), options})))
      handled(this.#session.submit(options));
    else this.draft = '';
  };

  readonly #toEnd = (): void => {
    this.#scroll.toEnd();
    // The button goes; the text field, where the focus goes else, would open the keyboard of a phone.
    this.log?.focus();
  };

  get #canSend(): boolean {
    return this.status === 'ready' && !this.#field.disabled && this.draft.trim() !== '';
  }

  /**
   * Loads a model: a URL, a `File` or `Blob`, or an `ArrayBuffer` (which is transferred); by default `src`. Resolves when
   * it is ready, with `null` if `gguf-before-load` was cancelled. A newer load stops an older one.
   */
  async load(source?: ChatModelSource): Promise<ModelInfo | null> {
    this.#trigger.noteSource();
    const chosen = source ?? this.#session.source;
    this.#trigger.loadBegins();
    return this.#session.load(chosen, {
      ...this.#loadOptions(),
      beforeLoad: (plan) => {
        if (chosen === null) return true;
        const src = typeof chosen === 'string' || chosen instanceof URL ? String(chosen) : null;
        return this.dispatchEvent(new GgufBeforeLoadEvent({src, source: chosen, plan}));
      },
    });
  }

  #loadOptions(): SlotLoadOptions {
    const {contextLength, workerSrc, shards, chatTemplate, integrity, withoutCache, request} = this;
    const {hfEndpoint: hubEndpoint} = this;
    return {
      ...(contextLength === undefined ? {} : {contextLength}),
      ...(workerSrc === '' ? {} : {workerSrc}),
      ...(chatTemplate === '' ? {} : {chatTemplate}),
      ...(integrity === '' ? {} : {integrity}),
      ...(hubEndpoint === '' ? {} : {hubEndpoint}),
      shards,
      withoutCache,
      request,
    };
  }

  /** Frees the model. The conversation stays. */
  unload(): Promise<void> {
    return this.#session.unload();
  }

  /**
   * Sends a message and resolves with the answer, complete or as far as it was written when it was stopped; with `null` if
   * `gguf-send` was cancelled. Rejects while there is no model or another answer is being written. `options` override the
   * attributes: `{systemPrompt, maxTokens, stop, sampling, signal}`.
   */
  async send(text: string, options: SendOptions = {}): Promise<TranscriptMessage | null> {
    const all = {...this.#sendOptions(), ...options};
    if (!this.dispatchEvent(new GgufSendEvent({text, options: all}))) return null;
    return this.#session.send(text, all);
  }

  /** Stops the answer, or the load, under way. What was written stays, and `send()` resolves with it. */
  stop(): Promise<void> {
    return this.#session.stop();
  }

  /** Writes the last answer again, each time with the next seed. Takes the options of `send()`. */
  regenerate(options: SendOptions = {}): Promise<TranscriptMessage> {
    return this.#session.regenerate({...this.#sendOptions(), ...options});
  }

  /** Empties the context in the Worker: the next message is read from the beginning. The conversation stays. */
  resetContext(): Promise<void> {
    return this.#session.resetContext();
  }

  /** Empties the conversation. The context and the model stay. */
  clear(): Promise<void> {
    return this.#session.clear();
  }

  /** Focuses the text field, or the button of the load panel while there is no model. */
  override focus(options?: FocusOptions): void {
    (this.model ? this.textarea : (this.panelButton ?? this.textarea))?.focus(options);
  }

  protected override render(): TemplateResult {
    const {status, model, messages, error} = this;
    const {disabled} = this.#field;
    const bare = messages.length === 0;
    const needsModel = status === 'loading' || (!model && !error);
    const stageTaken = bare && !model && (needsModel || error !== null);
    return html`
      <section part="base" class="base" aria-label=${this.label || strings.chat} @keydown=${this.#onKeydown}>
        <slot name="header"></slot>
        ${transcript({
          messages,
          generating: status === 'generating',
          canRegenerate: this.#session.canRegenerate && !disabled,
          away: !this.#scroll.following,
          hidden: stageTaken,
          onScroll: this.#scroll.scrolled,
          onToEnd: this.#toEnd,
          onRegenerate: () => handled(this.regenerate()),
          onClick: (event) => onAnswerClick(this, event),
          onCopy: (message, button) => handled(copyText(shownText(message), button)),
          onEdit: ({id}) => this.#edit(id),
          canEdit: status === 'ready' && !disabled,
          plain: this.withoutMarkdown,
          onCode: this.#onCode,
        })}
        ${needsModel ? this.#renderLoadPanel(!stageTaken) : nothing}
        ${needsModel ? this.#renderLibrary() : nothing}
        ${error ? this.#renderError(error, !stageTaken || needsModel) : nothing} ${this.#renderComposer()}
        ${this.#renderStatus()}
        <slot name="footer"></slot>
        <div role="status" class="visually-hidden" aria-atomic="false"></div>
      </section>
    `;
  }

  #renderLoadPanel(compact: boolean): TemplateResult {
    return loadPanel({
      compact,
      status: this.status,
      sourceName: sourceName(this.#session.source),
      progress: this.progress,
      inspection: this.#session.inspection,
      slow: this.#slowLoad.raised,
      disabled: this.#field.disabled,
      onLoad: () => handled(this.load()),
      onCancel: () => handled(this.stop()),
      onConsider: () => handled(this.#consider()),
    });
  }

  /** What a model would take, and what is on the device, is shown to those who come near the button. */
  async #consider(): Promise<void> {
    if (this.#field.disabled) return;
    await this.#session.consider(this.#loadOptions());
    await this.#library.refresh();
  }

  #renderLibrary(): TemplateResult {
    const {models} = this.#library;
    return html`<slot name="library">
      ${libraryPanel({
        models,
        disabled: this.#field.disabled,
        onRemove: (id) => handled(this.#library.remove(id)),
      })}
    </slot>`;
  }

  #renderError(error: GgufError, compact: boolean): TemplateResult {
    return errorPanel({
      error,
      compact,
      canRetry: this.status === 'error',
      onRetry: () => handled(this.load()),
      onDismiss: () => this.#session.dismissError(),
    });
  }

  #renderComposer(): TemplateResult {
    return composer({
      draft: this.draft,
      placeholder: this.placeholder || strings.placeholder,
      submitOn: this.submitOn,
      disabled: this.#field.disabled || this.status === 'empty',
      canSend: this.#canSend,
      generating: this.status === 'generating',
      onDraft: (draft) => (this.draft = draft),
      onSend: this.#submit,
      onStop: () => handled(this.stop()),
      editing: this.#session.editing !== null,
      onCancelEdit: () => this.#session.cancelEdit(),
      onEditLast: () => this.#edit(this.messages.findLast(({role}) => role === 'user')?.id),
    });
  }

  /** The message goes into the text field, with the focus. */
  #edit(id: string | undefined): void {
    if (id === undefined || this.status !== 'ready' || this.#field.disabled) return;
    this.#session.edit(id);
    this.textarea?.focus();
  }

  #renderStatus(): TemplateResult {
    const {prefill, timings, source} = this.#session;
    return statusLine({
      status: this.status,
      model: this.model,
      modelName: sourceName(source),
      prefill: this.#slowPrefill.raised ? prefill : null,
      usage: this.usage,
      timings,
      withoutStats: this.withoutStats,
      canClear: this.messages.length > 0 && !this.#field.disabled,
      onNewChat: () => handled(this.#startNewChat()),
    });
  }

  async #startNewChat(): Promise<void> {
    await this.clear();
    if (this.model) await this.resetContext();
  }
}

const samplingAttributes = ['temperature', 'topK', 'topP', 'minP', 'repeatPenalty', 'seed'] as const;

/** For what the visitor began: its failure has been reported by `gguf-error` and is on display. */
function handled(action: Promise<unknown>): void {
  action.catch(() => undefined);
}

declare global {
  interface HTMLElementTagNameMap {
    'gguf-chat': GgufChat;
  }
}
