/**
 * Sorts candidates (u32 ID, f32 logit) by falling logit: a radix sort, whose time depends on their number alone.
 * Four passes of one byte, the lowest byte first. Each keeps the order of what it finds equal: candidates that come
 * by rising ID keep that order on ties.
 */

const DIGITS: usize = 256;
const DIGIT_TALLY_BYTES: usize = DIGITS << 2;

/** u32 (4 passes, 256 digits) */
export const SORT_TALLY_BYTES: usize = DIGIT_TALLY_BYTES << 2;

/** `spare`: as large as the candidates. `tally`: {@link SORT_TALLY_BYTES}. Logits: finite, no -0. */
export function sortCandidates(candidates: usize, n: i32, spare: usize, tally: usize): void {
  countDigits(candidates, n, tally);
  let from = candidates, to = spare;
  for (let shift: i32 = 0; shift < 32; shift += 8) {
    countsToPlaces(tally, to);
    for (let p = from, end = from + (<usize>n << 3); p < end; p += 8) {
      const digit = (sortKey(load<i32>(p, 4)) >>> shift) & 255;
      const place = tally + (<usize>digit << 2), target = <usize>load<u32>(place);
      store<u64>(target, load<u64>(p));
      store<u32>(place, <u32>(target + 8));
    }
    tally += DIGIT_TALLY_BYTES;
    const swap = from;
    from = to;
    to = swap;
  }
}

/** How often each digit is there, of all passes. */
function countDigits(candidates: usize, n: i32, tally: usize): void {
  memory.fill(tally, 0, SORT_TALLY_BYTES);
  for (let p = candidates, end = candidates + (<usize>n << 3); p < end; p += 8) {
    const key = sortKey(load<i32>(p, 4));
    increment(tally + ((key & 255) << 2));
    increment(tally + DIGIT_TALLY_BYTES + (((key >>> 8) & 255) << 2));
    increment(tally + 2 * DIGIT_TALLY_BYTES + (((key >>> 16) & 255) << 2));
    increment(tally + 3 * DIGIT_TALLY_BYTES + ((key >>> 24) << 2));
  }
}

/** In place: where in `target` the first candidate of each digit goes. */
function countsToPlaces(tally: usize, target: usize): void {
  for (let p = tally, end = tally + DIGIT_TALLY_BYTES; p < end; p += 4) {
    const count = load<u32>(p);
    store<u32>(p, <u32>target);
    target += <usize>count << 3;
  }
}

/** Turns the bits of an f32 into an unsigned integer that falls as the number rises. */
// @ts-ignore: decorator
@inline
function sortKey(bits: i32): u32 {
  return bits ^ (~(bits >> 31) & 0x7fffffff);
}

// @ts-ignore: decorator
@inline
export function increment(counter: usize): void {
  store<i32>(counter, load<i32>(counter) + 1);
}
