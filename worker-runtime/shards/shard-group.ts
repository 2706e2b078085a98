import type {CoreExports} from '../core/core-exports.ts';
import {rowStride} from '../model/scratch.ts';
import type {Rows, Scratch, ScratchPlan} from '../model/scratch.ts';
import type {Exchange, Segment} from './exchange.ts';
import type {ShardTask} from './shard-task.ts';
import {wholeShare} from './share.ts';
import type {Range, Share} from './share.ts';

/** Rows of which each shard has computed the columns of its range, at their place. */
export interface DividedRows {
  readonly rows: Rows;
  readonly ranges: readonly Range[];
}

/** Starts on the other shards what the first one does. */
export interface Conductor {
  /** Runs `work` here and the same task on the other shards; what `work` throws ends it there, too. */
  together<T>(task: ShardTask, work: () => Promise<T>): Promise<T>;
}

/**
 * What a shard needs of the others. All of them run the same steps; at the same point of each they exchange what they have
 * computed of a vector. The methods give nothing where there is nothing to wait for.
 *
 * The order of summation is a property of the model's shape (`columnGroups`), never of the number of shards.
 */
export class ShardGroup implements Conductor {
  readonly share: Share;
  /** Exchanges since the shard was set up, and their time: sending, waiting for the others, receiving. */
  readonly statistics = {exchanges: 0, exchangeMs: 0};
  readonly #exports: CoreExports | null;
  readonly #exchange: Exchange | null;
  readonly #conductor: Conductor | null;
  /** What the other shards add to a sum; of this shard `null`. */
  readonly #summands: readonly (Rows | null)[];

  private constructor(
    share: Share,
    exports: CoreExports | null,
    exchange: Exchange | null,
    conductor: Conductor | null,
    summands: readonly (Rows | null)[],
  ) {
    this.share = share;
    this.#exports = exports;
    this.#exchange = exchange;
    this.#conductor = conductor;
    this.#summands = summands;
  }

  /** One shard that holds everything: nothing to exchange. */
  static single(): ShardGroup {
    return new ShardGroup(wholeShare, null, null, null, []);
  }

  /** @param conductor of the first shard; the others are conducted */
  static of(
    share: Share,
    exports: CoreExports,
    scratch: Scratch,
    embeddingLength: number,
    exchange: Exchange,
    conductor: Conductor | null,
  ): ShardGroup {
    const summands = Array.from({length: share.count}, (_, shard) =>
      shard === share.index ? null : scratch.rows(`summand ${shard}`, embeddingLength),
    );
    return new ShardGroup(share, exports, exchange, conductor, summands);
  }

  together<T>(task: ShardTask, work: () => Promise<T>): Promise<T> {
    return this.#conductor ? this.#conductor.together(task, work) : work();
  }

  /** Every shard gets what the others have computed. */
  complete(divided: readonly DividedRows[], tokens: number): void | Promise<void> {
    return this.#swap(this.#segmentsOfAll(divided, tokens));
  }

  /**
   * The first shard gets what the others have computed.
   *
   * @param divided on the first shard all columns, on the others their own alone
   */
  collect({rows, ranges}: DividedRows, tokens: number): void | Promise<void> {
    if (!this.#exchange) return;
    const {first} = this.share.own(ranges);
    const whole = {...rows, pointer: rows.pointer - first * 4};
    const segments = this.#segmentsOfAll([{rows: whole, ranges}], tokens);
    return this.#measure((exchange) => exchange.collect(segments));
  }

  /** Every shard gets whole rows from those that have them: row `i` from shard `owners[i]`. */
  distribute({pointer, columns, stride}: Rows, owners: readonly number[]): void | Promise<void> {
    if (!this.#exchange) return;
    const segments = Array.from({length: this.share.count}, (): Segment[] => []);
    owners.forEach((owner, row) =>
      segments[owner]?.push({pointer: pointer + row * stride, bytes: columns * 4}),
    );
    return this.#swap(segments);
  }

  /** Adds what all shards have in `rows`, whose stride is that of their columns, by halves; each gets the sum. */
  sum(rows: Rows, tokens: number): void | Promise<void> {
    if (!this.#exchange) return;
    const bytes = tokens * rows.stride;
    const summands = this.#summands.map((summand) => summand ?? rows);
    const received = this.#swap(summands.map(({pointer}) => [{pointer, bytes}]));
    if (received) return received.then(() => this.#add(summands, rows, bytes / 4));
    this.#add(summands, rows, bytes / 4);
  }

  /** For timing: sums of one vector, one after the other. */
  async sumRepeatedly(rows: Rows, count: number): Promise<void> {
    for (let index = 0; index < count; index++) await this.sum(rows, 1);
  }

  #swap(segments: readonly (readonly Segment[])[]): void | Promise<void> {
    return this.#measure((exchange) => exchange.swap(segments));
  }

  #measure(run: (exchange: Exchange) => void | Promise<void>): void | Promise<void> {
    if (!this.#exchange) return;
    const {statistics} = this;
    const started = performance.now();
    const note = (): void => {
      statistics.exchanges++;
      statistics.exchangeMs += performance.now() - started;
    };
    const exchanged = run(this.#exchange);
    if (exchanged) return exchanged.then(note);
    note();
  }

  #add(summands: readonly Rows[], {pointer: result}: Rows, count: number): void {
    for (let step = 1; step < summands.length; step *= 2) {
      for (let index = 0; index < summands.length; index += 2 * step) {
        const [left, right] = [summands[index], summands[index + step]];
        if (!left || !right) throw new RangeError('sums are shared out to a power of two');
        const target = 2 * step === summands.length ? result : left.pointer;
        this.#exports?.add(target, left.pointer, right.pointer, count);
      }
    }
  }

  /** Of each shard, the places of what it has computed. */
  #segmentsOfAll(divided: readonly DividedRows[], tokens: number): Segment[][] {
    return Array.from({length: this.share.count}, (_, shard) =>
      divided.flatMap(({rows: {pointer, stride}, ranges}) => {
        const {first, count} = ranges[shard] ?? {first: 0, count: 0};
        if (count === 0) return [];
        const segment = (token: number): Segment => ({
          pointer: pointer + token * stride + first * 4,
          bytes: count * 4,
        });
        return Array.from({length: tokens}, (_, token) => segment(token));
      }),
    );
  }
}

/** Plans the scratch that a {@link ShardGroup} of several needs for sums of `(tokens, embeddingLength)`. */
export function planShardGroup({index, count}: Share, embeddingLength: number, scratch: ScratchPlan): void {
  for (let shard = 0; shard < count; shard++) {
    if (shard !== index) scratch.bytes(`summand ${shard}`, scratch.sliceLength * rowStride(embeddingLength));
  }
}
