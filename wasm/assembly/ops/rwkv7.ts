/**
 * What RWKV-7 does around its memory (https://arxiv.org/abs/2503.14456, section 4), which is `wkv7`. Rows of f32 have one
 * stride, in bytes. A part of the heads is a call with pointers to its first one.
 */
import {exp4} from './exp';
import {sumOf16} from './sums';

/** Bytes of the elements of a head that are computed together: four vectors. */
const STEP: usize = 64;

/**
 * y[t] = x[t] + (x[t - 1] - x[t]) * shares, where x[-1] is `before`.
 *
 * x, y: (tokens, n), not the same. before, shares: (n). n: a multiple of 4.
 */
export function tokenShift(
  x: usize,
  before: usize,
  shares: usize,
  y: usize,
  n: i32,
  tokens: i32,
  stride: usize,
): void {
  const bytes = <usize>n << 2;
  for (let token: i32 = 0; token < tokens; token++, before = x, x += stride, y += stride) {
    for (let i: usize = 0; i < bytes; i += 16) v128.store(y + i, between(x + i, before + i, v128.load(shares + i)));
  }
}

/** x = 1 / (1 + e^-x), `n` f32, a multiple of 4. */
export function sigmoid(x: usize, n: i32): void {
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 16) v128.store(x + i, sigmoid4(v128.load(x + i)));
}

/** y += (x - y) / (1 + e^-gate), `n` f32, a multiple of 4. */
export function mixBySigmoid(gate: usize, x: usize, y: usize, n: i32): void {
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 16) {
    v128.store(y + i, between(y + i, x + i, sigmoid4(v128.load(gate + i))));
  }
}

/** x = e^(-0.606531 / (1 + e^-x)), `n` f32, a multiple of 4: what is kept of a key. The factor is about e^(-1 / 2). */
export function keyDecay(x: usize, n: i32): void {
  const factor = f32x4.splat(-0.606531);
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 16) {
    v128.store(x + i, exp4(f32x4.mul(factor, sigmoid4(v128.load(x + i)))));
  }
}

/**
 * For each head, where rate = 1 / (1 + e^-rates) and κ = k removal / max(√(the sum of (k removal)²), epsilon):
 *
 *     a = -κ
 *     b = κ rate
 *     k = k + k (rate - 1) replacement
 *
 * k, rates, a, b: (tokens, heads, headLength); b may be rates. removal, replacement: (heads, headLength). headLength: a
 * multiple of 16. A sum: 16 chains, added by `sumOf16`.
 */
export function removalKeys(
  k: usize,
  rates: usize,
  removal: usize,
  replacement: usize,
  a: usize,
  b: usize,
  heads: i32,
  headLength: i32,
  epsilon: f32,
  tokens: i32,
  stride: usize,
): void {
  const bytes = <usize>headLength << 2, rowBytes = bytes * <usize>heads, one = f32x4.splat(1);
  for (let token: i32 = 0; token < tokens; token++) {
    for (let head: usize = 0; head < rowBytes; head += bytes) {
      for (let i = head; i < head + bytes; i += 16) {
        v128.store(a + i, f32x4.mul(v128.load(k + i), v128.load(removal + i)));
      }
      const size = sqrt<f32>(sumOfProducts(a + head, a + head, 0, bytes));
      const factor = f32x4.splat(1 / max(size, epsilon));
      for (let i = head; i < head + bytes; i += 16) {
        const key = v128.load(k + i), rate = sigmoid4(v128.load(rates + i));
        const unit = f32x4.mul(v128.load(a + i), factor);
        v128.store(a + i, f32x4.neg(unit));
        v128.store(b + i, f32x4.mul(unit, rate));
        const change = f32x4.mul(f32x4.sub(rate, one), v128.load(replacement + i));
        v128.store(k + i, f32x4.add(key, f32x4.mul(key, change)));
      }
    }
    k += stride;
    rates += stride;
    a += stride;
    b += stride;
  }
}

/**
 * y = (y + v * the sum of r k weights) * gate, the sum over each head.
 *
 * r, k, v, gate, y: (tokens, heads, headLength). weights: (heads, headLength). headLength: a multiple of 16. A sum: 16
 * chains, added by `sumOf16`.
 */
export function addBonus(
  r: usize,
  k: usize,
  v: usize,
  weights: usize,
  gate: usize,
  y: usize,
  heads: i32,
  headLength: i32,
  tokens: i32,
  stride: usize,
): void {
  const bytes = <usize>headLength << 2, rowBytes = bytes * <usize>heads;
  for (let token: i32 = 0; token < tokens; token++) {
    const row = <usize>token * stride;
    for (let head: usize = 0; head < rowBytes; head += bytes) {
      const at = row + head;
      const factor = f32x4.splat(sumOfProducts(r + at, k + at, weights + head, bytes));
      for (let i = at; i < at + bytes; i += 16) {
        const sum = f32x4.add(v128.load(y + i), f32x4.mul(v128.load(v + i), factor));
        v128.store(y + i, f32x4.mul(sum, v128.load(gate + i)));
      }
    }
  }
}

/** The sum of a * b, or of a * b * weights where these are not 0. */
function sumOfProducts(a: usize, b: usize, weights: usize, bytes: usize): f32 {
  let m0 = f32x4.splat(0), m1 = m0, m2 = m0, m3 = m0;
  for (let i: usize = 0; i < bytes; i += STEP) {
    m0 = f32x4.add(m0, productOf(a, b, weights, i));
    m1 = f32x4.add(m1, productOf(a, b, weights, i + 16));
    m2 = f32x4.add(m2, productOf(a, b, weights, i + 32));
    m3 = f32x4.add(m3, productOf(a, b, weights, i + 48));
  }
  return sumOf16(m0, m1, m2, m3);
}

// @ts-ignore: decorator
@inline
function productOf(a: usize, b: usize, weights: usize, i: usize): v128 {
  const product = f32x4.mul(v128.load(a + i), v128.load(b + i));
  return weights ? f32x4.mul(product, v128.load(weights + i)) : product;
}

/** Four f32 at `from`, moved by their share of the way to those at `to`. */
// @ts-ignore: decorator
@inline
function between(from: usize, to: usize, share: v128): v128 {
  const start = v128.load(from);
  return f32x4.add(start, f32x4.mul(f32x4.sub(v128.load(to), start), share));
}

/** 1 / (1 + e^-x) */
function sigmoid4(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))));
}
