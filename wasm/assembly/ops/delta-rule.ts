/**
 * The gated delta rule (https://arxiv.org/abs/2412.06464): a memory of values by keys that forgets, and that is corrected
 * by what it recalls wrongly. Tokens ascending; what is computed of a value takes part in no other: the bits depend
 * neither on slices nor on what else is computed beside a head.
 */
import {softplus1} from './softplus';
import {sumOf16} from './sums';

/** Bytes of the keys that are computed together: four vectors. */
const STEP: usize = 64;

/**
 * For each head of values, with the head of keys h mod keyHeads, decay g = e^(rate softplus(alpha + dtBias)) and
 * strength s = 1 / (1 + e^-beta):
 *
 *     delta[j] = s (v[j] - g * the sum of state[j][i] k[i])
 *     state[j][i] = g state[j][i] + k[i] delta[j]
 *     y[j] = the sum of state[j][i] q[i] * scale
 *
 * q, k: f32 (tokens, keyHeads, keyLength). v, y: f32 (tokens, heads, valueLength). alpha, beta: f32 (tokens, heads).
 * dtBias, rates: (heads). States: f32 (heads, valueLength, keyLength), which may be the same. Strides in bytes; that of
 * q, k and v is one. Heads that take other keys than h mod keyHeads, or a part of the heads, are calls of their own, with
 * pointers to their first heads.
 *
 * A sum over i: 16 chains, i mod 16, added by `sumOf16`; the keys behind the last multiple of 16 are then added one by
 * one.
 */
export function gatedDeltaRule(
  q: usize,
  k: usize,
  v: usize,
  alpha: usize,
  beta: usize,
  dtBias: usize,
  rates: usize,
  stateFrom: usize,
  stateTo: usize,
  y: usize,
  heads: i32,
  keyHeads: i32,
  keyLength: i32,
  valueLength: i32,
  tokens: i32,
  scale: f32,
  qkvStride: usize,
  gateStride: usize,
  yStride: usize,
): void {
  const keyBytes = <usize>keyLength << 2, valueBytes = <usize>valueLength << 2;
  const stateBytes = keyBytes * <usize>valueLength;
  for (let head: i32 = 0; head < heads; head++) {
    const at = <usize>head << 2, to = stateTo + <usize>head * stateBytes;
    const key = <usize>(head % keyHeads) * keyBytes, value = <usize>head * valueBytes;
    let from = stateFrom + <usize>head * stateBytes;
    for (let token: i32 = 0; token < tokens; token++) {
      const row = <usize>token * qkvStride, gates = <usize>token * gateStride + at;
      const decay = decayOf(load<f32>(alpha + gates) + load<f32>(dtBias + at), load<f32>(rates + at));
      const strength = <f32>(1 / (1 + NativeMath.exp(-(<f64>load<f32>(beta + gates)))));
      const out = y + <usize>token * yStride + value;
      let p = from, r = to;
      for (let j: usize = 0; j < valueBytes; j += 4, p += keyBytes, r += keyBytes) {
        const recalled = decay * recall(k + row + key, p, keyBytes);
        const delta = strength * (load<f32>(v + row + value + j) - recalled);
        store<f32>(out + j, scale * correct(q + row + key, k + row + key, p, r, keyBytes, decay, delta));
      }
      from = to;
    }
  }
}

/** e^(rate softplus(x)) */
function decayOf(x: f32, rate: f32): f32 {
  return <f32>NativeMath.exp(softplus1(x) * <f64>rate);
}

/** The sum of state * k. */
// @ts-ignore: decorator
@inline
function recall(k: usize, state: usize, bytes: usize): f32 {
  const whole = bytes & ~(STEP - 1);
  let m0 = f32x4.splat(0), m1 = m0, m2 = m0, m3 = m0;
  let i: usize = 0;
  for (; i < whole; i += STEP) {
    const p = state + i, key = k + i;
    m0 = f32x4.add(m0, f32x4.mul(v128.load(p), v128.load(key)));
    m1 = f32x4.add(m1, f32x4.mul(v128.load(p, 16), v128.load(key, 16)));
    m2 = f32x4.add(m2, f32x4.mul(v128.load(p, 32), v128.load(key, 32)));
    m3 = f32x4.add(m3, f32x4.mul(v128.load(p, 48), v128.load(key, 48)));
  }
  let sum = sumOf16(m0, m1, m2, m3);
  for (; i < bytes; i += 4) sum += load<f32>(state + i) * load<f32>(k + i);
  return sum;
}

/** to = from * decay + k * delta; returns the sum of to * q. */
// @ts-ignore: decorator
@inline
function correct(q: usize, k: usize, from: usize, to: usize, bytes: usize, decay: f32, delta: f32): f32 {
  const decays = f32x4.splat(decay), deltas = f32x4.splat(delta);
  const whole = bytes & ~(STEP - 1);
  let y0 = f32x4.splat(0), y1 = y0, y2 = y0, y3 = y0;
  let i: usize = 0;
  for (; i < whole; i += STEP) {
    const p = from + i, r = to + i, key = k + i, query = q + i;
    const s0 = f32x4.add(f32x4.mul(v128.load(p), decays), f32x4.mul(v128.load(key), deltas));
    const s1 = f32x4.add(f32x4.mul(v128.load(p, 16), decays), f32x4.mul(v128.load(key, 16), deltas));
    const s2 = f32x4.add(f32x4.mul(v128.load(p, 32), decays), f32x4.mul(v128.load(key, 32), deltas));
    const s3 = f32x4.add(f32x4.mul(v128.load(p, 48), decays), f32x4.mul(v128.load(key, 48), deltas));
    v128.store(r, s0);
    v128.store(r, s1, 16);
    v128.store(r, s2, 32);
    v128.store(r, s3, 48);
    y0 = f32x4.add(y0, f32x4.mul(s0, v128.load(query)));
    y1 = f32x4.add(y1, f32x4.mul(s1, v128.load(query, 16)));
    y2 = f32x4.add(y2, f32x4.mul(s2, v128.load(query, 32)));
    y3 = f32x4.add(y3, f32x4.mul(s3, v128.load(query, 48)));
  }
  let sum = sumOf16(y0, y1, y2, y3);
  for (; i < bytes; i += 4) {
    const state = load<f32>(from + i) * decay + load<f32>(k + i) * delta;
    store<f32>(to + i, state);
    sum += state * load<f32>(q + i);
  }
  return sum;
}

/** x /= max(√(sum of x²), epsilon) for each of `rows` rows of `n` f32, `stride` bytes apart. */
export function l2Norm(x: usize, n: i32, epsilon: f32, rows: i32, stride: usize): void {
  const bytes = <usize>n << 2;
  for (let row: i32 = 0; row < rows; row++, x += stride) {
    let sum: f64 = 0;
    for (let i: usize = 0; i < bytes; i += 4) {
      const value = <f64>load<f32>(x + i);
      sum += value * value;
    }
    const factor: f32 = 1 / max(<f32>sqrt<f64>(sum), epsilon);
    for (let i: usize = 0; i < bytes; i += 4) store<f32>(x + i, load<f32>(x + i) * factor);
  }
}
