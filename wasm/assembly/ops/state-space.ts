/**
 * State-space scans: Mamba (https://arxiv.org/abs/2312.00752) and Mamba-2 (https://arxiv.org/abs/2405.21060). A token's
 * state is computed from the one before, tokens ascending, so the bits do not depend on how they are cut into slices.
 */
import {exp4} from './exp';

/** ln(1 + e^x), in f64. */
// @ts-ignore: decorator
@inline
function softplus(x: f32): f32 {
  const wide = <f64>x;
  return <f32>(max(wide, 0) + NativeMath.log1p(NativeMath.exp(-abs(wide))));
}

/**
 * Mamba-2. For each head, with dt = softplus(dt + dtBias) and for each of its channels p and each n of the state:
 *
 *     state[p][n] = state[p][n] e^(dt a) + x[p] dt B[n]
 *     y[p] = the sum of state[p][n] C[n] + d x[p]
 *
 * x: f32 (tokens, heads * headLength), then B and C, each (groups, stateLength), in the same row. dt: (tokens, heads).
 * dtBias, a, d: (heads). States: f32 (heads, headLength, stateLength); stateLength: a multiple of 4. Strides in bytes.
 * The sum over n: four chains, n mod 4, added as ((0 + 1) + (2 + 3)).
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
      const step = softplus(load<f32>(dt + <usize>token * dtStride + at) + load<f32>(dtBias + at));
      const decay = <f32>NativeMath.exp(<f64>(step * load<f32>(a + at)));
      const skip = load<f32>(d + at);
      const out = y + <usize>token * yStride + channel;
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
 * x, dt: f32 (tokens, channels). a: (channels, stateLength). d: (channels). b, c: f32 (tokens, stateLength), with the
 * stride `bcStride`. States: f32 (channels, stateLength); stateLength: a multiple of 4. Strides in bytes.
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
  for (let channel: i32 = 0; channel < channels; channel++) {
    const at = <usize>channel << 2, rates = a + <usize>channel * rowBytes;
    const to = stateTo + <usize>channel * rowBytes;
    let from = stateFrom + <usize>channel * rowBytes;
    for (let token: i32 = 0; token < tokens; token++) {
      const offset = <usize>token * xStride + at, bc = <usize>token * bcStride;
      const step = softplus(load<f32>(dt + offset)), value = load<f32>(x + offset);
      const steps = f32x4.splat(step), inputs = f32x4.splat(value * step);
      let sums = f32x4.splat(0);
      for (let i: usize = 0; i < rowBytes; i += 16) {
        const kept = f32x4.mul(v128.load(from + i), exp4(f32x4.mul(steps, v128.load(rates + i))));
        const state = f32x4.add(kept, f32x4.mul(v128.load(b + bc + i), inputs));
        v128.store(to + i, state);
        sums = f32x4.add(sums, f32x4.mul(state, v128.load(c + bc + i)));
      }
      store<f32>(y + <usize>token * yStride + at, sumOf4(sums) + load<f32>(d + at) * value);
      from = to;
    }
  }
}

// @ts-ignore: decorator
@inline
function sumOf4(v: v128): f32 {
  const low = f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1);
  return low + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}
