import type {Core} from '../core/core.ts';
import {byteCount} from './exchange.ts';
import type {RunExchange, Segment} from './exchange.ts';

/** What one shard tells another at a point of a run. */
interface ExchangeMessage {
  readonly epoch: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A swap that waits for others. */
interface Waiting {
  readonly segments: readonly (readonly Segment[])[];
  readonly missing: Set<number>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * Exchange over a mesh of MessagePorts: on any page. A message that comes early waits in a queue; one of a run that was
 * cancelled is dropped.
 */
export class PortExchange implements RunExchange {
  readonly #core: Core;
  readonly #index: number;
  readonly #ports: readonly (MessagePort | null)[];
  readonly #arrived: readonly ExchangeMessage[][];
  /** Ports keep messages in order: nothing is counted. */
  readonly step = 0;
  #epoch = 0;
  #failure: Error | null = null;
  #waiting: Waiting | null = null;

  /** @param ports to the other shards, `null` in the place of this one */
  constructor(core: Core, ports: readonly (MessagePort | null)[]) {
    this.#core = core;
    this.#ports = ports;
    this.#index = ports.indexOf(null);
    this.#arrived = ports.map(() => []);
    ports.forEach((port, shard) => {
      port?.addEventListener('message', ({data}: MessageEvent<ExchangeMessage>) => this.#take(shard, data));
      port?.start();
    });
  }

  begin(epoch: number): void {
    this.#epoch = epoch;
    this.#failure = null;
  }

  fail(error: Error): void {
    this.#failure = error;
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting?.reject(error);
  }

  swap(segments: readonly (readonly Segment[])[]): void | Promise<void> {
    this.#send(segments, this.#ports);
    return this.#receive(segments);
  }

  collect(segments: readonly (readonly Segment[])[]): void | Promise<void> {
    if (this.#index === 0) return this.#receive(segments);
    this.#send(segments, this.#ports.slice(0, 1));
  }

  close(): void {
    for (const port of this.#ports) port?.close();
  }

  #send(segments: readonly (readonly Segment[])[], ports: readonly (MessagePort | null)[]): void {
    const own = segments[this.#index] ?? [];
    if (byteCount(own) === 0) return;
    const bytes = new Uint8Array(byteCount(own));
    let offset = 0;
    for (const {pointer, bytes: count} of own) {
      bytes.set(this.#core.u8(pointer, count), offset);
      offset += count;
    }
    const message: ExchangeMessage = {epoch: this.#epoch, bytes};
    const peers = ports.filter((port) => port !== null);
    // The last one gets the buffer itself.
    peers.forEach((port, index) =>
      port.postMessage(message, index === peers.length - 1 ? [bytes.buffer] : []),
    );
  }

  #receive(segments: readonly (readonly Segment[])[]): void | Promise<void> {
    if (this.#failure) throw this.#failure;
    const missing = new Set<number>();
    segments.forEach((own, shard) => {
      if (shard === this.#index || byteCount(own) === 0) return;
      const message = this.#next(shard);
      if (message) this.#write(own, message.bytes);
      else missing.add(shard);
    });
    if (missing.size === 0) return;
    return new Promise((resolve, reject) => {
      this.#waiting = {segments, missing, resolve, reject};
    });
  }

  /** The next message of this run from a shard, if it is there. */
  #next(shard: number): ExchangeMessage | undefined {
    const queue = this.#arrived[shard] ?? [];
    while (queue[0] && queue[0].epoch < this.#epoch) queue.shift();
    return queue[0]?.epoch === this.#epoch ? queue.shift() : undefined;
  }

  #take(shard: number, message: ExchangeMessage): void {
    const waiting = this.#waiting;
    if (!waiting?.missing.has(shard) || message.epoch !== this.#epoch) {
      this.#arrived[shard]?.push(message);
      return;
    }
    this.#write(waiting.segments[shard] ?? [], message.bytes);
    waiting.missing.delete(shard);
    if (waiting.missing.size > 0) return;
    this.#waiting = null;
    waiting.resolve();
  }

  #write(segments: readonly Segment[], bytes: Uint8Array): void {
    let offset = 0;
    for (const {pointer, bytes: count} of segments) {
      this.#core.u8(pointer, count).set(bytes.subarray(offset, offset + count));
      offset += count;
    }
  }
}
