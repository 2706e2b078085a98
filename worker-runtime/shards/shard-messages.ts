/**
 * The messages between the runtime Worker, which is the first shard, and the Workers of the other shards. What they
 * compute with goes over an `Exchange` instead.
 */
import type {ErrorData} from '../errors.ts';
import type {TensorInfo} from '../gguf/header.ts';
import type {DecoderSpec} from '../model/decoder-spec.ts';
import type {LayoutSettings} from '../model/layout.ts';
import type {RowsOnTheirWay} from '../model/load-weights.ts';
import type {CoreVariant} from '../protocol.ts';
import type {ShardTask} from './shard-task.ts';

export interface ShardSetup {
  readonly index: number;
  readonly count: number;
  readonly core: {
    readonly variant: CoreVariant;
    readonly module: WebAssembly.Module;
    readonly dotMode: number;
    readonly sha256: string;
  };
  readonly spec: DecoderSpec;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly settings: LayoutSettings;
  readonly transport: Transport;
  /** The name of the lock that tells of its end, where the browser has locks. */
  readonly lifeline: string | null;
}

/** Of one shard, since it was loaded. */
export interface ShardStatistics {
  readonly wasmBytes: number;
  readonly exchanges: number;
  /** Time in exchanges: sending, waiting for the others, receiving. */
  readonly exchangeMs: number;
}

/** What the shards exchange over. */
export type Transport =
  | {
      readonly kind: 'ports';
      /** To the other shards, `null` in the place of this one. */
      readonly ports: readonly (MessagePort | null)[];
    }
  | {readonly kind: 'shared'; readonly memory: SharedArrayBuffer};

export interface TaskMessage {
  readonly kind: 'task';
  readonly epoch: number;
  readonly firstStep: number;
  readonly task: ShardTask;
}

export type ToShard =
  /** Answered by `ready`: its memory is there. */
  | {readonly kind: 'set-up'; readonly setup: ShardSetup}
  /** Answered by `stored`. */
  | {readonly kind: 'rows'; readonly rows: RowsOnTheirWay}
  | {readonly kind: 'vector'; readonly tensor: string; readonly bytes: Uint8Array<ArrayBuffer>}
  /** All weights are there. Answered by `ready`. */
  | {readonly kind: 'start'}
  | TaskMessage
  | {readonly kind: 'cancel'; readonly epoch: number}
  /** Answered by `statistics`, at once unless it computes. */
  | {readonly kind: 'ask-statistics'};

export type FromShard =
  | {readonly kind: 'ready'; readonly wasmBytes: number}
  | {readonly kind: 'statistics'; readonly statistics: ShardStatistics}
  | {readonly kind: 'stored'; readonly bytes: number}
  | {readonly kind: 'failed'; readonly error: ErrorData};
