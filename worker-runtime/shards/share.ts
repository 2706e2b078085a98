/** `count` things from `first` on. */
export interface Range {
  readonly first: number;
  readonly count: number;
}

/** Which of how many shards something is planned for: what each of them has of anything follows from that. */
export class Share {
  readonly index: number;
  readonly count: number;

  constructor(index: number, count: number) {
    this.index = index;
    this.count = count;
  }

  /** What each shard has of `total`, cut at multiples of `unit` alone. Later shards may have nothing. */
  ranges(total: number, unit = 1): readonly Range[] {
    const units = Math.ceil(total / unit);
    const start = (shard: number): number => Math.min(total, Math.ceil((units * shard) / this.count) * unit);
    return Array.from({length: this.count}, (_, shard) => {
      const first = start(shard);
      return {first, count: start(shard + 1) - first};
    });
  }

  /** All of `total` for the first shard, nothing for the others. */
  firstOnly(total: number): readonly Range[] {
    return Array.from({length: this.count}, (_, shard) =>
      shard === 0 ? {first: 0, count: total} : {first: total, count: 0},
    );
  }

  /** What this shard has. */
  own(ranges: readonly Range[]): Range {
    const range = ranges[this.index];
    if (range) return range;
    throw new RangeError(`shard ${this.index} is not among ${ranges.length}`);
  }
}

/** All of a model in one place. */
export const wholeShare = new Share(0, 1);

/** A range of things that are `factor` smaller ones each. */
export function scaled({first, count}: Range, factor: number): Range {
  return {first: first * factor, count: count * factor};
}
