/**
 * RWKV-7's time mixing (https://arxiv.org/abs/2503.14456): a memory of values by keys, of which each token lets every key
 * decay at a rate of its own, removes something and adds something. Tokens ascending; what is computed of a value takes
 * part in no other: the bits depend neither on slices nor on what else is computed beside a head.
 */
import {sumOf16} from './sums';

/** Bytes of the keys that are computed together: four vectors. */
const STEP: usize = 64;

/**
 * For each head, value i and key j:
 *
 *     removed[i] = the sum of state[i][j] a[j]
 *     state[i][j] = state[i][j] w[j] + v[i] k[j] + removed[i] b[j]
 *     y[i] = the sum of state[i][j] r[j]
 *
 * where a = -κ and b = κ times the learning rate, of the normalised removal key κ. w is the decay itself, within (0, 1).
 *
 * r, w, k, v, a, b: f32 (tokens, heads, headLength), of one stride; y the same. States: f32 (heads, headLength,
 * headLength), values by keys, which may be the same. headLength: a multiple of 16. Strides in bytes. A part of the heads
 * is a call with pointers to its first one. A sum over j: 16 chains, j mod 16, added by `sumOf16`.
 */
export function wkv7(
  r: usize,
  w: usize,
  k: usize,
  v: usize,
  a: usize,
  b: usize,
  stateFrom: usize,
  stateTo: usize,
  y: usize,
  heads: i32,
  headLength: i32,
  tokens: i32,
  stride: usize,
  yStride: usize,
): void {
  const bytes = <usize>headLength << 2, stateBytes = bytes * <usize>headLength;
  for (let head: i32 = 0; head < heads; head++) {
    const at = <usize>head * bytes, to = stateTo + <usize>head * stateBytes;
    let from = stateFrom + <usize>head * stateBytes;
    for (let token: i32 = 0; token < tokens; token++) {
      const row = <usize>token * stride + at, out = y + <usize>token * yStride + at;
      let p = from, q = to;
      for (let i: usize = 0; i < bytes; i += 4, p += bytes, q += bytes) {
        const removed = recall(a + row, p, bytes);
        const value = load<f32>(v + row + i);
        store<f32>(out + i, replace(r + row, w + row, k + row, b + row, p, q, bytes, value, removed));
      }
      from = to;
    }
  }
}

/** The sum of state * a. */
// @ts-ignore: decorator
@inline
function recall(a: usize, state: usize, bytes: usize): f32 {
  let m0 = f32x4.splat(0), m1 = m0, m2 = m0, m3 = m0;
  for (let j: usize = 0; j < bytes; j += STEP) {
    const p = state + j, key = a + j;
    m0 = f32x4.add(m0, f32x4.mul(v128.load(p), v128.load(key)));
    m1 = f32x4.add(m1, f32x4.mul(v128.load(p, 16), v128.load(key, 16)));
    m2 = f32x4.add(m2, f32x4.mul(v128.load(p, 32), v128.load(key, 32)));
    m3 = f32x4.add(m3, f32x4.mul(v128.load(p, 48), v128.load(key, 48)));
  }
  return sumOf16(m0, m1, m2, m3);
}

/** to = (from * w + value * k) + removed * b; returns the sum of to * r. */
// @ts-ignore: decorator
@inline
function replace(
  r: usize,
  w: usize,
  k: usize,
  b: usize,
  from: usize,
  to: usize,
  bytes: usize,
  value: f32,
  removed: f32,
): f32 {
  const values = f32x4.splat(value), removals = f32x4.splat(removed);
  let y0 = f32x4.splat(0), y1 = y0, y2 = y0, y3 = y0;
  for (let j: usize = 0; j < bytes; j += STEP) {
    const s0 = stateOf(from + j, w + j, k + j, b + j, values, removals);
    const s1 = stateOf(from + j + 16, w + j + 16, k + j + 16, b + j + 16, values, removals);
    const s2 = stateOf(from + j + 32, w + j + 32, k + j + 32, b + j + 32, values, removals);
    const s3 = stateOf(from + j + 48, w + j + 48, k + j + 48, b + j + 48, values, removals);
    const p = to + j, query = r + j;
    v128.store(p, s0);
    v128.store(p, s1, 16);
    v128.store(p, s2, 32);
    v128.store(p, s3, 48);
    y0 = f32x4.add(y0, f32x4.mul(s0, v128.load(query)));
    y1 = f32x4.add(y1, f32x4.mul(s1, v128.load(query, 16)));
    y2 = f32x4.add(y2, f32x4.mul(s2, v128.load(query, 32)));
    y3 = f32x4.add(y3, f32x4.mul(s3, v128.load(query, 48)));
  }
  return sumOf16(y0, y1, y2, y3);
}

// @ts-ignore: decorator
@inline
function stateOf(from: usize, w: usize, k: usize, b: usize, values: v128, removals: v128): v128 {
  const kept = f32x4.mul(v128.load(from), v128.load(w));
  const added = f32x4.add(kept, f32x4.mul(values, v128.load(k)));
  return f32x4.add(added, f32x4.mul(removals, v128.load(b)));
}
