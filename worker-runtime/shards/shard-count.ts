import type {Layout} from '../model/layout.ts';
import type {ShardTeam} from './shard-team.ts';

/** Powers of two share out sums without completing vectors first. */
const counts = [1, 2, 4, 8];
/** What each further core adds: they share the memory. */
const gainOfCore = 0.65;
/** Bytes of weights that a core computes with in a millisecond, at most: from its cache. */
const bytesPerMs = 4e7;
/** No exchange is faster, milliseconds. */
const leastExchangeMs = 0.01;
/** Exchanges that are timed, after as many that are not. */
const timedExchanges = 24;

/**
 * How many shards this machine may have use for, ascending: one core is left for the page, and a model that is so small that
 * even the fastest exchanges take longer than they save stays whole.
 *
 * @param layouts of one shard, of several
 */
export function candidateCounts(layoutsOf: (count: number) => readonly Layout[]): readonly number[] {
  const {hardwareConcurrency} = navigator;
  const cores = hardwareConcurrency > 2 ? hardwareConcurrency - 1 : hardwareConcurrency;
  return counts.filter((count) => {
    if (count === 1) return true;
    return count <= cores && stepMs(layoutsOf(count), leastExchangeMs) < stepMs(layoutsOf(1), 0);
  });
}

/**
 * Which of `counts` computes a token soonest: the weights are read faster by more cores, and each exchange between them
 * takes time, which is measured between those that are there.
 *
 * @param placed over the largest of `counts`
 */
export async function fastestCount(
  counts: readonly number[],
  {team}: {readonly team: ShardTeam | null},
  layoutsOf: (count: number) => readonly Layout[],
): Promise<number> {
  if (counts.length === 1 || !team) return Math.max(...counts);
  const exchangeMs = await team.timeExchanges(timedExchanges);
  const time = (count: number): number => stepMs(layoutsOf(count), exchangeMs);
  return counts.reduce((best, count) => (time(count) < time(best) ? count : best));
}

/** An estimate of the time of a token, milliseconds. */
function stepMs(layouts: readonly Layout[], exchangeMs: number): number {
  const bytes = layouts.reduce((sum, {plan}) => sum + weightBytes(plan.weights), 0);
  const speed = bytesPerMs * (1 + gainOfCore * (layouts.length - 1));
  const exchanges = layouts.length === 1 ? 0 : (layouts[0]?.decoder.exchanges ?? 0);
  return bytes / speed + exchanges * exchangeMs;
}

function weightBytes(weights: Readonly<Record<string, number>>): number {
  return Object.values(weights).reduce((sum, bytes) => sum + bytes, 0);
}
