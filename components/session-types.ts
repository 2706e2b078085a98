import type {
  GenerateOptions,
  GenerateResult,
  GgufError,
  GgufRuntime,
  LoadProgress,
  ModelInfo,
  ModelSource,
  TokenEvent,
} from '../worker-runtime/client/index.ts';
import type {FinishReason, Usage} from '../worker-runtime/protocol.ts';

/**
 * - `empty`: no model and none named
 * - `idle`: a model is named, not loaded
 * - `loading`: it is being loaded
 * - `ready`: a model is resident and nothing is being generated
 * - `generating`: an answer is being written
 * - `error`: the last load failed, or the runtime died; no model is resident
 *
 * A refused prompt or setting leaves the status at `ready`: the model still works.
 */
export type ChatStatus = 'empty' | 'idle' | 'loading' | 'ready' | 'generating' | 'error';

/** A message of the transcript. Never changed in place: a longer answer is a new object with the same `id`. */
export interface TranscriptMessage {
  readonly id: string;
  readonly role: 'system' | 'user' | 'assistant' | 'tool' | (string & {});
  readonly content: string;
  /** What the model thought before it said that, where its chat template sets thoughts apart. */
  readonly reasoning?: string;
  /** Of an answer: how it ended; `error` for one that a failure cut short. Absent while it is being written. */
  readonly finishReason?: FinishReason | 'error';
  readonly usage?: Usage;
}

export interface ChatLoadProgress extends LoadProgress {
  /** 0 to 1; `null` until the length of the file is known. */
  readonly ratio: number | null;
  /** How fast the file comes; `null` in the first second. */
  readonly bytesPerSecond: number | null;
}

/** Tokens of the prompt that are read, of all. */
export interface PrefillProgress {
  readonly done: number;
  readonly total: number;
}

/** What can be given to `load()`. */
export type ChatModelSource = ModelSource | URL;

/** The part of {@link GgufRuntime} that a chat is made of; its class has private state, this can be stood in for. */
export type ChatRuntime = Pick<GgufRuntime, keyof GgufRuntime>;

export interface SendOptions extends Pick<
  GenerateOptions,
  'maxTokens' | 'stop' | 'sampling' | 'tools' | 'templateVariables' | 'signal'
> {
  /** Goes before the transcript as a message of role `system`. */
  readonly systemPrompt?: string;
}

/** What a session tells its owner, in the order in which it happens. */
export type SessionEvent =
  | {readonly type: 'change'}
  | {readonly type: 'status'; readonly status: ChatStatus; readonly previous: ChatStatus}
  | {readonly type: 'progress'; readonly progress: ChatLoadProgress}
  | {readonly type: 'load'; readonly model: ModelInfo}
  | {readonly type: 'unload'; readonly freedBytes: number}
  | {readonly type: 'message'; readonly message: TranscriptMessage}
  | {readonly type: 'generate-start'; readonly message: TranscriptMessage}
  | {readonly type: 'token'; readonly token: TokenEvent; readonly message: TranscriptMessage}
  | {readonly type: 'generate-end'; readonly message: TranscriptMessage; readonly result: GenerateResult}
  | {readonly type: 'error'; readonly error: GgufError};
