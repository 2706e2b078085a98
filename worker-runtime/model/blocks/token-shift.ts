import type {Rows} from '../scratch.ts';
import type {Kernels, StatePlace} from './kernels.ts';

/**
 * y = x + (the row before - x) ∘ shares; x and y are `(tokens, columns)` and not the same.
 *
 * @param shares (columns)
 * @param state where the row before the first one is read
 */
export function shiftTokens(
  {core}: Kernels,
  x: Rows,
  y: Rows,
  shares: number,
  tokens: number,
  {from}: StatePlace,
): void {
  core.exports.tokenShift(x.pointer, from, shares, y.pointer, x.columns, tokens, x.stride);
}

/** Keeps the last row for the token behind it. */
export function keepLastRow(
  {core}: Kernels,
  {pointer, stride}: Rows,
  tokens: number,
  {to}: StatePlace,
): void {
  core.copy(pointer + (tokens - 1) * stride, to, stride);
}
