/** What the hardware gives, for the benchmarks to compare with. Not part of a core. */
export {heapBase} from './heap-base';

/**
 * Reads `bytes` (a multiple of 64) at `pointer`, `rounds` times. The result keeps the loop from being
 * removed.
 */
export function readMemory(pointer: usize, bytes: usize, rounds: i32): i32 {
  let a = i32x4.splat(0), b = a, c = a, d = a;
  for (let round = 0; round < rounds; round++) {
    for (let p = pointer, end = pointer + bytes; p < end; p += 64) {
      a = i32x4.add(a, v128.load(p));
      b = i32x4.add(b, v128.load(p, 16));
      c = i32x4.add(c, v128.load(p, 32));
      d = i32x4.add(d, v128.load(p, 48));
    }
  }
  return i32x4.extract_lane(i32x4.add(i32x4.add(a, b), i32x4.add(c, d)), 0);
}

/** The same in four streams, a quarter each: more requests under way than one stream keeps. `bytes`: multiple of 256. */
export function readStreams(pointer: usize, bytes: usize, rounds: i32): i32 {
  let a = i32x4.splat(0), b = a, c = a, d = a;
  const quarter = bytes >> 2;
  for (let round = 0; round < rounds; round++) {
    for (let p = pointer, end = pointer + quarter; p < end; p += 64) {
      for (let q = p, last = p + bytes; q < last; q += quarter) {
        a = i32x4.add(a, v128.load(q));
        b = i32x4.add(b, v128.load(q, 16));
        c = i32x4.add(c, v128.load(q, 32));
        d = i32x4.add(d, v128.load(q, 48));
      }
    }
  }
  return i32x4.extract_lane(i32x4.add(i32x4.add(a, b), i32x4.add(c, d)), 0);
}

/** Products of bytes in one round of {@link dotPeak}. */
export const dotPeakProducts: i32 = 12 * 16;

/**
 * `rounds` times 12 × 16 products of bytes with the relaxed dot product, from registers; operands: 32 bytes.
 * Twelve chains: two instructions a cycle of five cycles each need ten.
 */
export function dotPeak(operands: usize, rounds: i32): i32 {
  const x = v128.load(operands), w = v128.load(operands, 16);
  let a = i32x4.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a, i = a, j = a, k = a, l = a;
  for (let round = 0; round < rounds; round++) {
    a = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, a);
    b = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, b);
    c = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, c);
    d = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, d);
    e = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, e);
    f = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, f);
    g = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, g);
    h = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, h);
    i = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, i);
    j = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, j);
    k = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, k);
    l = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, l);
  }
  const first = i32x4.add(i32x4.add(i32x4.add(a, b), i32x4.add(c, d)), i32x4.add(e, f));
  const second = i32x4.add(i32x4.add(i32x4.add(g, h), i32x4.add(i, j)), i32x4.add(k, l));
  return i32x4.extract_lane(i32x4.add(first, second), 0);
}
