import {GgufError} from '../errors.ts';
import type {RowsOnTheirWay} from '../model/load-weights.ts';
import {hasLifelines, watchLifeline} from './lifeline.ts';
import type {FromShard, ShardSetup, ShardStatistics, ToShard} from './shard-messages.ts';

/** Rows on their way to one shard; more would only wait in its queue. */
const mostUnderWay = 8 * 2 ** 20;

interface Awaited<T = void> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: GgufError) => void;
}

/** The Worker of a shard behind the first. */
export class ShardMember {
  /** Called once, when the Worker has ended or says that it cannot go on. */
  onFailure: (error: GgufError) => void = () => undefined;
  readonly #worker: Worker;
  readonly #index: number;
  readonly #lifeline = `gguf-chat shard ${crypto.getRandomValues(new Uint32Array(4)).join('-')}`;
  readonly #watching = new AbortController();
  #wasmBytes = 0;
  #ready: Awaited | null = null;
  #bytesUnderWay = 0;
  #room: Awaited | null = null;
  /** Those who wait for statistics, first come first served. */
  #statistics: Awaited<ShardStatistics>[] = [];

  /** @throws {GgufError} `shard-failed` where the page forbids another Worker */
  constructor(spawn: () => Worker, index: number) {
    this.#index = index;
    try {
      this.#worker = spawn();
    } catch (cause) {
      throw this.#failure(cause instanceof Error ? cause.message : String(cause));
    }
    this.#worker.addEventListener('message', ({data}: MessageEvent<FromShard>) => this.#take(data));
    this.#worker.addEventListener('error', ({message}) => {
      this.#end(this.#failure(message || 'its script did not load'));
    });
  }

  /** Bytes of its WebAssembly memory. */
  get wasmBytes(): number {
    return this.#wasmBytes;
  }

  async setUp(setup: Omit<ShardSetup, 'lifeline'>, transfer: Transferable[]): Promise<void> {
    const lifeline = hasLifelines() ? this.#lifeline : null;
    await this.#ask({kind: 'set-up', setup: {...setup, lifeline}}, transfer);
    if (!lifeline) return;
    watchLifeline(lifeline, this.#watching.signal, () => this.#end(this.#failure('it is gone')));
  }

  /** When all weights were sent. */
  start(): Promise<void> {
    return this.#ask({kind: 'start'});
  }

  askStatistics(): Promise<ShardStatistics> {
    return new Promise((resolve, reject) => {
      this.#statistics.push({resolve, reject});
      this.post({kind: 'ask-statistics'});
    });
  }

  post(message: ToShard, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  /** Gives a promise where the shard has to catch up first. */
  sendRows(rows: RowsOnTheirWay): void | Promise<void> {
    this.#bytesUnderWay += rows.bytes.length;
    this.post({kind: 'rows', rows}, [rows.bytes.buffer]);
    if (this.#bytesUnderWay <= mostUnderWay) return;
    return new Promise((resolve, reject) => (this.#room = {resolve, reject}));
  }

  /** What is waited for fails. */
  fail(error: GgufError): void {
    this.#ready?.reject(error);
    this.#room?.reject(error);
    for (const {reject} of this.#statistics) reject(error);
    this.#ready = null;
    this.#room = null;
    this.#statistics = [];
  }

  terminate(): void {
    this.#watching.abort();
    this.#worker.terminate();
    this.fail(this.#failure('it was ended'));
  }

  #ask(message: ToShard, transfer: Transferable[] = []): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#ready = {resolve, reject};
      this.post(message, transfer);
    });
  }

  #take(message: FromShard): void {
    switch (message.kind) {
      case 'ready':
        this.#wasmBytes = message.wasmBytes;
        this.#ready?.resolve();
        this.#ready = null;
        break;
      case 'stored':
        this.#bytesUnderWay -= message.bytes;
        if (this.#bytesUnderWay > mostUnderWay) break;
        this.#room?.resolve();
        this.#room = null;
        break;
      case 'statistics':
        this.#statistics.shift()?.resolve(message.statistics);
        break;
      case 'failed':
        this.#end(GgufError.fromData(message.error));
    }
  }

  #end(error: GgufError): void {
    this.fail(error);
    this.onFailure(error);
  }

  #failure(why: string): GgufError {
    return new GgufError(
      'shard-failed',
      `The Worker of part ${this.#index + 1} of the model has ended: ${why}`,
    );
  }
}
