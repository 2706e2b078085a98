import type {Checkpoint} from './checkpoint.ts';

/** Thrown, and caught again, inside the Worker only: the request that is running was cancelled. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

/** A checkpoint yields when the Worker has been deaf for longer than this. */
const deafMs = 4;

/**
 * Decides what computes next. Jobs (runs, evaluations) advance in turn, one step each: one token or one slice of
 * prefill. Between steps, and at the checkpoints inside them, the Worker takes messages in, so that a cancel always
 * finds it listening.
 */
export class Scheduler {
  readonly #jobs: Job[] = [];
  #running = false;
  #lastYield = 0;
  readonly #channel = new MessageChannel();
  #resume: (() => void)[] = [];

  constructor() {
    this.#channel.port1.onmessage = () => {
      const resume = this.#resume;
      this.#resume = [];
      for (const continuation of resume) continuation();
    };
  }

  /**
   * Runs `step` in turn with the others until it returns `true`. What it throws ends this job alone.
   */
  run(step: () => Promise<boolean>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#jobs.push({step, resolve, reject});
      if (!this.#running) void this.#loop();
    });
  }

  /** Lets the Worker take in what has arrived. A MessageChannel: microtasks would not, timers cost 4 ms. */
  async yield(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#resume.push(resolve);
      if (this.#resume.length === 1) this.#channel.port2.postMessage(null);
    });
    this.#lastYield = performance.now();
  }

  /** A function to call between pieces of work: throws {@link Cancelled} after `signal`, yields from time to time. */
  checkpoint(signal: AbortSignal): Checkpoint {
    const check = (): void => {
      if (signal.aborted) throw new Cancelled();
    };
    return () => {
      check();
      return performance.now() - this.#lastYield < deafMs ? undefined : this.yield().then(check);
    };
  }

  async #loop(): Promise<void> {
    this.#running = true;
    for (let job = this.#jobs.shift(); job; job = this.#jobs.shift()) {
      try {
        if (await job.step()) job.resolve();
        else this.#jobs.push(job);
      } catch (error) {
        job.reject(error);
      }
      await this.yield();
    }
    this.#running = false;
  }
}

interface Job {
  readonly step: () => Promise<boolean>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}
