import type {ErrorData} from '../../worker-runtime/errors.ts';
import {protocolVersion} from '../../worker-runtime/protocol.ts';
import type {CommandKind, Commands, Response} from '../../worker-runtime/protocol.ts';

/** What a request ended with. */
export type Outcome<K extends CommandKind> =
  {readonly result: Commands[K]['result']} | {readonly error: ErrorData};

/** The runtime's Worker without its client: sends any message and keeps every answer, in order. */
export class RawWorker {
  readonly received: Response[] = [];
  readonly #worker = new Worker(new URL('../../worker-runtime/worker.ts', import.meta.url), {type: 'module'});
  readonly #listeners = new Set<() => void>();
  #nextId = 1;

  constructor() {
    this.#worker.addEventListener('message', ({data}: MessageEvent<Response>) => {
      this.received.push(data);
      for (const listener of this.#listeners) listener();
    });
  }

  static async booted(): Promise<RawWorker> {
    const worker = new RawWorker();
    await worker.result('boot', {protocolVersion});
    return worker;
  }

  post(message: unknown, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  /** Sends a request and returns its ID. `params` may be what the protocol forbids. */
  send(kind: string, params: unknown, transfer: Transferable[] = []): number {
    const id = this.#nextId++;
    this.post({type: 'request', id, kind, params}, transfer);
    return id;
  }

  /** The first message that `matches`, now or later. */
  async message(matches: (response: Response) => boolean): Promise<Response> {
    for (;;) {
      const found = this.received.find(matches);
      if (found) return found;
      await new Promise<void>((resolve) => {
        const listener = (): void => {
          this.#listeners.delete(listener);
          resolve();
        };
        this.#listeners.add(listener);
      });
    }
  }

  /** The terminal answer to request `id`. */
  async outcome<K extends CommandKind>(id: number): Promise<Outcome<K>> {
    const answer = await this.message((response) => response.id === id && response.type !== 'notification');
    if (answer.type === 'error') return {error: answer.error};
    if (answer.type === 'result') return {result: answer.result as Commands[K]['result']};
    throw new Error('unreachable');
  }

  /** Sends a request that must succeed. */
  async result<K extends CommandKind>(
    kind: K,
    params: Commands[K]['params'],
    transfer: Transferable[] = [],
  ): Promise<Commands[K]['result']> {
    const outcome = await this.outcome<K>(this.send(kind, params, transfer));
    if ('result' in outcome) return outcome.result;
    throw new Error(`${kind} failed: ${outcome.error.message}`);
  }

  /** Sends a request that must be refused. */
  async error(kind: string, params: unknown): Promise<ErrorData> {
    const outcome = await this.outcome(this.send(kind, params));
    if ('error' in outcome) return outcome.error;
    throw new Error(`${kind} was not refused`);
  }

  terminate(): void {
    this.#worker.terminate();
  }
}
