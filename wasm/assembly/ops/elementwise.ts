import {tanh4} from './exp';

/** y = a + b, `n` f32 each; y may be a or b. */
export function add(y: usize, a: usize, b: usize, n: i32): void {
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 16) {
    v128.store(y + i, f32x4.add(v128.load(a + i), v128.load(b + i)));
  }
}

/** y = a * b, `n` f32 each; y may be a or b. */
export function multiply(y: usize, a: usize, b: usize, n: i32): void {
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 16) {
    v128.store(y + i, f32x4.mul(v128.load(a + i), v128.load(b + i)));
  }
}

/** y = a + b * factor, `n` f32 each; y may be a or b. */
export function addScaled(y: usize, a: usize, b: usize, factor: f32, n: i32): void {
  const factors = f32x4.splat(factor);
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 16) {
    v128.store(y + i, f32x4.add(v128.load(a + i), f32x4.mul(v128.load(b + i), factors)));
  }
}

/** x += bias, `n` f32, for each of `tokens` rows, `stride` bytes apart. */
export function addBias(x: usize, bias: usize, n: i32, tokens: i32, stride: usize): void {
  const bytes = <usize>n << 2;
  for (let token: i32 = 0; token < tokens; token++, x += stride) {
    let i: usize = 0;
    for (; i + 16 <= bytes; i += 16) v128.store(x + i, f32x4.add(v128.load(x + i), v128.load(bias + i)));
    for (; i < bytes; i += 4) store<f32>(x + i, load<f32>(x + i) + load<f32>(bias + i));
  }
}

/** x *= factor, `n` f32. */
export function scale(x: usize, factor: f32, n: i32): void {
  const factors = f32x4.splat(factor);
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 16) {
    v128.store(x + i, f32x4.mul(v128.load(x + i), factors));
  }
}

/** x = cap * tanh(x / cap), `n` f32, a multiple of 4 (what pads a row may be written). */
export function softCap(x: usize, cap: f32, n: i32): void {
  const caps = f32x4.splat(cap);
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 16) {
    v128.store(x + i, f32x4.mul(caps, tanh4(f32x4.div(v128.load(x + i), caps))));
  }
}

/** x = min(max(x, -limit), limit), `n` f32; NaN stays. */
export function clamp(x: usize, limit: f32, n: i32): void {
  const high = f32x4.splat(limit), low = f32x4.splat(-limit);
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 16) {
    v128.store(x + i, f32x4.min(f32x4.max(v128.load(x + i), low), high));
  }
}
