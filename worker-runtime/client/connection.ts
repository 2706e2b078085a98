import {GgufError} from '../errors.ts';
import type {CommandKind, Commands, NotificationOf, Request, Response, ResultOf} from '../protocol.ts';

/** What the connection needs of a Worker; a test may give a fake one. */
export interface WorkerLike {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<Response>) => void): void;
  addEventListener(type: 'error' | 'messageerror', listener: (event: Event) => void): void;
  terminate(): void;
}

interface Pending {
  readonly onResponse: (response: Response) => void;
  readonly onFailure: (error: GgufError) => void;
}

export interface SentRequest<K extends CommandKind> {
  readonly id: number;
  readonly result: Promise<Commands[K]['result']>;
}

interface RequestOptions<K extends CommandKind> {
  readonly transfer?: Transferable[];
  readonly onNotification?: (notification: Commands[K]['notifications']) => void;
}

function answers<K extends CommandKind>(
  response: Response,
  kind: K,
): response is Response & (ResultOf<K> | NotificationOf<K>) {
  return response.type !== 'error' && response.kind === kind;
}

/** Requests and their answers over one Worker: IDs, notifications, errors, the end of the Worker. */
export class Connection {
  readonly #worker: WorkerLike;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #ended: GgufError | undefined;

  constructor(worker: WorkerLike) {
    this.#worker = worker;
    worker.addEventListener('message', (event) => this.#pending.get(event.data.id)?.onResponse(event.data));
    worker.addEventListener('error', (event) => {
      const reason =
        event instanceof ErrorEvent && event.message ? event.message : 'the script could not be loaded';
      this.#end(new GgufError('worker-failed', `The runtime Worker failed: ${reason}`));
    });
    worker.addEventListener('messageerror', () =>
      this.#end(new GgufError('worker-failed', 'A message of the runtime Worker could not be read')),
    );
  }

  /** Sends a command. Rejects with a {@link GgufError}. */
  request<K extends CommandKind>(
    kind: K,
    params: Commands[K]['params'],
    {transfer = [], onNotification}: RequestOptions<K> = {},
  ): SentRequest<K> {
    const id = this.#nextId++;
    const result = new Promise<Commands[K]['result']>((resolve, reject) => {
      if (this.#ended) throw this.#ended;
      const onFailure = (error: GgufError): void => {
        this.#pending.delete(id);
        reject(error);
      };
      const onResponse = (response: Response): void => {
        if (response.type === 'error') onFailure(GgufError.fromData(response.error));
        else if (!answers(response, kind))
          onFailure(new GgufError('invalid-message', `Expected an answer to ${kind}`));
        else if (response.type === 'notification') onNotification?.(response.notification);
        else {
          this.#pending.delete(id);
          resolve(response.result);
        }
      };
      this.#pending.set(id, {onResponse, onFailure});
      try {
        this.#worker.postMessage({type: 'request', id, kind, params} as Request, transfer);
      } catch (cause) {
        onFailure(
          new GgufError('invalid-message', `The parameters of ${kind} cannot be sent to the Worker`, {cause}),
        );
      }
    });
    return {id, result};
  }

  /** Ends the Worker at once; every request under way is rejected with `terminated`. */
  terminate(): void {
    this.#end(new GgufError('terminated', 'The runtime was terminated'));
  }

  #end(error: GgufError): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#worker.terminate();
    for (const {onFailure} of [...this.#pending.values()]) onFailure(error);
  }
}
