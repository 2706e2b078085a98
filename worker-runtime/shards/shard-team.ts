import type {CompiledCore, Core} from '../core/core.ts';
import type {GgufError} from '../errors.ts';
import type {TensorInfo} from '../gguf/header.ts';
import type {DecoderSpec} from '../model/decoder-spec.ts';
import type {Layout, LayoutSettings} from '../model/layout.ts';
import type {OtherShards, RowsOnTheirWay} from '../model/load-weights.ts';
import {Cancelled} from '../scheduler.ts';
import type {Rows} from '../model/scratch.ts';
import type {RunExchange} from './exchange.ts';
import {ShardGroup} from './shard-group.ts';
import type {Conductor} from './shard-group.ts';
import {ShardMember} from './shard-member.ts';
import type {ShardSetup, ShardStatistics, Transport} from './shard-messages.ts';
import type {ShardTask} from './shard-task.ts';
import {Share} from './share.ts';
import {bestTransport, createExchange, createTransports, transferablesOf} from './transport.ts';
import type {TransportKind} from './transport.ts';

interface TeamOptions {
  readonly compiled: CompiledCore;
  /** Of the first shard. */
  readonly core: Core;
  readonly spec: DecoderSpec;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly settings: LayoutSettings;
  /** Of all shards, the first one's included. */
  readonly layouts: readonly Layout[];
  /** Starts a Worker of the runtime's script under the name of a shard. */
  readonly spawn: () => Worker;
  readonly yieldToMessages: () => Promise<void>;
  /** Aborted while they start, it ends them. */
  readonly signal: AbortSignal;
}

/** Behind a run that was cancelled, others may have counted one step more, and wait for the next. */
const stepsBehindCancel = 4;

/**
 * The Workers of the shards behind the first, as the first one sees them. Any of them that ends ends all: the model is of
 * no use without its rows.
 */
export class ShardTeam implements OtherShards, Conductor {
  readonly transport: TransportKind;
  /** What the first shard computes with. */
  readonly group: ShardGroup;
  readonly destinations: OtherShards['destinations'];
  readonly #members: readonly ShardMember[];
  readonly #exchange: RunExchange;
  readonly #hidden: Rows;
  #epoch = 0;
  #nextStep = 0;
  #failure: GgufError | null = null;

  private constructor(members: readonly ShardMember[], transport: Transport, options: TeamOptions) {
    const {layouts, core, spec, yieldToMessages} = options;
    const [own] = layouts;
    if (!own) throw new RangeError('the first shard has no layout');
    const {scratch} = own.decoder;
    const share = new Share(0, layouts.length);
    this.#members = members;
    this.transport = transport.kind;
    this.destinations = layouts.slice(1).map(({decoder}) => decoder.destinations);
    this.#exchange = createExchange(transport, core, share, yieldToMessages);
    this.#hidden = scratch.rows('hidden', spec.embeddingLength);
    this.group = ShardGroup.of(share, core.exports, scratch, spec.embeddingLength, this.#exchange, this);
    for (const member of members) member.onFailure = (error) => this.#fail(error);
  }

  /**
   * Starts the Workers, and waits until each has its memory.
   *
   * @throws {GgufError} `shard-failed`, `memory-refused`
   */
  static async start(options: TeamOptions): Promise<ShardTeam> {
    const {layouts, spawn, signal} = options;
    const [own, ...others] = createTransports(bestTransport(), layouts.length);
    if (!own) throw new RangeError('a team has at least one shard');
    const members: ShardMember[] = [];
    const terminate = (): void => members.forEach((member) => member.terminate());
    signal.addEventListener('abort', terminate);
    try {
      for (let index = 1; index < layouts.length; index++) members.push(new ShardMember(spawn, index));
      await Promise.all(
        others.map((transport, index) =>
          members[index]?.setUp(setupOf(options, index + 1, transport), transferablesOf(transport)),
        ),
      );
    } catch (error) {
      terminate();
      throw error;
    } finally {
      signal.removeEventListener('abort', terminate);
    }
    return new ShardTeam(members, own, options);
  }

  /** Bytes of the WebAssembly memories of the others. */
  get wasmBytes(): number {
    return this.#members.reduce((sum, {wasmBytes}) => sum + wasmBytes, 0);
  }

  /** Of the other shards. @throws {GgufError} `shard-failed` */
  async askStatistics(): Promise<readonly ShardStatistics[]> {
    this.#requireWhole();
    return Promise.all(this.#members.map((member) => member.askStatistics()));
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

  /** When all weights were sent. @throws {GgufError} `shard-failed` */
  async ready(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.start()));
    this.#requireWhole();
  }

  /** The time of an exchange of one vector, milliseconds: the mean of `count`, after as many to warm up. */
  async timeExchanges(count: number): Promise<number> {
    const run = (): Promise<void> =>
      this.together({step: 'exchange', count}, () => this.group.sumRepeatedly(this.#hidden, count));
    await run();
    const started = performance.now();
    await run();
    return (performance.now() - started) / count;
  }

  async together<T>(task: ShardTask, work: () => Promise<T>): Promise<T> {
    this.#requireWhole();
    const exchange = this.#exchange;
    const epoch = ++this.#epoch;
    const firstStep = this.#nextStep;
    exchange.begin(epoch, firstStep);
    for (const member of this.#members) member.post({kind: 'task', epoch, firstStep, task});
    try {
      const result = await work();
      this.#nextStep = exchange.step;
      return result;
    } catch (error) {
      this.#nextStep = (exchange.step + stepsBehindCancel) | 0;
      for (const member of this.#members) member.post({kind: 'cancel', epoch});
      exchange.fail(new Cancelled());
      throw this.#failure ?? error;
    }
  }

  /** Ends the Workers; their memory goes with them. */
  terminate(): void {
    for (const member of this.#members) member.terminate();
    this.#exchange.close();
  }

  #requireWhole(): void {
    if (this.#failure) throw this.#failure;
  }

  #fail(error: GgufError): void {
    if (this.#failure) return;
    this.#failure = error;
    for (const member of this.#members) member.fail(error);
    this.#exchange.fail(error);
    this.terminate();
  }
}

function setupOf(
  {compiled, spec, tensors, settings, layouts}: TeamOptions,
  index: number,
  transport: Transport,
): Omit<ShardSetup, 'lifeline'> {
  const {variant, module, dotMode, sha256} = compiled;
  const core = {variant, module, dotMode, sha256};
  return {index, count: layouts.length, core, spec, tensors, settings, transport};
}
