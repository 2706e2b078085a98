import type {LoadedModel} from './loaded-model.ts';
import type {Checkpoint} from './checkpoint.ts';
import type {ModelHandle, ModelInfo} from './protocol.ts';
import {Cancelled} from './scheduler.ts';
import type {Scheduler} from './scheduler.ts';
import type {Sequence} from './sequence.ts';

/** Something that can be ended; `ended` never rejects. */
export interface Ending {
  readonly abort: () => void;
  readonly ended: Promise<unknown>;
}

/** Something that advances by steps; `true` when it has ended. */
export interface Job {
  step(checkpoint: Checkpoint): Promise<boolean>;
}

/** The model that commands go to, and what runs on it. */
export class ResidentModel {
  readonly handle: ModelHandle;
  readonly model: LoadedModel;
  /** The default sequence. */
  readonly sequence: Sequence;
  /** All of them. */
  readonly sequences: Set<Sequence>;
  /** The one whose context is in the cache; those of others are put aside. */
  #active: Sequence;
  /** Over when nobody uses the cache any more. */
  #cacheInUse: Promise<unknown> = Promise.resolve();
  readonly #runs = new Set<Ending & {readonly sequence: Sequence | null}>();

  constructor(handle: ModelHandle, model: LoadedModel, sequence: Sequence) {
    this.handle = handle;
    this.model = model;
    this.sequence = sequence;
    this.sequences = new Set([sequence]);
    this.#active = sequence;
  }

  get active(): Sequence {
    return this.#active;
  }

  get info(): ModelInfo {
    return {model: this.handle, sequence: this.sequence.handle, ...this.model.facts};
  }

  /**
   * Waits until the cache is free, brings the context of `sequence` into it, and does `work`: answers of several sequences are
   * written one after the other.
   *
   * @throws {Cancelled} where `signal` aborts before its turn
   */
  async inTurn<T>(
    sequence: Sequence,
    scheduler: Scheduler,
    {signal, abort}: {signal: AbortSignal; abort: () => void},
    work: () => Promise<T>,
  ): Promise<T> {
    const before = this.#cacheInUse;
    let free = (): void => undefined;
    const ended = new Promise<void>((resolve) => (free = resolve));
    this.#cacheInUse = Promise.all([before, ended]);
    const waiting = {sequence, abort, ended};
    this.#runs.add(waiting);
    const release = sequence.occupy();
    try {
      await unlessAborted(before, signal);
      if (this.#active !== sequence) await scheduler.run(() => this.#activate(sequence));
      release();
      // From now on its run stands for it.
      this.#runs.delete(waiting);
      return await work();
    } finally {
      this.#runs.delete(waiting);
      release();
      free();
    }
  }

  /** As a job of one step: nothing else computes meanwhile. */
  async #activate(sequence: Sequence): Promise<boolean> {
    const active = this.#active;
    const {decoder, cache} = this.model;
    await decoder.keepContext(active.handle.id, active.stored, cache, () => undefined);
    this.#active = sequence;
    await decoder.restoreContext(sequence.handle.id, cache);
    return true;
  }

  /** Adds a conversation of its own. */
  open(sequence: Sequence): void {
    this.sequences.add(sequence);
  }

  /** Forgets the context of a sequence that ends. The default one takes its place in the cache. */
  async close(sequence: Sequence, scheduler: Scheduler): Promise<void> {
    this.sequences.delete(sequence);
    await this.endRuns(sequence);
    await scheduler.run(async () => {
      const {decoder, cache} = this.model;
      if (this.#active === sequence) {
        this.#active = this.sequence;
        await decoder.restoreContext(this.sequence.handle.id, cache);
      } else {
        await decoder.dropContext(sequence.handle.id);
      }
      return true;
    });
  }

  /**
   * Runs a job to its end; `true` when it was cancelled.
   *
   * @param sequence the one that it occupies, if any
   */
  async run(
    job: Job,
    sequence: Sequence | null,
    scheduler: Scheduler,
    {signal, abort}: {signal: AbortSignal; abort: () => void},
  ): Promise<boolean> {
    const checkpoint = scheduler.checkpoint(signal);
    const release = sequence?.occupy();
    const ended = scheduler.run(async () => {
      await checkpoint();
      return job.step(checkpoint);
    });
    const run = {sequence, abort, ended: ended.catch(() => undefined)};
    this.#runs.add(run);
    try {
      await ended;
      return false;
    } catch (error) {
      if (error instanceof Cancelled) return true;
      throw error;
    } finally {
      this.#runs.delete(run);
      release?.();
    }
  }

  /** Cancels what runs, on one sequence or on all, and waits until it has ended. */
  async endRuns(sequence?: Sequence): Promise<void> {
    const ending = [...this.#runs].filter((run) => sequence === undefined || run.sequence === sequence);
    for (const {abort} of ending) abort();
    await Promise.all(ending.map(({ended}) => ended));
  }
}

/** @throws {Cancelled} */
function unlessAborted(pending: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(new Cancelled());
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    void pending.then(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
  });
}
