/** Takes a block of positions into the rows of attention, up to four at a time. */
import {scoreRow, scoreTile} from './attention-scores';
import {addRow, addTile} from './attention-values';
import {softCap} from './elementwise';
import {BLOCK_POSITIONS} from './kv-cache';
import {F16_SCALE} from './kv-load';
import {addDistances, ROW_BYTES, rowAt, SCORE_BYTES, weigh} from './online-softmax';

/** Most rows of a tile. */
export const TILE_ROWS: i32 = 4;

/** The first position that the token at `position` sees: with a window > 0, of the last `window` ones. */
// @ts-ignore: decorator
@inline
export function firstVisible(position: i32, window: i32): i32 {
  return window > 0 ? max(position - window + 1, 0) : 0;
}

/** The position behind the last one of `end` that a token sees which sees `ahead` positions behind its own. */
// @ts-ignore: decorator
@inline
export function visibleEnd(position: i32, ahead: i32, end: i32): i32 {
  return min(position + ahead + 1, end);
}

/**
 * The block of positions from `start` on, of `positionEnd` in all: K (headDim, 32), V (32, headDim), each f32 or f16 as `load4` wants it.
 */
export function addBlock(
  rows: usize,
  rowsEnd: usize,
  start: i32,
  k: usize,
  kIsF16: bool,
  v: usize,
  vIsF16: bool,
  headDim: i32,
  scores: usize,
  scale: f32,
  window: i32,
  ahead: i32,
  positionEnd: i32,
  cap: f32,
): void {
  const factor: f32 = vIsF16 ? F16_SCALE : 1;
  while (rows < rowsEnd) {
    const position = rowAt(rows, 0).position;
    const from = max(firstVisible(position, window) - start, 0);
    const to = min(visibleEnd(position, ahead, positionEnd) - start, BLOCK_POSITIONS);
    if (from >= to) {
      rows += ROW_BYTES;
      continue;
    }
    const count = tileRows(rows, rowsEnd, start, window, ahead, positionEnd);
    if (kIsF16) scoreF16(count, rows, k, headDim, scale, scores);
    else scoreF32(count, rows, k, headDim, scale, scores);
    if (cap > 0) softCap(scores, cap, count * BLOCK_POSITIONS);
    for (let i: usize = 0; i < <usize>count; i++) {
      if (rowAt(rows, i).slope != 0) addDistances(rowAt(rows, i), scores + i * SCORE_BYTES, start);
      weigh(rowAt(rows, i), scores + i * SCORE_BYTES, from, to, factor);
    }
    if (vIsF16) addF16(count, rows, scores, v, headDim, from, to);
    else addF32(count, rows, scores, v, headDim, from, to);
    rows += <usize>count * ROW_BYTES;
  }
}

/** How many rows go together: up to four, if all see the same of the block, else one. */
function tileRows(
  rows: usize,
  rowsEnd: usize,
  start: i32,
  window: i32,
  ahead: i32,
  positionEnd: i32,
): i32 {
  const count = min(<i32>((rowsEnd - rows) / ROW_BYTES), TILE_ROWS);
  const first = rowAt(rows, 0).position, last = rowAt(rows, <usize>(count - 1)).position;
  if (first == last) return count;
  const blockEnd = start + BLOCK_POSITIONS;
  const firstEnd = visibleEnd(first, ahead, positionEnd), lastEnd = visibleEnd(last, ahead, positionEnd);
  const sameEnd = firstEnd == lastEnd || firstEnd >= blockEnd;
  return sameEnd && firstVisible(last, window) <= start ? count : 1;
}

// Tiles of two and three rows are for f16 alone: of f32, where loading is cheap, they save too little.
// Each kernel is a function of its own: inlined into a caller it would share the caller's registers, and spill.

function scoreF16(count: i32, rows: usize, k: usize, headDim: i32, scale: f32, scores: usize): void {
  if (count == 4) scoreFour<u16>(rows, k, headDim, scale, scores);
  else if (count == 3) scoreThree(rows, k, headDim, scale, scores);
  else if (count == 2) scoreTwo(rows, k, headDim, scale, scores);
  else scoreRow<u16>(rowAt(rows, 0), k, headDim, scale, scores);
}

function scoreF32(count: i32, rows: usize, k: usize, headDim: i32, scale: f32, scores: usize): void {
  if (count == 4) {
    scoreFour<f32>(rows, k, headDim, scale, scores);
    return;
  }
  for (let i: usize = 0; i < <usize>count; i++) {
    scoreRow<f32>(rowAt(rows, i), k, headDim, scale, scores + i * SCORE_BYTES);
  }
}

function scoreFour<T>(rows: usize, k: usize, headDim: i32, scale: f32, scores: usize): void {
  scoreTile<T>(4, rows, k, headDim, scale, scores);
}

function scoreThree(rows: usize, k: usize, headDim: i32, scale: f32, scores: usize): void {
  scoreTile<u16>(3, rows, k, headDim, scale, scores);
}

function scoreTwo(rows: usize, k: usize, headDim: i32, scale: f32, scores: usize): void {
  scoreTile<u16>(2, rows, k, headDim, scale, scores);
}

function addF16(count: i32, rows: usize, weights: usize, v: usize, headDim: i32, from: i32, to: i32): void {
  if (count == 4) addFour<u16>(rows, weights, v, headDim, from, to);
  else if (count == 3) addThree(rows, weights, v, headDim, from, to);
  else if (count == 2) addTwo(rows, weights, v, headDim, from, to);
  else addRow<u16>(rowAt(rows, 0), weights, v, headDim, from, to);
}

function addF32(count: i32, rows: usize, weights: usize, v: usize, headDim: i32, from: i32, to: i32): void {
  if (count == 4) {
    addFour<f32>(rows, weights, v, headDim, from, to);
    return;
  }
  for (let i: usize = 0; i < <usize>count; i++) {
    addRow<f32>(rowAt(rows, i), weights + i * SCORE_BYTES, v, headDim, from, to);
  }
}

function addFour<T>(rows: usize, weights: usize, v: usize, headDim: i32, from: i32, to: i32): void {
  addTile<T>(4, rows, weights, v, headDim, from, to);
}

function addThree(rows: usize, weights: usize, v: usize, headDim: i32, from: i32, to: i32): void {
  addTile<u16>(3, rows, weights, v, headDim, from, to);
}

function addTwo(rows: usize, weights: usize, v: usize, headDim: i32, from: i32, to: i32): void {
  addTile<u16>(2, rows, weights, v, headDim, from, to);
}
