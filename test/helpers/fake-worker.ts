import type {WorkerLike} from '../../worker-runtime/client/connection.ts';
import type {Response} from '../../worker-runtime/protocol.ts';

/** A Worker whose answers and failures a test decides. */
export class FakeWorker implements WorkerLike {
  readonly sent: {readonly id: number; readonly kind: string; readonly params: unknown}[] = [];
  readonly transferred: Transferable[] = [];
  terminations = 0;
  readonly #events = new EventTarget();

  postMessage(message: unknown, transfer: Transferable[]): void {
    // Refuses what a real one would.
    this.sent.push(structuredClone(message, {transfer}) as (typeof this.sent)[number]);
    this.transferred.push(...transfer);
  }

  addEventListener(type: 'message', listener: (event: MessageEvent<Response>) => void): void;
  addEventListener(type: 'error' | 'messageerror', listener: (event: Event) => void): void;
  addEventListener(type: string, listener: ((event: MessageEvent<Response>) => void) & EventListener): void {
    this.#events.addEventListener(type, listener);
  }

  terminate(): void {
    this.terminations++;
  }

  answer(response: Response): void {
    this.fire(new MessageEvent('message', {data: response}));
  }

  fire(event: Event): void {
    this.#events.dispatchEvent(event);
  }
}
