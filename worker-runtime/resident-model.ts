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
  readonly #runs = new Set<Ending & {readonly sequence: Sequence | null}>();

  constructor(handle: ModelHandle, model: LoadedModel, sequence: Sequence) {
    this.handle = handle;
    this.model = model;
    this.sequence = sequence;
  }

  get info(): ModelInfo {
    return {model: this.handle, sequence: this.sequence.handle, ...this.model.facts};
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
