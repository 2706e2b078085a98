/** Which neighbours become one. Symbols are numbered from the left; a merged one keeps the number of its left part. */
export interface MergeRules {
  /** The rank of joining the two symbols, an integer in [0, 2^24), lower first; -1 where they cannot be joined. */
  rank(left: number, right: number): number;
  join(left: number, right: number, rank: number): void;
}

/** Keys of the queue are rank · 2^27 + symbol, below 2^53: one number that orders by rank and then from the left. */
const symbolRange = 2 ** 27;

/**
 * Joins neighbours, always those of the lowest rank, the leftmost among equals, until none can be joined.
 *
 * A queue with lazy deletion makes this O(n log n), also for one word of a hundred thousand characters.
 *
 * @returns for each symbol the next one, `count` after the last; only symbols reached from 0 are left. (count)
 */
export function mergeSymbols(count: number, rules: MergeRules): Int32Array {
  const next = Int32Array.from({length: count}, (_, i) => i + 1);
  const previous = Int32Array.from({length: count}, (_, i) => i - 1);
  /** Rank of each symbol with its right neighbour, -1 for none. */
  const ranks = new Int32Array(count).fill(-1);
  const queue = new NumberQueue();

  const offer = (left: number): void => {
    const right = next[left] as number;
    const rank = right < count ? rules.rank(left, right) : -1;
    ranks[left] = rank;
    if (rank >= 0) queue.push(rank * symbolRange + left);
  };

  for (let i = 0; i + 1 < count; i++) offer(i);
  for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
    const left = key % symbolRange;
    const rank = (key - left) / symbolRange;
    // An entry whose symbols have been joined with others since is stale.
    if (ranks[left] !== rank) continue;
    const right = next[left] as number;
    rules.join(left, right, rank);
    const after = next[right] as number;
    next[left] = after;
    if (after < count) previous[after] = left;
    ranks[right] = -1;
    offer(left);
    const before = previous[left] as number;
    if (before >= 0) offer(before);
  }
  return next;
}

/** A binary heap, smallest number first. */
class NumberQueue {
  readonly #heap: number[] = [];

  push(value: number): void {
    const heap = this.#heap;
    let place = heap.length;
    heap.push(value);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if ((heap[parent] as number) <= value) break;
      heap[place] = heap[parent] as number;
      place = parent;
    }
    heap[place] = value;
  }

  pop(): number | undefined {
    const heap = this.#heap;
    const smallest = heap[0];
    const value = heap.pop();
    if (value === undefined || heap.length === 0) return smallest;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as number) < (heap[child] as number)) child++;
      if ((heap[child] as number) >= value) break;
      heap[place] = heap[child] as number;
      place = child;
    }
    heap[place] = value;
    return smallest;
  }
}
