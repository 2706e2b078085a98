/** Online softmax: what each row of attention keeps between blocks of positions (the order: attention.ts). */
import {expOfNegative4} from './exp';
import {BLOCK_POSITIONS} from './kv-cache';

/** A token and a query head. */
@unmanaged
export class Row {
  /** f32 (headDim) */
  q!: usize;
  /** q times F16_SCALE, for the products with f16. */
  scaledQ!: usize;
  /** f32 (headDim): the sum of e^(score - largest) V. */
  out!: usize;
  position!: i32;
  largest!: f32;
  /** The sum of e^(score - largest). */
  sum!: f32;
  /** What a score falls by for each position of distance. */
  slope!: f32;
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

/** Lowers a block's 32 scores of a row, the first at position `start`, by their distance times the row's slope. */
export function addDistances(row: Row, scores: usize, start: i32): void {
  const slope = row.slope;
  for (let i: i32 = 0; i < BLOCK_POSITIONS; i++) {
    const p = scores + (<usize>i << 2);
    store<f32>(p, load<f32>(p) - slope * <f32>abs(row.position - start - i));
  }
}

/**
 * Turns a block's 32 scores of a row into weights e^(score - largest), 0 outside of [from, to), and takes them
 * into its sum. What is stored is the weights times `factor`, a power of two.
 */
export function weigh(row: Row, scores: usize, from: i32, to: i32, factor: f32): void {
  for (let i: i32 = 0; i < from; i++) store<f32>(scores + (<usize>i << 2), -Infinity);
  for (let i: i32 = to; i < BLOCK_POSITIONS; i++) store<f32>(scores + (<usize>i << 2), -Infinity);
  const before = row.largest;
  const largest = largestScore(scores, before);
  const subtrahend = f32x4.splat(largest), factors = f32x4.splat(factor);
  let sums = f32x4.splat(0), exponents = sums;
  for (let p = scores; p < scores + SCORE_BYTES; p += 16) {
    const x = f32x4.sub(v128.load(p), subtrahend);
    const e = expOfNegative4(x);
    v128.store(p, f32x4.mul(e, factors));
    sums = f32x4.add(sums, e);
    exponents = f32x4.add(exponents, x);
  }
  const low = f32x4.extract_lane(sums, 0) + f32x4.extract_lane(sums, 1);
  const high = f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3);
  const shrink = f32x4.extract_lane(expOfNegative4(f32x4.splat(before - largest)), 0);
  // Where a score is NaN, or the largest is infinite, there are no weights: the row becomes NaN through its sum.
  const defined = i32x4.all_true(f32x4.eq(exponents, exponents));
  row.largest = largest;
  row.sum = defined ? row.sum * shrink + (low + high) : NaN;
  row.shrink = shrink;
}

/** The largest of `least` and of 32 scores, of which NaN may or may not be taken for smaller. */
function largestScore(scores: usize, least: f32): f32 {
  let m = f32x4.splat(least);
  for (let p = scores; p < scores + SCORE_BYTES; p += 16) m = f32x4.pmax(m, v128.load(p));
  m = f32x4.pmax(m, i32x4.shuffle(m, m, 2, 3, 0, 1));
  m = f32x4.pmax(m, i32x4.shuffle(m, m, 1, 0, 3, 2));
  return f32x4.extract_lane(m, 0);
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
