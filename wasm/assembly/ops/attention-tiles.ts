/** Takes a block of positions into the rows of attention, up to four at a time. */
import {scoreRow, scoreTile} from './attention-scores';
import {addRow, addTile} from './attention-values';
import {BLOCK_POSITIONS} from './kv-cache';
import {ROW_BYTES, rowAt, SCORE_BYTES, weigh} from './online-softmax';

/** Most rows of a tile. */
export const TILE_ROWS: i32 = 4;

/** The first position that the token at `position` sees: with a window > 0, of the last `window` ones. */
// @ts-ignore: decorator
@inline
export function firstVisible(position: i32, window: i32): i32 {
  return window > 0 ? max(position - window + 1, 0) : 0;
}

/**
 * The block of positions from `start` on: K (headDim, 32), V (32, headDim). `T`: see attention-scores.ts.
 */
export function addBlock<T>(
  rows: usize,
  rowsEnd: usize,
  start: i32,
  k: usize,
  v: usize,
  headDim: i32,
  scores: usize,
  scale: f32,
  window: i32,
): void {
  while (rows < rowsEnd) {
    const row = rowAt(rows, 0);
    const from = max(firstVisible(row.position, window) - start, 0);
    const to = min(row.position + 1 - start, BLOCK_POSITIONS);
    if (from >= to) {
      rows += ROW_BYTES;
      continue;
    }
    const count = tileRows<T>(rows, rowsEnd, start, window);
    if (count == 4) scoreFour<T>(rows, k, headDim, scale, scores);
    else if (!isFloat<T>() && count == 3) scoreThree<T>(rows, k, headDim, scale, scores);
    else if (!isFloat<T>() && count == 2) scoreTwo<T>(rows, k, headDim, scale, scores);
    else scoreRow<T>(row, k, headDim, scale, scores);
    for (let i: usize = 0; i < <usize>count; i++) {
      weigh(rowAt(rows, i), scores + i * SCORE_BYTES, from, to);
    }
    if (count == 4) addFour<T>(rows, scores, v, headDim, from, to);
    else if (!isFloat<T>() && count == 3) addThree<T>(rows, scores, v, headDim, from, to);
    else if (!isFloat<T>() && count == 2) addTwo<T>(rows, scores, v, headDim, from, to);
    else addRow<T>(row, scores, v, headDim, from, to);
    rows += <usize>count * ROW_BYTES;
  }
}

/**
 * How many rows go together: up to four, if all see the same of the block, else one. Of f32, where loading is
 * cheap, four or one: smaller tiles would not be worth their code.
 */
function tileRows<T>(rows: usize, rowsEnd: usize, start: i32, window: i32): i32 {
  const left = <i32>((rowsEnd - rows) / ROW_BYTES);
  const count = min(left, TILE_ROWS);
  if (isFloat<T>() && count < TILE_ROWS) return 1;
  const first = rowAt(rows, 0).position, last = rowAt(rows, <usize>(count - 1)).position;
  if (first == last) return count;
  const sameEnd = first >= start + BLOCK_POSITIONS - 1;
  return sameEnd && firstVisible(last, window) <= start ? count : 1;
}

// Functions of their own: what is inlined into a caller shares its registers, and spills.

function scoreFour<T>(rows: usize, k: usize, headDim: i32, scale: f32, scores: usize): void {
  scoreTile<T>(4, rows, k, headDim, scale, scores);
}

function scoreThree<T>(rows: usize, k: usize, headDim: i32, scale: f32, scores: usize): void {
  scoreTile<T>(3, rows, k, headDim, scale, scores);
}

function scoreTwo<T>(rows: usize, k: usize, headDim: i32, scale: f32, scores: usize): void {
  scoreTile<T>(2, rows, k, headDim, scale, scores);
}

function addFour<T>(rows: usize, weights: usize, v: usize, headDim: i32, from: i32, to: i32): void {
  addTile<T>(4, rows, weights, v, headDim, from, to);
}

function addThree<T>(rows: usize, weights: usize, v: usize, headDim: i32, from: i32, to: i32): void {
  addTile<T>(3, rows, weights, v, headDim, from, to);
}

function addTwo<T>(rows: usize, weights: usize, v: usize, headDim: i32, from: i32, to: i32): void {
  addTile<T>(2, rows, weights, v, headDim, from, to);
}
