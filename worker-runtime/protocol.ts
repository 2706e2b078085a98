/**
 * The messages between the page and the runtime Worker, version 1.
 *
 * A request carries an ID and ends with exactly one response, `result` or `error`; `notification`s of that ID come
 * only before it. Cancellation is a result, not an error. No message holds a pointer, an offset or a view into
 * WebAssembly memory: models, sequences and runs are named by opaque handles whose generation makes a stale one
 * recognisable. Buffers given to the Worker are transferred, once.
 *
 * Times are milliseconds, sizes are bytes, both as numbers.
 */
import type {ErrorData} from './errors.ts';

export const protocolVersion = 1;

/** An opaque name for something the Worker owns. `generation` tells a reused `id` from the original. */
export interface Handle<Kind extends string> {
  readonly kind: Kind;
  readonly id: number;
  readonly generation: number;
}
export type ModelHandle = Handle<'model'>;
export type SequenceHandle = Handle<'sequence'>;

// ---- values -----------------------------------------------------------------------------------------------------

/**
 * Where a model's bytes come from: a URL (of the first part, where it is divided into several files), `hf:owner/repository/file.gguf`,
 * `hf:owner/repository:Q4_K_M`, a Blob, which is read where it lies, or an `ArrayBuffer`, which is transferred.
 */
export type ModelSource = string | Blob | ArrayBuffer;

/**
 * Element type of the KV cache: 4, about 2 or, for `q8_0`, 1.0625 bytes a value (8-bit integers, 32 of which share an
 * f16 scale; heads whose length is not a multiple of 32 end with a shorter group).
 */
export type KvType = 'f32' | 'f16' | 'q8_0';

/**
 * How the states of a text's tokens become its embedding: their mean, that of the first token (`cls`) or of the last one.
 * `none` gives those of all tokens, one after the other.
 */
export type Pooling = 'mean' | 'cls' | 'last' | 'none';

/** Which of the two cores runs: chosen at boot from what the engine supports and computes exactly. */
export type CoreVariant = 'baseline' | 'relaxed';

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool' | (string & {});
  readonly content: string;
  /** What an assistant thought before it said that; chat templates may use it, most of them of the last answer only. */
  readonly reasoning?: string;
}

/** All sampling settings; see {@link defaultSampling} for the values a fresh runtime has. */
export interface SamplingSettings {
  /** ≥ 0; 0 is greedy: the most probable token, lowest ID on ties. */
  readonly temperature: number;
  /** Integer ≥ 0; keeps the K most probable tokens; 0 keeps all. */
  readonly topK: number;
  /** (0, 1]; keeps the smallest set of tokens whose probability reaches this; 1 keeps all. */
  readonly topP: number;
  /** [0, 1]; drops tokens less probable than this share of the most probable one; 0 keeps all. */
  readonly minP: number;
  /** > 0; divides (multiplies, where negative) the logits of recent tokens; 1 changes nothing. */
  readonly repeatPenalty: number;
  /** Integer ≥ 0; how many of the last tokens the repeat penalty looks at. */
  readonly repeatLastN: number;
  /** Integer in [0, 2^53); the same seed gives the same tokens in every engine. */
  readonly seed: number;
}

export const defaultSampling: SamplingSettings = {
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  repeatPenalty: 1,
  repeatLastN: 64,
  seed: 1,
};

export type FinishReason = 'stop' | 'length' | 'cancelled' | 'context-full';

/** Exact bytes by kind, known from the header before anything is allocated. */
export interface MemoryPlan {
  /** Weights in compute format, by GGUF tensor type, e.g. `{"Q8_0": 224000000, "F32": 90112}`. */
  readonly weights: Readonly<Record<string, number>>;
  readonly kvCache: number;
  /** Activations, quantised activations, staging for the load. */
  readonly scratch: number;
  readonly logits: number;
  /** The whole of the WebAssembly memory, rounded up to pages. */
  readonly total: number;
}

export interface ModelInfo {
  readonly model: ModelHandle;
  /** The default sequence, used where a command names none. */
  readonly sequence: SequenceHandle;
  readonly name: string | null;
  readonly architecture: string;
  readonly parameterCount: number;
  /** Tensor types and how many tensors have each, e.g. `{"Q8_0": 210, "F32": 61}`. */
  readonly tensorTypes: Readonly<Record<string, number>>;
  /** Bytes of the file; `null` where the source did not say. */
  readonly fileBytes: number | null;
  readonly vocabularySize: number;
  readonly layerCount: number;
  readonly embeddingLength: number;
  /** Positions of the KV cache of a sequence. */
  readonly contextLength: number;
  /** Positions that the model was trained for. */
  readonly trainingContextLength: number;
  readonly kvType: KvType;
  /** Whether it can generate; encoders cannot. */
  readonly generates: boolean;
  /** How its file wants embeddings to be made; `null`: it is no embedding model. */
  readonly pooling: Pooling | null;
  readonly hasChatTemplate: boolean;
  /** Over how many Workers it is divided, the runtime's own included. */
  readonly shards: number;
  /** Of all shards together. */
  readonly memory: MemoryPlan;
  readonly timings: {readonly headerMs: number; readonly tensorsMs: number; readonly totalMs: number};
}

export interface Usage {
  readonly promptTokens: number;
  /** Prompt tokens whose KV entries were there already (the longest common prefix of the context). */
  readonly cachedTokens: number;
  readonly completionTokens: number;
  /** Positions in use after the run, and how many there are. */
  readonly contextUsed: number;
  readonly contextLength: number;
}

export interface Timings {
  /** From the start of the run to the end of the prefill. */
  readonly prefillMs: number;
  /** From the first token to the first one of what the model says, or to the last; `null` where it did not think. */
  readonly reasoningMs: number | null;
  /** From the start of the run to the first token; `null` if there was none. */
  readonly firstTokenMs: number | null;
  /** From the first token to the last one. */
  readonly decodeMs: number;
  readonly totalMs: number;
}

export interface TokenCandidate {
  readonly id: number;
  readonly logprob: number;
}

/**
 * One generated token. `text` is what it adds to the answer: empty while a character or a stop string is incomplete.
 * An end-of-generation token appears only where it releases such text; it is not part of the result's `tokens`.
 */
export interface TokenEvent {
  readonly id: number;
  readonly text: string;
  /** What it adds to what the model thinks, instead; left out where that is nothing. */
  readonly reasoning?: string;
  /** 0 for the first generated token. */
  readonly index: number;
  readonly logprob?: number;
  readonly top?: readonly TokenCandidate[];
}

/** Values as JSON has them, by the names that a chat template reads. */
export type TemplateVariables = Readonly<Record<string, unknown>>;

export interface GenerateParams {
  readonly sequence?: SequenceHandle;
  /** Exactly one of `messages`, `prompt` and `tokens`. */
  readonly messages?: readonly ChatMessage[];
  /** Descriptions of tools, for the chat template. */
  readonly tools?: readonly unknown[];
  /** Further variables of the chat template, such as `enable_thinking`; with `messages` only. */
  readonly templateVariables?: TemplateVariables;
  /** Raw text; BOS is added as the file says, special tokens are parsed. */
  readonly prompt?: string;
  /** Token IDs, taken as they are. */
  readonly tokens?: readonly number[];
  /** Integer ≥ 1; without it, until the model stops or the context is full. */
  readonly maxTokens?: number;
  /** Strings that end the answer; they are not part of it. */
  readonly stop?: readonly string[];
  /** Overrides of the configured sampling for this run alone. */
  readonly sampling?: Partial<SamplingSettings>;
  /** Integer in [0, 20]: log-probabilities of that many best tokens with every token. */
  readonly topLogprobs?: number;
  readonly ignoreEndOfGeneration?: boolean;
}

export interface EmbedParams {
  /** Texts, with special tokens as the file says; or token IDs, taken as they are. */
  readonly texts: readonly (string | readonly number[])[];
  /** Instead of what the file says. */
  readonly pooling?: Pooling;
  /** Whether embeddings get the length 1; default `true`. */
  readonly normalize?: boolean;
  /** Integer ≥ 1, the most tokens of a step; results do not depend on it. */
  readonly sliceLength?: number;
}

export interface GenerateResult {
  readonly text: string;
  /** What the model thought before, for models whose chat template sets that apart; `null` where it did not. */
  readonly reasoning: string | null;
  readonly tokens: readonly number[];
  readonly finishReason: FinishReason;
  readonly usage: Usage;
  readonly timings: Timings;
}

/** How a server is asked, beside the URL. */
export interface RequestSettings {
  readonly headers?: Readonly<Record<string, string>>;
  /** As for `fetch`; by default `same-origin`. */
  readonly credentials?: 'omit' | 'same-origin' | 'include';
  /** A connection that gives nothing for so long is taken for broken; by default 30 seconds. */
  readonly timeoutMs?: number;
  /** Times to wait before each further attempt to go on where a connection broke; by default six, half a minute in all. */
  readonly retryDelaysMs?: readonly number[];
}

/** A model, or a part of one, that this site keeps on the device. */
export interface StoredModel {
  readonly id: string;
  readonly url: string;
  /** `installed`: can be loaded, also offline. `partial`: the rest is still to be downloaded. `quarantined`: was not what it should be. */
  readonly state: 'installed' | 'partial' | 'quarantined';
  /** On the device, and of the whole file where that is known. */
  readonly bytes: number;
  readonly totalBytes: number | null;
  /** In hexadecimal, of what is whole. */
  readonly sha256: string | null;
  /** Milliseconds since 1970. */
  readonly addedAt: number;
  readonly usedAt: number;
}

/** What the store takes, and what the browser grants this site for everything. */
export interface StoreEstimate {
  readonly modelBytes: number;
  readonly usedBytes: number;
  readonly quotaBytes: number;
  /** Whether the browser has promised not to clear it when space is short. */
  readonly persisted: boolean;
}

export interface LoadParams {
  readonly source: ModelSource;
  /** SHA-256 that the file must have: `sha256-` and base64, or hexadecimal. */
  readonly integrity?: string;
  /** Never reads or writes the store on the device. */
  readonly withoutCache?: boolean;
  /** For a source that is a URL. */
  readonly request?: RequestSettings;
  /** Where `hf:` sources are looked up; by default the public hub. */
  readonly hubEndpoint?: string;
  /** Positions of the KV cache; default: the model's training context, at most 4096. */
  readonly contextLength?: number;
  /** A chat template in Jinja instead of the file's, or `chatml`, the most common one. */
  readonly chatTemplate?: string;
  /** Instead of what `boot` was told. */
  readonly shards?: number | 'auto';
  /** Element type of the KV cache, default `f16`; in encoders `f32`, since they need it for one layer at a time. */
  readonly kvType?: KvType;
}

export interface InspectParams extends Pick<
  LoadParams,
  'contextLength' | 'kvType' | 'shards' | 'chatTemplate' | 'request' | 'hubEndpoint'
> {
  readonly source: string | Blob;
}

/** What a model is and takes, from its header alone. */
export interface ModelInspection {
  /** Why it cannot be loaded; `null` where it can. */
  readonly refusal: ErrorData | null;
  /** `null` where it cannot be loaded. */
  readonly model: InspectedModel | null;
  /** Bytes of the file; `null` where the source does not say. */
  readonly fileBytes: number | null;
  /** Bytes before the weights. */
  readonly headerBytes: number;
  /** Whether it is on the device already: nothing has to be downloaded. */
  readonly stored: boolean;
}

export interface InspectedModel extends Omit<ModelInfo, 'model' | 'sequence' | 'timings'> {
  /** Bytes of the WebAssembly memory of each shard: as many as were asked for, one for `auto`. */
  readonly memoryByShard: readonly number[];
  /** The longest context that WebAssembly can address, at most that of the training. */
  readonly largestContextLength: number;
}

export interface LoadProgress {
  /** `waiting`: another tab downloads the same model. */
  readonly phase: 'waiting' | 'header' | 'tensors' | 'warm-up';
  readonly loadedBytes: number;
  /** `null` until the length is known. */
  readonly totalBytes: number | null;
}

/** Schema of `diagnostics`, version 1. Counters only grow, for the life of the Worker. */
export interface Diagnostics {
  readonly schema: 1;
  readonly protocolVersion: number;
  /** Version of this package, i.e. the source revision. */
  readonly version: string;
  readonly core: {
    readonly variant: CoreVariant;
    /** How the engine's relaxed dot reads the top bit of 8-bit weights, as probed at boot; `null` in the baseline core. */
    readonly relaxedDot: 'signed' | 'unsigned' | 'saturating' | null;
    /** SHA-256 of the core's bytes, hexadecimal. */
    readonly sha256: string | null;
  };
  readonly environment: {
    readonly userAgent: string;
    readonly hardwareConcurrency: number;
    readonly crossOriginIsolated: boolean;
  };
  /** How the resident model is divided; `null` without one. */
  readonly shards: {
    /** What the shards exchange over; `null`: there is only one. */
    readonly transport: 'ports' | 'shared' | null;
    /** The runtime's own shard first. */
    readonly each: readonly {
      readonly wasmBytes: number;
      /** Since the model was loaded, and their time: sending, waiting for the others, receiving. */
      readonly exchanges: number;
      readonly exchangeMs: number;
    }[];
  } | null;
  readonly model: ModelInfo | null;
  readonly memory: {
    readonly plan: MemoryPlan | null;
    /** Bytes of WebAssembly memory in use now, and the most there ever were. */
    readonly wasmBytes: number;
    readonly wasmHighWaterBytes: number;
    readonly kvUsedBytes: number;
  };
  readonly sampling: SamplingSettings;
  readonly counters: {
    readonly requests: number;
    readonly errors: number;
    readonly cancels: number;
    readonly loads: number;
    readonly promptTokens: number;
    readonly cachedTokens: number;
    readonly generatedTokens: number;
  };
  /** What the runtime is doing: requests under way, by kind. */
  readonly running: readonly string[];
  /** What was wanted and not available, e.g. `"relaxed SIMD: not supported, baseline core"`. */
  readonly fallbacks: readonly string[];
}

// ---- commands ---------------------------------------------------------------------------------------------------

/** `params` go in, `result` comes out; `notifications` are what may come before the result. */
export interface Commands {
  boot: {
    params: {
      readonly protocolVersion: number;
      readonly core?: CoreVariant;
      readonly shards?: number | 'auto';
    };
    result: {readonly version: string; readonly core: CoreVariant};
    notifications: never;
  };
  'load-model': {
    params: LoadParams;
    result: ModelInfo;
    notifications: {readonly kind: 'progress'; readonly payload: LoadProgress};
  };
  /** Reads the header only. */
  inspect: {
    params: InspectParams;
    result: ModelInspection;
    notifications: never;
  };
  'configure-sampling': {
    params: Partial<SamplingSettings>;
    result: SamplingSettings;
    notifications: never;
  };
  generate: {
    params: GenerateParams;
    result: GenerateResult;
    notifications:
      | {
          readonly kind: 'prefill';
          readonly payload: {readonly done: number; readonly total: number; readonly cached: number};
        }
      | {readonly kind: 'token'; readonly payload: TokenEvent};
  };
  /** Cancels the request `target` of any kind. `found` is false when it had already ended. */
  cancel: {
    params: {readonly target: number};
    result: {readonly found: boolean};
    notifications: never;
  };
  /** Empties the context (the KV cache) of a sequence; the transcript is the page's, the model stays resident. */
  'reset-context': {
    params: {readonly sequence?: SequenceHandle};
    result: {readonly sequence: SequenceHandle};
    notifications: never;
  };
  /** A conversation of its own with the resident model. Answers of several are written one after the other. */
  'open-sequence': {
    params: Record<string, never>;
    result: {readonly sequence: SequenceHandle};
    notifications: never;
  };
  /** Ends one that was opened. */
  'close-sequence': {
    params: {readonly sequence: SequenceHandle};
    result: {readonly sequence: SequenceHandle};
    notifications: never;
  };
  'free-model': {
    params: {readonly model?: ModelHandle};
    result: {readonly freedBytes: number};
    notifications: never;
  };
  diagnostics: {
    params: Record<string, never>;
    result: Diagnostics;
    notifications: never;
  };
  tokenize: {
    params: {readonly text: string; readonly addSpecial?: boolean; readonly parseSpecial?: boolean};
    result: {readonly tokens: readonly number[]};
    notifications: never;
  };
  detokenize: {
    params: {readonly tokens: readonly number[]};
    result: {readonly text: string};
    notifications: never;
  };
  'apply-template': {
    params: {
      readonly messages: readonly ChatMessage[];
      readonly tools?: readonly unknown[];
      readonly variables?: TemplateVariables;
      readonly addGenerationPrompt?: boolean;
    };
    result: {readonly text: string};
    notifications: never;
  };
  /** Logits after each of `tokens`, from an empty context of its own; the conversation's context is emptied first. */
  evaluate: {
    params: {
      readonly tokens: readonly number[];
      readonly sequence?: SequenceHandle;
      readonly sliceLength?: number;
    };
    result: {readonly logits: Float32Array<ArrayBuffer>; readonly vocab: number} | {readonly cancelled: true};
    notifications: never;
  };
  /** The models on the device, those used last first. */
  'list-stored': {
    params: Record<string, never>;
    result: {readonly models: readonly StoredModel[]; readonly available: boolean};
    notifications: never;
  };
  /** `name`: an ID or a URL. */
  'remove-stored': {
    params: {readonly name: string};
    result: {readonly freedBytes: number};
    notifications: never;
  };
  'estimate-store': {
    params: Record<string, never>;
    result: StoreEstimate;
    notifications: never;
  };
  /** An embedding of each text: `(embeddingLength)`, or `(tokens, embeddingLength)` without pooling. Contexts stay as they are. */
  embed: {
    params: EmbedParams;
    result: {readonly embeddings: readonly Float32Array<ArrayBuffer>[]} | {readonly cancelled: true};
    notifications: never;
  };
}

export type CommandKind = keyof Commands;

// ---- messages ---------------------------------------------------------------------------------------------------

export type RequestOf<K extends CommandKind> = {
  readonly type: 'request';
  readonly id: number;
  readonly kind: K;
  readonly params: Commands[K]['params'];
};
export type Request = {[K in CommandKind]: RequestOf<K>}[CommandKind];

export type ResultOf<K extends CommandKind> = {
  readonly type: 'result';
  readonly id: number;
  readonly kind: K;
  readonly result: Commands[K]['result'];
};
export type NotificationOf<K extends CommandKind> = {
  readonly type: 'notification';
  readonly id: number;
  readonly kind: K;
  readonly notification: Commands[K]['notifications'];
};
export interface ErrorResponse {
  readonly type: 'error';
  readonly id: number;
  readonly error: ErrorData;
}

export type Response = {[K in CommandKind]: ResultOf<K> | NotificationOf<K>}[CommandKind] | ErrorResponse;
