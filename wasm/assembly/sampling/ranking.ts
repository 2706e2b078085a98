/**
 * Tokens by falling logit, the lowest ID first on ties, as far as they are wanted: a partial selection, exact
 * for any logits.
 *
 * 1. {@link tallyDistances} counts how many tokens are how far below the best one. The buckets are the upper
 *    bits of the distance as f32: eight to a power of two, so the nearer the finer. Rounding keeps the order,
 *    so no token of a bucket precedes one of an earlier bucket, and equal ones are in the same.
 * 2. {@link lastBucket} tells with which bucket there are enough tokens.
 * 3. {@link rankBuckets} takes the tokens of these buckets, by ID, and sorts them. What it ranks next follows.
 *
 * The tally: u32 (2048 buckets, 4), a column for each lane of a vector: increments of the same counter wait for
 * each other; behind it what the sort counts.
 *
 * A candidate: u32 ID, f32 logit.
 */
import {increment, sortCandidates, SORT_TALLY_BYTES} from './sort';

const BUCKETS: i32 = 2048;
const BUCKET_SHIFT: i32 = 20;
const DISTANCES_BYTES: usize = <usize>BUCKETS << 4;

export function tallyBytes(): usize {
  return DISTANCES_BYTES + SORT_TALLY_BYTES;
}

/** `logits`: `n` finite f32, of which `largest` is the largest. */
export function tallyDistances(logits: usize, n: i32, largest: f32, tally: usize): void {
  memory.fill(tally, 0, DISTANCES_BYTES);
  const largest4 = f32x4.splat(largest), bucketBits = i32x4.splat((BUCKETS - 1) << 4);
  const end = logits + (<usize>n << 2);
  for (const wholeEnd = logits + (<usize>(n & ~3) << 2); logits < wholeEnd; logits += 16) {
    const distances = distanceBits(v128.load(logits), largest4);
    // Of a bucket's 16 bytes in the tally.
    const places = v128.and(i32x4.shr_u(distances, BUCKET_SHIFT - 4), bucketBits);
    increment(tally + i32x4.extract_lane(places, 0));
    increment(tally + i32x4.extract_lane(places, 1) + 4);
    increment(tally + i32x4.extract_lane(places, 2) + 8);
    increment(tally + i32x4.extract_lane(places, 3) + 12);
  }
  for (; logits < end; logits += 4) {
    const distance = i32x4.extract_lane(distanceBits(v128.load32_zero(logits), largest4), 0);
    increment(tally + (<usize>(distance >> BUCKET_SHIFT) << 4));
  }
}

/** The bucket with which `first` and those after it have at least `wanted` tokens; the last one if all have fewer. */
export function lastBucket(tally: usize, first: i32, wanted: i32): i32 {
  let count: i32 = 0;
  for (let bucket = first; bucket < BUCKETS; bucket++) {
    const p = tally + (<usize>bucket << 4);
    count += load<i32>(p) + load<i32>(p, 4) + load<i32>(p, 8) + load<i32>(p, 12);
    if (count >= wanted) return bucket;
  }
  return BUCKETS - 1;
}

/**
 * Writes the tokens of buckets `first` … `last`, ranked, to `candidates` and returns how many there are.
 * `spare`: as large as the candidates.
 */
export function rankBuckets(
  logits: usize,
  n: i32,
  largest: f32,
  first: i32,
  last: i32,
  candidates: usize,
  spare: usize,
  tally: usize,
): i32 {
  const count = takeCandidates(logits, n, largest, first, last, candidates);
  sortCandidates(candidates, count, spare, tally + DISTANCES_BYTES);
  return count;
}

/** By rising ID. */
function takeCandidates(logits: usize, n: i32, largest: f32, first: i32, last: i32, candidates: usize): i32 {
  const largest4 = f32x4.splat(largest);
  const least = i32x4.splat(first << BUCKET_SHIFT), most = i32x4.splat(((last + 1) << BUCKET_SHIFT) - 1);
  let out = candidates;
  for (let id: i32 = 0; id < n; id += 4) {
    const distances = distanceBits(v128.load(logits), largest4);
    let hits = i32x4.bitmask(v128.and(i32x4.ge_s(distances, least), i32x4.le_s(distances, most)));
    // Of the last vector, what pads the row is no token.
    if (n - id < 4) hits &= (1 << (n - id)) - 1;
    for (; hits; hits &= hits - 1) {
      const lane = ctz(hits);
      store<i32>(out, id + lane);
      // -0 + 0 = 0: zeros of both signs are equal, and the sort compares bits.
      store<f32>(out, load<f32>(logits + (<usize>lane << 2)) + 0, 4);
      out += 8;
    }
    logits += 16;
  }
  return <i32>((out - candidates) >> 3);
}

/** Bits of largest - logits, which is at least 0 (-0 becomes 0): they have the order of the distances. */
// @ts-ignore: decorator
@inline
function distanceBits(logits: v128, largest: v128): v128 {
  return f32x4.abs(f32x4.sub(largest, logits));
}
