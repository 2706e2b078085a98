import {arenaBase, pageBytes} from '../core/core-exports.ts';
import {Core, instantiateCore} from '../core/core.ts';
import type {TensorInfo} from '../gguf/header.ts';
import {Decoder} from '../model/decoder.ts';
import {planLayout} from '../model/layout.ts';
import type {Layout} from '../model/layout.ts';
import {storeRows, storeVector} from '../model/load-weights.ts';
import type {RowsOnTheirWay} from '../model/load-weights.ts';
import type {Destination} from '../model/weights.ts';
import {Cancelled} from '../scheduler.ts';
import type {RunExchange} from './exchange.ts';
import {ShardGroup} from './shard-group.ts';
import type {ShardSetup, ShardStatistics, TaskMessage} from './shard-messages.ts';
import type {ShardTask} from './shard-task.ts';
import {Share} from './share.ts';
import {createExchange} from './transport.ts';

/** Where the first shard can stop, the others are stopped by their next exchange. */
const noCheckpoint = (): void => undefined;

/** A shard behind the first: its part of a model, which does the steps that the first one does. */
export class Shard {
  readonly #setup: ShardSetup;
  readonly #group: ShardGroup;
  readonly #layout: Layout;
  readonly #core: Core;
  readonly #exchange: RunExchange;
  #decoder: Decoder | null = null;

  private constructor(setup: ShardSetup, layout: Layout, core: Core) {
    const {spec, transport, index, count} = setup;
    this.#setup = setup;
    this.#layout = layout;
    this.#core = core;
    const share = new Share(index, count);
    const {scratch} = layout.decoder;
    this.#exchange = createExchange(transport, core, share, null);
    this.#group = ShardGroup.of(share, core.exports, scratch, spec.embeddingLength, this.#exchange, null);
  }

  /** @throws {GgufError} `memory-refused` */
  static async setUp(setup: ShardSetup): Promise<Shard> {
    const {core, spec, tensors, settings, index, count} = setup;
    const memory = new WebAssembly.Memory({initial: arenaBase / pageBytes});
    const calculator = await instantiateCore(core.module, memory);
    calculator.setDotMode(core.dotMode);
    const layout = planLayout(spec, {tensors}, settings, new Share(index, count), calculator);
    return new Shard(setup, layout, await Core.instantiate({...core, calculator}, layout.plan.total));
  }

  get wasmBytes(): number {
    return this.#core.bytes;
  }

  get statistics(): ShardStatistics {
    return {wasmBytes: this.wasmBytes, ...this.#group.statistics};
  }

  storeRows(rows: RowsOnTheirWay): void {
    const tensor = this.#tensor(rows.tensor);
    const placements = this.#destination(rows.tensor);
    const placement = Array.isArray(placements) ? placements[rows.placement] : undefined;
    if (!placement) throw new RangeError(`there is no matrix ${rows.placement} of ${rows.tensor}`);
    storeRows(tensor, placement, rows, this.#core, this.#layout.staging);
  }

  storeVector(tensor: string, bytes: Uint8Array): void {
    storeVector(this.#destination(tensor), bytes, this.#core);
  }

  /** When all weights are there. */
  start(): void {
    this.#decoder = new Decoder(this.#setup.spec, this.#layout.decoder, this.#core, this.#group);
  }

  /** Does a step of a run; ends, as if it were done, when the run is cancelled, or was before. */
  async run({task, epoch, firstStep}: TaskMessage, isCancelled: boolean): Promise<void> {
    this.#exchange.begin(epoch, firstStep);
    if (isCancelled) this.cancel();
    try {
      await this.#perform(task);
    } catch (error) {
      if (!(error instanceof Cancelled)) throw error;
    }
  }

  cancel(): void {
    this.#exchange.fail(new Cancelled());
  }

  async #perform(task: ShardTask): Promise<void> {
    if (task.step === 'exchange') {
      const {spec} = this.#setup;
      const hidden = this.#layout.decoder.scratch.rows('hidden', spec.embeddingLength);
      return this.#group.sumRepeatedly(hidden, task.count);
    }
    const decoder = this.#decoder;
    if (!decoder) throw new RangeError('the shard was not started');
    const {cache} = this.#layout;
    switch (task.step) {
      case 'forward':
        return decoder.forward({...task, cache}, noCheckpoint);
      case 'logits':
        await decoder.logits(task.first, task.count);
        return;
      case 'embed-text':
        return decoder.embedText(task.tokens, task.position, cache);
      case 'prepare-layer':
        return decoder.prepareLayer(task, cache, noCheckpoint);
      case 'run-layer':
        return decoder.runLayer(task, cache, noCheckpoint);
      case 'keep-context':
        return decoder.keepContext(task.sequence, task.stored, cache, noCheckpoint);
      case 'restore-context':
        return decoder.restoreContext(task.sequence, cache);
      case 'drop-context':
        return decoder.dropContext(task.sequence);
    }
  }

  #tensor(name: string): TensorInfo {
    const tensor = this.#setup.tensors.get(name);
    if (tensor) return tensor;
    throw new RangeError(`there is no tensor ${name}`);
  }

  #destination(name: string): Destination {
    const destination = this.#layout.decoder.destinations.get(this.#tensor(name));
    if (destination) return destination;
    throw new RangeError(`tensor ${name} has no place`);
  }
}
