/** What the hardware gives, for the benchmarks to compare with. Not part of a core. */
export {heapBase} from './heap-base';

/** Reads `bytes` (a multiple of 64) at `pointer`, `rounds` times. The result keeps the loop from being removed. */
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

/** `rounds` times 8 × 16 products of bytes with the relaxed dot product, from registers; 32 bytes at `operands`. */
export function dotPeak(operands: usize, rounds: i32): i32 {
  const x = v128.load(operands), w = v128.load(operands, 16);
  let a = i32x4.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a;
  for (let round = 0; round < rounds; round++) {
    a = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, a);
    b = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, b);
    c = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, c);
    d = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, d);
    e = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, e);
    f = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, f);
    g = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, g);
    h = i32x4.relaxed_dot_i8x16_i7x16_add_s(x, w, h);
  }
  const sum = i32x4.add(i32x4.add(i32x4.add(a, b), i32x4.add(c, d)), i32x4.add(i32x4.add(e, f), i32x4.add(g, h)));
  return i32x4.extract_lane(sum, 0);
}
