/** Online softmax: what each row of attention keeps between blocks of positions (the order: attention.ts). */
import {exp1, exp4} from './exp';
import {BLOCK_POSITIONS} from './kv-cache';

/** A token and a query head. */
@unmanaged
export class Row {
  /** f32 (headDim) */
  q!: usize;
  /** f32 (headDim): the sum of e^(score - largest) V. */
  out!: usize;
  position!: i32;
  largest!: f32;
  /** The sum of e^(score - largest). */
  sum!: f32;
  /** What `out` is to be multiplied by before the block is added that `weigh` saw last. */
  shrink!: f32;
}

export const ROW_BYTES = offsetof<Row>();

// @ts-ignore: decorator
@inline
export function rowAt(rows: usize, index: usize): Row {
  return changetype<Row>(rows + index * ROW_BYTES);
}

/** Bytes of a row's scores with a block. */
export const SCORE_BYTES: usize = BLOCK_POSITIONS * 4;

/**
 * Turns a block's 32 scores of a row into e^(score - largest), 0 outside of [from, to), and takes them into
 * its sum.
 */
export function weigh(row: Row, scores: usize, from: i32, to: i32): void {
  for (let i: i32 = 0; i < from; i++) store<f32>(scores + (<usize>i << 2), -Infinity);
  for (let i: i32 = to; i < BLOCK_POSITIONS; i++) store<f32>(scores + (<usize>i << 2), -Infinity);
  const largest = max(row.largest, largestScore(scores));
  const shrink = exp1(row.largest - largest);
  let sums = f32x4.splat(0);
  for (let p = scores; p < scores + SCORE_BYTES; p += 16) {
    const e = exp4(f32x4.sub(v128.load(p), f32x4.splat(largest)));
    v128.store(p, e);
    sums = f32x4.add(sums, e);
  }
  const low = f32x4.extract_lane(sums, 0) + f32x4.extract_lane(sums, 1);
  const high = f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3);
  row.largest = largest;
  row.sum = row.sum * shrink + (low + high);
  row.shrink = shrink;
}

function largestScore(scores: usize): f32 {
  let m = v128.load(scores);
  for (let p = scores + 16; p < scores + SCORE_BYTES; p += 16) m = f32x4.max(m, v128.load(p));
  const pairs = f32x4.max(m, i32x4.shuffle(m, m, 2, 3, 0, 1));
  return max(f32x4.extract_lane(pairs, 0), f32x4.extract_lane(pairs, 1));
}

/** Divides each row's values by its sum. */
export function finishRows(rows: usize, rowsEnd: usize, headBytes: usize): void {
  for (; rows < rowsEnd; rows += ROW_BYTES) {
    const row = changetype<Row>(rows);
    const factor = f32x4.splat(1 / row.sum);
    for (let p = row.out, end = p + headBytes; p < end; p += 16) {
      v128.store(p, f32x4.mul(v128.load(p), factor));
    }
  }
}
