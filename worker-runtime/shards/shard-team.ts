import type {CompiledCore, Core} from '../core/core.ts';
import {GgufError} from '../errors.ts';
import type {TensorInfo} from '../gguf/header.ts';
import type {DecoderSpec} from '../model/decoder-spec.ts';
import type {Layout, LayoutSettings} from '../model/layout.ts';
import type {OtherShards, RowsOnTheirWay} from '../model/load-weights.ts';
import type {RunExchange} from './exchange.ts';
import {PortExchange} from './port-exchange.ts';
import {ShardGroup} from './shard-group.ts';
import type {Conductor} from './shard-group.ts';
import type {FromShard, ShardSetup, ToShard} from './shard-messages.ts';
import type {ShardTask} from './shard-task.ts';
import {spawnShardWorker} from './shard-worker.ts';
import {Share} from './share.ts';

/** Rows on their way to one shard; more would only wait in its queue. */
const mostUnderWay = 8 * 2 ** 20;

interface TeamOptions {
  readonly compiled: CompiledCore;
  readonly spec: DecoderSpec;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly settings: LayoutSettings;
  /** Of all shards, the first one's included. */
  readonly layouts: readonly Layout[];
}

/**
 * The Workers of the shards behind the first, as the first one sees them. Any of them that ends ends all: the model is of
 * no use without its rows.
 */
export class ShardTeam implements OtherShards, Conductor {
  readonly destinations: OtherShards['destinations'];
  readonly #members: readonly Member[];
  readonly #options: TeamOptions;
  readonly #ownPorts: readonly (MessagePort | null)[];
  #exchange: RunExchange | null = null;
  #epoch = 0;
  #failure: GgufError | null = null;

  private constructor(members: readonly Member[], ports: readonly (MessagePort | null)[], options: TeamOptions) {
    this.#members = members;
    this.#ownPorts = ports;
    this.#options = options;
    this.destinations = options.layouts.slice(1).map(({decoder}) => decoder.destinations);
    for (const member of members) member.onFailure = (error) => this.#fail(error);
  }

  /**
   * Starts the Workers, and waits until each has its memory.
   *
   * @throws {GgufError} `shard-failed`, `memory-refused`
   */
  static async start(options: TeamOptions): Promise<ShardTeam> {
    const {compiled, spec, tensors, settings, layouts} = options;
    const ports = mesh(layouts.length);
    const members: Member[] = [];
    try {
      for (let index = 1; index < layouts.length; index++) members.push(new Member(spawnShardWorker()));
      const {variant, module, dotMode, sha256} = compiled;
      const core = {variant, module, dotMode, sha256};
      await Promise.all(
        members.map((member, index) => {
          const own = ports[index + 1] ?? [];
          const setup: ShardSetup = {index: index + 1, count: layouts.length, core, spec, tensors, settings, ports: own};
          return member.askReady(
            {kind: 'set-up', setup},
            own.filter((port) => port !== null),
          );
        }),
      );
    } catch (error) {
      for (const member of members) member.terminate();
      throw error;
    }
    return new ShardTeam(members, ports[0] ?? [], options);
  }

  /** Bytes of the WebAssembly memories of the others. */
  get wasmBytes(): number {
    return this.#members.reduce((sum, {wasmBytes}) => sum + wasmBytes, 0);
  }

  sendRows(shard: number, rows: RowsOnTheirWay): void | Promise<void> {
    this.#requireWhole();
    const member = this.#members[shard];
    if (!member) throw new RangeError(`there is no shard ${shard + 1}`);
    return member.sendRows(rows);
  }

  sendVector(tensor: string, bytes: Uint8Array<ArrayBuffer>): void {
    for (const member of this.#members) member.post({kind: 'vector', tensor, bytes});
  }

  /** When all weights were sent. @returns what the first shard computes with */
  async ready(core: Core): Promise<ShardGroup> {
    await Promise.all(this.#members.map((member) => member.askReady({kind: 'start'})));
    const {layouts, spec} = this.#options;
    const [own] = layouts;
    if (!own) throw new RangeError('the first shard has no layout');
    const exchange = new PortExchange(core, this.#ownPorts);
    this.#exchange = exchange;
    const share = new Share(0, layouts.length);
    return ShardGroup.of(share, core.exports, own.decoder.scratch, spec.embeddingLength, exchange, this);
  }

  async together<T>(task: ShardTask, work: () => Promise<T>): Promise<T> {
    this.#requireWhole();
    const epoch = ++this.#epoch;
    this.#exchange?.begin(epoch);
    for (const member of this.#members) member.post({kind: 'task', epoch, task});
    try {
      return await work();
    } catch (error) {
      for (const member of this.#members) member.post({kind: 'cancel', epoch});
      throw error;
    }
  }

  /** Ends the Workers; their memory goes with them. */
  terminate(): void {
    for (const member of this.#members) member.terminate();
    this.#exchange?.close();
  }

  #requireWhole(): void {
    if (this.#failure) throw this.#failure;
  }

  #fail(error: GgufError): void {
    this.#failure ??= error;
    for (const member of this.#members) member.fail(this.#failure);
    this.#exchange?.fail(this.#failure);
    this.terminate();
  }
}

/** One Worker. */
class Member {
  onFailure: (error: GgufError) => void = () => undefined;
  wasmBytes = 0;
  readonly #worker: Worker;
  #ready: {resolve: () => void; reject: (error: Error) => void} | null = null;
  #underWay = 0;
  #room: {resolve: () => void; reject: (error: Error) => void} | null = null;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.addEventListener('message', ({data}: MessageEvent<FromShard>) => this.#take(data));
    worker.addEventListener('error', ({message}) => {
      const why = message || 'its script did not load';
      this.#end(new GgufError('shard-failed', `A Worker with a part of the model has ended: ${why}`));
    });
  }

  post(message: ToShard, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  askReady(message: ToShard, transfer: Transferable[] = []): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#ready = {resolve, reject};
      this.post(message, transfer);
    });
  }

  sendRows(rows: RowsOnTheirWay): void | Promise<void> {
    this.#underWay += rows.bytes.length;
    this.post({kind: 'rows', rows}, [rows.bytes.buffer]);
    if (this.#underWay <= mostUnderWay) return;
    return new Promise((resolve, reject) => (this.#room = {resolve, reject}));
  }

  fail(error: GgufError): void {
    this.#ready?.reject(error);
    this.#room?.reject(error);
    this.#ready = null;
    this.#room = null;
  }

  terminate(): void {
    this.#worker.terminate();
  }

  #take(message: FromShard): void {
    switch (message.kind) {
      case 'ready':
        this.wasmBytes = message.wasmBytes;
        this.#ready?.resolve();
        this.#ready = null;
        break;
      case 'stored':
        this.#underWay -= message.bytes;
        if (this.#underWay > mostUnderWay) break;
        this.#room?.resolve();
        this.#room = null;
        break;
      case 'failed':
        this.#end(GgufError.fromData(message.error));
    }
  }

  #end(error: GgufError): void {
    this.fail(error);
    this.onFailure(error);
  }
}

/** For each of `count` shards its ports to the others, `null` in its own place. */
function mesh(count: number): (MessagePort | null)[][] {
  const ports = Array.from({length: count}, () => new Array<MessagePort | null>(count).fill(null));
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) {
      const {port1, port2} = new MessageChannel();
      (ports[a] ?? [])[b] = port1;
      (ports[b] ?? [])[a] = port2;
    }
  }
  return ports;
}
