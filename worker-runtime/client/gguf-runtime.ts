import {GgufError} from '../errors.ts';
import {protocolVersion} from '../protocol.ts';
import type {
  ChatMessage,
  Commands,
  CoreVariant,
  Diagnostics,
  EmbedParams,
  GenerateParams,
  KvType,
  InspectParams,
  LoadProgress,
  ModelInfo,
  ModelInspection,
  ModelSource,
  RequestSettings,
  SamplingSettings,
  SequenceHandle,
  TemplateVariables,
} from '../protocol.ts';
import {Connection} from './connection.ts';
import {GenerationRun} from './generation-run.ts';
import {spawnWorker} from './spawn.ts';
import {storedModels} from './stored-models.ts';
import type {StoredModels} from './stored-models.ts';

export interface BootOptions {
  /** URL of a same-origin copy of `gguf-chat.worker.js`, for pages whose CSP forbids `blob:` Workers. */
  readonly workerSrc?: string | URL;
  /** Forces one of the two cores; by default the fastest that computes exactly. */
  readonly core?: CoreVariant;
  /**
   * Over how many Workers, and so cores, models are divided: 1 to 16, or `auto`, the default: as many as make a model fastest.
   * The answers are the same for any number.
   */
  readonly shards?: number | 'auto';
  readonly signal?: AbortSignal;
}

export interface LoadOptions {
  /** Positions of the KV cache; by default the model's training context, at most 4096. */
  readonly contextLength?: number;
  /** Element type of the KV cache: `f16` by default; `q8_0` takes little more than half of that. */
  readonly kvType?: KvType;
  /** A chat template in Jinja instead of the file's, or `chatml`, the most common one. */
  readonly chatTemplate?: string;
  /** Instead of what `boot` was told. */
  readonly shards?: number | 'auto';
  /** SHA-256 that the file must have: `sha256-` and base64, or hexadecimal. */
  readonly integrity?: string;
  /** Never reads or writes the store on the device; by default a model from a server is kept there. */
  readonly withoutCache?: boolean;
  /** How the server is asked, beside the URL. */
  readonly request?: RequestSettings;
  /** Where `hf:` sources are looked up; by default the public hub. */
  readonly hubEndpoint?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LoadProgress) => void;
}

export interface InspectOptions extends Omit<InspectParams, 'source'> {
  readonly signal?: AbortSignal;
}

export interface GenerateOptions extends GenerateParams {
  readonly signal?: AbortSignal;
  /** Positions of the prompt that are done, of `total`; `cached` of them were there before. */
  readonly onPrefill?: (progress: {
    readonly done: number;
    readonly total: number;
    readonly cached: number;
  }) => void;
}

/**
 * A language model in a Worker of its own: load a GGUF file, generate, stop at any moment. No DOM needed.
 *
 * Every method rejects with a {@link GgufError}; a refused file, prompt or setting leaves the accepted model in place.
 */
export class GgufRuntime {
  readonly #connection: Connection;
  /** The models that this site keeps on the device. */
  readonly store: StoredModels;
  /** Which of the two WebAssembly cores runs. */
  readonly core: CoreVariant;
  readonly version: string;

  private constructor(connection: Connection, {core, version}: Commands['boot']['result']) {
    this.#connection = connection;
    this.store = storedModels(connection);
    this.core = core;
    this.version = version;
  }

  /**
   * Starts the Worker and its core.
   *
   * @throws {GgufError} `worker-failed`, `unsupported-browser`, `protocol-version`; `terminated` when `signal` aborts it, an
   * `AbortError` where it had done so before
   */
  static async boot({workerSrc, signal, ...params}: BootOptions = {}): Promise<GgufRuntime> {
    signal?.throwIfAborted();
    const connection = new Connection(spawnWorker(workerSrc));
    const abort = (): void => connection.terminate();
    signal?.addEventListener('abort', abort);
    try {
      const {result} = connection.request('boot', {protocolVersion, ...params});
      return new GgufRuntime(connection, await result);
    } catch (error) {
      connection.terminate();
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /**
   * Loads a model and makes it the resident one; the model before stays until this one is ready. A newer load aborts an
   * older one. An `ArrayBuffer` is transferred: it is detached afterwards.
   *
   * @throws {GgufError} `load-aborted` after `signal` or a newer load; any of the network, storage, format, unsupported
   * and memory errors
   */
  async loadModel(source: ModelSource | URL, options: LoadOptions = {}): Promise<ModelInfo> {
    const {signal, onProgress, ...rest} = options;
    const params = {...rest, source: normalizeSource(source)};
    if (signal?.aborted) throw new GgufError('load-aborted', 'The load was aborted before it began');
    const {id, result} = this.#connection.request('load-model', params, {
      transfer: params.source instanceof ArrayBuffer ? [params.source] : [],
      onNotification: ({payload}) => onProgress?.(payload),
    });
    return this.#untilAborted(id, result, signal);
  }

  /**
   * What a model is and what it would take, from its header alone: architecture, memory, the longest context. Of a model on a
   * server a few megabytes at most are transferred; of one that is on the device, nothing.
   *
   * @throws {GgufError} of the source, or `load-aborted` after `signal`. A model that cannot be loaded is told in `refusal`
   */
  async inspect(source: string | URL | Blob, options: InspectOptions = {}): Promise<ModelInspection> {
    const {signal, ...rest} = options;
    if (signal?.aborted) throw new GgufError('load-aborted', 'The inspection was aborted before it began');
    const params = {...rest, source: normalizeSource(source) as string | Blob};
    const {id, result} = this.#connection.request('inspect', params);
    return this.#untilAborted(id, result, signal);
  }

  /** Changes the named settings and returns all of them. @throws {GgufError} `invalid-setting`; the old ones stay */
  configureSampling(settings: Partial<SamplingSettings>): Promise<SamplingSettings> {
    return this.#connection.request('configure-sampling', settings).result;
  }

  /** Begins an answer. Exactly one of `messages`, `prompt` and `tokens` is given. Errors reject `run.result`. */
  generate({signal, onPrefill, ...params}: GenerateOptions): GenerationRun {
    let id = 0;
    return new GenerationRun(
      (onToken) => {
        const sent = this.#connection.request('generate', params, {
          onNotification: ({kind, payload}) => (kind === 'token' ? onToken(payload) : onPrefill?.(payload)),
        });
        id = sent.id;
        return this.#untilAborted(id, sent.result, signal);
      },
      () => this.#cancel(id),
    );
  }

  /** Token IDs of `text`; by default without BOS/EOS, and special-token text is plain text. */
  async tokenize(
    text: string,
    options: {readonly addSpecial?: boolean; readonly parseSpecial?: boolean} = {},
  ): Promise<readonly number[]> {
    return (await this.#connection.request('tokenize', {text, ...options}).result).tokens;
  }

  async detokenize(tokens: readonly number[]): Promise<string> {
    return (await this.#connection.request('detokenize', {tokens}).result).text;
  }

  /** The prompt that the model's chat template makes of `messages`. @throws {GgufError} `chat-template` */
  async applyTemplate(
    messages: readonly ChatMessage[],
    options: {
      readonly tools?: readonly unknown[];
      readonly variables?: TemplateVariables;
      readonly addGenerationPrompt?: boolean;
    } = {},
  ): Promise<string> {
    return (await this.#connection.request('apply-template', {messages, ...options}).result).text;
  }

  /**
   * Logits after each of `tokens`: `(tokens.length, vocab)`, row-major. Empties the context of the sequence first.
   *
   * @throws {GgufError} `invalid-prompt`, `prompt-too-long`; an `AbortError` after `signal`
   */
  async evaluate(
    tokens: readonly number[],
    options: {
      readonly signal?: AbortSignal;
      readonly sliceLength?: number;
      readonly sequence?: SequenceHandle;
    } = {},
  ): Promise<{readonly logits: Float32Array<ArrayBuffer>; readonly vocab: number}> {
    const {signal, ...rest} = options;
    signal?.throwIfAborted();
    const {id, result} = this.#connection.request('evaluate', {tokens, ...rest});
    const evaluation = await this.#untilAborted(id, result, signal);
    if ('cancelled' in evaluation) throw new DOMException('The evaluation was aborted', 'AbortError');
    return evaluation;
  }

  /**
   * An embedding of each text: `(embeddingLength)`, of length 1; without pooling `(tokens, embeddingLength)`, row-major. The
   * context of a conversation stays as it is.
   *
   * @param texts texts, or token IDs
   * @throws {GgufError} `unsuitable-model` without a pooling, `invalid-prompt`, `prompt-too-long`, which name the text; an
   * `AbortError` after `signal`
   */
  async embed(
    texts: EmbedParams['texts'],
    options: Omit<EmbedParams, 'texts'> & {readonly signal?: AbortSignal} = {},
  ): Promise<readonly Float32Array<ArrayBuffer>[]> {
    const {signal, ...rest} = options;
    signal?.throwIfAborted();
    const {id, result} = this.#connection.request('embed', {texts, ...rest});
    const embedded = await this.#untilAborted(id, result, signal);
    if ('cancelled' in embedded) throw new DOMException('The embedding was aborted', 'AbortError');
    return embedded.embeddings;
  }

  /** Empties the context (KV cache); the model stays resident. Ends a run of that sequence first. */
  async resetContext(options: {readonly sequence?: SequenceHandle} = {}): Promise<void> {
    await this.#connection.request('reset-context', options).result;
  }

  /** Begins a conversation of its own with the resident model: give it to `generate` and the like. Answers wait for each other. */
  async openSequence(): Promise<SequenceHandle> {
    return (await this.#connection.request('open-sequence', {}).result).sequence;
  }

  /** Ends a conversation that was opened; its context is forgotten. */
  async closeSequence(sequence: SequenceHandle): Promise<void> {
    await this.#connection.request('close-sequence', {sequence}).result;
  }

  /** Frees the resident model; its run, if any, ends as cancelled. */
  async freeModel(): Promise<{readonly freedBytes: number}> {
    return this.#connection.request('free-model', {}).result;
  }

  diagnostics(): Promise<Diagnostics> {
    return this.#connection.request('diagnostics', {}).result;
  }

  /** Ends the Worker at once. Everything under way is rejected with `terminated`; nothing is left running. */
  terminate(): void {
    this.#connection.terminate();
  }

  async #cancel(target: number): Promise<void> {
    await this.#connection.request('cancel', {target}).result;
  }

  /** Sends `cancel` for the request when `signal` aborts; the request then ends by its own rules. */
  async #untilAborted<T>(id: number, result: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    // The request's own promise tells the outcome; the cancel can only fail together with it.
    const cancel = (): void => void this.#cancel(id).catch(() => undefined);
    if (signal?.aborted) cancel();
    signal?.addEventListener('abort', cancel);
    try {
      return await result;
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }
}

/** A Blob's Worker has no base URL, so URLs are made absolute on the page. */
function normalizeSource(source: ModelSource | URL): ModelSource {
  if (source instanceof Blob) return source;
  if (source instanceof ArrayBuffer) {
    if (source.byteLength > 0) return source;
    throw new GgufError('invalid-source', 'The ArrayBuffer is empty: it was transferred before', {
      field: 'source',
    });
  }
  const url = typeof source === 'string' || source instanceof URL ? String(source) : '';
  if (url === '' || !URL.canParse(url, globalThis.location.href)) {
    throw new GgufError('invalid-source', `Not a URL, Blob or ArrayBuffer: "${String(source)}"`, {
      field: 'source',
    });
  }
  return new URL(url, globalThis.location.href).href;
}
