/**
 * State-space scans: Mamba (https://arxiv.org/abs/2312.00752) and Mamba-2 (https://arxiv.org/abs/2405.21060). A token's
 * state is computed from the one before, tokens ascending, and a sum over the state has an order of its own for each
 * row: the bits do not depend on how tokens are cut into slices, nor on what else is computed beside a row.
 */
import {exp4} from './exp';
import {softplus1, softplus4} from './softplus';
import {sumOf4} from './sums';

/**
 * Mamba-2. For each head, with dt = softplus(dt + dtBias) and for each of its channels p and each n of the state:
 *
 *     state[p][n] = state[p][n] e^(dt a) + x[p] dt B[n]
 *     y[p] = the sum of state[p][n] C[n] + d x[p]
 *
 * x: f32 (tokens, heads * headLength), then B and C, each (groups, stateLength), in the same row. dt: (tokens, heads).
 * dtBias, a, d: (heads). States: f32 (heads, headLength, stateLength), which may be the same; stateLength: a multiple
 * of 4. Strides in bytes. The sum over n: four chains, n mod 4, added as ((0 + 1) + (2 + 3)).
 */
export function mamba2Scan(
  x: usize,
  dt: usize,
  dtBias: usize,
  a: usize,
  d: usize,
  stateFrom: usize,
  stateTo: usize,
  y: usize,
  heads: i32,
  headLength: i32,
  stateLength: i32,
  groups: i32,
  tokens: i32,
  xStride: usize,
  dtStride: usize,
  yStride: usize,
): void {
  const headBytes = <usize>headLength << 2, rowBytes = <usize>stateLength << 2;
  const inner = <usize>heads * headBytes, perGroup = heads / groups;
  for (let head: i32 = 0; head < heads; head++) {
    const at = <usize>head << 2, channel = <usize>head * headBytes;
    const state = <usize>head * headBytes * <usize>stateLength;
    const b = inner + <usize>(head / perGroup) * rowBytes, c = b + <usize>groups * rowBytes;
    let from = stateFrom + state;
    for (let token: i32 = 0; token < tokens; token++) {
      const row = x + <usize>token * xStride;
      const step = <f32>softplus1(load<f32>(dt + <usize>token * dtStride + at) + load<f32>(dtBias + at));
      const decay = <f32>NativeMath.exp(<f64>(step * load<f32>(a + at)));
      const skip = load<f32>(d + at);
      const out = y + <usize>token * yStride + channel;
      // One row at a time: several would be faster from the cache, but twice as slow from memory, where a step finds it.
      for (let p: usize = 0; p < headBytes; p += 4) {
        const value = load<f32>(row + channel + p);
        const offset = p * <usize>stateLength;
        const sum = scanRow(from + offset, stateTo + state + offset, row + b, row + c, rowBytes, decay, value * step);
        store<f32>(out + p, sum + skip * value);
      }
      from = stateTo + state;
    }
  }
}

/** to = from * decay + b * input; returns the sum of to * c. */
// @ts-ignore: decorator
@inline
function scanRow(from: usize, to: usize, b: usize, c: usize, bytes: usize, decay: f32, input: f32): f32 {
  const decays = f32x4.splat(decay), inputs = f32x4.splat(input);
  let sums = f32x4.splat(0);
  for (let i: usize = 0; i < bytes; i += 16) {
    const kept = f32x4.mul(v128.load(from + i), decays);
    const state = f32x4.add(kept, f32x4.mul(v128.load(b + i), inputs));
    v128.store(to + i, state);
    sums = f32x4.add(sums, f32x4.mul(state, v128.load(c + i)));
  }
  return sumOf4(sums);
}

/**
 * Mamba. For each channel, with dt = softplus(dt), and for each n of the state:
 *
 *     state[n] = state[n] e^(dt a[n]) + x dt B[n]
 *     y = the sum of state[n] C[n] + d x
 *
 * x, dt: f32 (tokens, channels), read up to the next multiple of 4. a: (channels, stateLength). d: (channels). b, c: f32
 * (tokens, stateLength), with the stride `bcStride`. States: f32 (channels, stateLength), which may be the same;
 * stateLength: a multiple of 4. Strides in bytes. The sum over n is that of `mamba2Scan`.
 */
export function mambaScan(
  x: usize,
  dt: usize,
  a: usize,
  b: usize,
  c: usize,
  d: usize,
  stateFrom: usize,
  stateTo: usize,
  y: usize,
  channels: i32,
  stateLength: i32,
  tokens: i32,
  xStride: usize,
  bcStride: usize,
  yStride: usize,
): void {
  const rowBytes = <usize>stateLength << 2;
  for (let channel: i32 = 0; channel < channels; channel += 4) {
    const at = <usize>channel << 2, state = <usize>channel * rowBytes, left = channels - channel;
    const rates = a + state, skip = d + at, to = stateTo + state;
    let from = stateFrom + state;
    for (let token: i32 = 0; token < tokens; token++) {
      const row = <usize>token * xStride + at, bc = <usize>token * bcStride, out = y + <usize>token * yStride + at;
      const steps = softplus4(v128.load(dt + row));
      scanChannel(0, f32x4.extract_lane(steps, 0), x + row, rates, b + bc, c + bc, skip, from, to, out, rowBytes);
      if (left > 1) {
        scanChannel(1, f32x4.extract_lane(steps, 1), x + row, rates, b + bc, c + bc, skip, from, to, out, rowBytes);
      }
      if (left > 2) {
        scanChannel(2, f32x4.extract_lane(steps, 2), x + row, rates, b + bc, c + bc, skip, from, to, out, rowBytes);
      }
      if (left > 3) {
        scanChannel(3, f32x4.extract_lane(steps, 3), x + row, rates, b + bc, c + bc, skip, from, to, out, rowBytes);
      }
      from = to;
    }
  }
}

/** One token of channel `index` of four, of which the pointers name the first. */
function scanChannel(
  index: usize,
  step: f32,
  x: usize,
  rates: usize,
  b: usize,
  c: usize,
  skip: usize,
  from: usize,
  to: usize,
  y: usize,
  rowBytes: usize,
): void {
  const at = index << 2, row = index * rowBytes, value = load<f32>(x + at);
  const steps = f32x4.splat(step), inputs = f32x4.splat(value * step);
  let sums = f32x4.splat(0);
  for (let i: usize = 0; i < rowBytes; i += 16) {
    const kept = f32x4.mul(v128.load(from + row + i), exp4(f32x4.mul(steps, v128.load(rates + row + i))));
    const state = f32x4.add(kept, f32x4.mul(v128.load(b + i), inputs));
    v128.store(to + row + i, state);
    sums = f32x4.add(sums, f32x4.mul(state, v128.load(c + i)));
  }
  store<f32>(y + at, sumOf4(sums) + load<f32>(skip + at) * value);
}
