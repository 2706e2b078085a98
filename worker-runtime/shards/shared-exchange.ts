import type {Core} from '../core/core.ts';
import {Cancelled} from '../scheduler.ts';
import {byteCount} from './exchange.ts';
import type {RunExchange, Segment} from './exchange.ts';

/** Bytes that a shard can show the others at once; longer messages are cut. */
const slotBytes = 512 * 1024;
const slots = 2;
/** Looks at a counter before sleeping: some ten microseconds, as long as waking up would take. */
const spins = 400;
const longestSleepMs = 1;
/** After so long, the first shard takes messages in: another one may have ended. */
const patienceMs = 5;

/**
 * Exchange through shared memory, on pages that are isolated. Each shard writes into slots of its own and counts up; the
 * others wait for the count. Two slots are enough: who writes the next but one message knows that all have answered the
 * next, and so have read this one.
 */
export class SharedExchange implements RunExchange {
  readonly #core: Core;
  readonly #index: number;
  readonly #count: number;
  /** Of each shard, how many messages it has written; then the last run that was cancelled. */
  readonly #counters: Int32Array<SharedArrayBuffer>;
  readonly #slots: readonly Uint8Array<SharedArrayBuffer>[];
  readonly #yield: (() => Promise<void>) | null;
  #epoch = 0;
  #step = 0;
  #failure: Error | null = null;

  static allocate(count: number): SharedArrayBuffer {
    return new SharedArrayBuffer(counterBytes(count) + count * slots * slotBytes);
  }

  /** @param yieldToMessages of the first shard, which must not be deaf for long */
  constructor(
    core: Core,
    memory: SharedArrayBuffer,
    index: number,
    count: number,
    yieldToMessages: (() => Promise<void>) | null,
  ) {
    this.#core = core;
    this.#index = index;
    this.#count = count;
    this.#counters = new Int32Array(memory, 0, count + 1);
    this.#slots = Array.from(
      {length: count * slots},
      (_, slot) => new Uint8Array(memory, counterBytes(count) + slot * slotBytes, slotBytes),
    );
    this.#yield = yieldToMessages;
  }

  get step(): number {
    return this.#step;
  }

  begin(epoch: number, firstStep: number): void {
    this.#epoch = epoch;
    this.#step = firstStep;
    this.#failure = null;
  }

  fail(error: Error): void {
    this.#failure = error;
    if (this.#index > 0) return;
    Atomics.store(this.#counters, this.#count, this.#epoch);
    for (let shard = 0; shard < this.#count; shard++) Atomics.notify(this.#counters, shard);
  }

  async swap(segments: readonly (readonly Segment[])[]): Promise<void> {
    await this.#inRounds(segments, (shard) => shard !== this.#index);
  }

  async collect(segments: readonly (readonly Segment[])[]): Promise<void> {
    const isFirst = this.#index === 0;
    // The others only wait until there is room for what is left.
    await this.#inRounds(segments, (shard, isLast) => (isFirst ? shard > 0 : shard === 0 && !isLast));
  }

  close(): void {
    this.fail(new Cancelled());
  }

  async #inRounds(
    segments: readonly (readonly Segment[])[],
    isAwaited: (shard: number, isLast: boolean) => boolean,
  ): Promise<void> {
    const longest = Math.max(...segments.map(byteCount));
    for (let done = 0; done === 0 || done < longest; done += slotBytes) {
      this.#show(segments[this.#index] ?? [], done);
      const isLast = done + slotBytes >= longest;
      for (let shard = 0; shard < this.#count; shard++) {
        if (!isAwaited(shard, isLast)) continue;
        const waiting = this.#awaitStep(shard);
        if (waiting) await waiting;
        copyWindow(segments[shard] ?? [], done, this.#core, (place, offset) =>
          place.set(this.#slot(shard).subarray(offset, offset + place.length)),
        );
      }
    }
  }

  /** Writes what lies behind `done` bytes of the segments into a slot, and counts up. */
  #show(segments: readonly Segment[], done: number): void {
    if (this.#failure) throw this.#failure;
    this.#step = (this.#step + 1) | 0;
    const slot = this.#slot(this.#index);
    copyWindow(segments, done, this.#core, (place, offset) => slot.set(place, offset));
    Atomics.store(this.#counters, this.#index, this.#step);
    Atomics.notify(this.#counters, this.#index);
  }

  #slot(shard: number): Uint8Array<SharedArrayBuffer> {
    const slot = this.#slots[shard * slots + (this.#step & 1)];
    if (slot) return slot;
    throw new RangeError(`there is no shard ${shard}`);
  }

  /** Returns when another shard has shown its message of this step. */
  #awaitStep(shard: number): void | Promise<void> {
    for (let spin = 0; spin < spins; spin++) if (this.#hasShown(shard)) return;
    const deadline = this.#yield ? performance.now() + patienceMs : Infinity;
    while (!this.#sleepUntilShown(shard)) {
      if (performance.now() > deadline) return this.#awaitPatiently(shard);
    }
  }

  async #awaitPatiently(shard: number): Promise<void> {
    while (!this.#sleepUntilShown(shard)) {
      await this.#yield?.();
      if (this.#failure) throw this.#failure;
    }
  }

  /** Sleeps for a while at most. */
  #sleepUntilShown(shard: number): boolean {
    const seen = Atomics.load(this.#counters, shard);
    if (this.#hasShown(shard, seen)) return true;
    Atomics.wait(this.#counters, shard, seen, longestSleepMs);
    return this.#hasShown(shard);
  }

  #hasShown(shard: number, shown = Atomics.load(this.#counters, shard)): boolean {
    const isCancelled = this.#index > 0 && Atomics.load(this.#counters, this.#count) >= this.#epoch;
    if (isCancelled) throw new Cancelled();
    return ((shown - this.#step) | 0) >= 0;
  }
}

/** Calls `copy` for the pieces of memory that the bytes [done, done + slotBytes) of segments lie in. */
function copyWindow(
  segments: readonly Segment[],
  done: number,
  core: Core,
  copy: (place: Uint8Array, offset: number) => void,
): void {
  let start = 0;
  for (const {pointer, bytes} of segments) {
    const first = Math.max(start, done);
    const end = Math.min(start + bytes, done + slotBytes);
    if (first < end) copy(core.u8(pointer + first - start, end - first), first - done);
    start += bytes;
  }
}

/** Up to the next multiple of 64. */
function counterBytes(count: number): number {
  return Math.ceil(((count + 1) * 4) / 64) * 64;
}
