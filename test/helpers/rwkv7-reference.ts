/** What RWKV-7 does around its memory, in f64, from the formulas of https://arxiv.org/abs/2503.14456, section 4. */
import {sigmoid} from './activation-reference.ts';

type Row = ArrayLike<number>;

/** What is kept of a key; the published models have the factor in six digits. */
export function keyDecay(x: number): number {
  return Math.exp(-0.606531 * sigmoid(x));
}

/** One head's key as it removes, as it replaces what it removed, and as it is stored. */
export interface RemovalKeys {
  readonly removed: number[];
  readonly replaced: number[];
  readonly stored: number[];
}

/** @param rates before their sigmoid */
export function removalKeys(key: Row, rates: Row, removal: Row, replacement: Row): RemovalKeys {
  const direction = Array.from(key, (k, i) => k * removal[i]!);
  const length = Math.max(Math.sqrt(direction.reduce((sum, x) => sum + x * x, 0)), 1e-12);
  const unit = direction.map((x) => x / length);
  return {
    removed: unit.map((x) => -x),
    replaced: unit.map((x, i) => x * sigmoid(rates[i]!)),
    stored: Array.from(key, (k, i) => k * (1 + (sigmoid(rates[i]!) - 1) * replacement[i]!)),
  };
}

/** How much of its own value a head gets. */
export function bonus(receptance: Row, key: Row, weights: Row): number {
  return Array.from(receptance, (r, i) => r * key[i]! * weights[i]!).reduce((sum, x) => sum + x, 0);
}
