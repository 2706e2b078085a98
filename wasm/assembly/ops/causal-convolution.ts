/** A convolution over time of each channel by itself: that of LFM2, Mamba and the gated delta rule. */
import {exp4} from './exp';

/**
 * y[t] = bias + the sum of kernel[k] * x[t - kernelLength + 1 + k], k ascending, then y / (1 + e^-y) with `silu`; for
 * each of `channels`, which are handled up to the next multiple of 4. Of x before the first token the last
 * kernelLength - 1 are in the state.
 *
 * x, y: f32 (tokens, channels), not the same, strides in bytes. kernel: (kernelLength, channels). bias: (channels), or
 * 0. States: f32 (kernelLength - 1, channels padded to 16), oldest first, not the same.
 */
export function causalConvolution(
  x: usize,
  kernel: usize,
  bias: usize,
  stateFrom: usize,
  stateTo: usize,
  y: usize,
  channels: i32,
  kernelLength: i32,
  tokens: i32,
  xStride: usize,
  yStride: usize,
  silu: i32,
): void {
  const history = kernelLength - 1;
  const stateStride = (<usize>(channels + 15) >> 4) << 6;
  for (let token: i32 = 0; token < tokens; token++) {
    for (let channel: i32 = 0; channel < channels; channel += 4) {
      const at = <usize>channel << 2;
      let sum = bias ? loadUpTo4(bias + at, channels - channel) : f32x4.splat(0);
      for (let k: i32 = 0; k < kernelLength; k++) {
        const time = token - history + k;
        const row = time < 0 ? stateFrom + <usize>(time + history) * stateStride : x + <usize>time * xStride;
        const taps = loadUpTo4(kernel + (<usize>(k * channels) << 2) + at, channels - channel);
        sum = f32x4.add(sum, f32x4.mul(v128.load(row + at), taps));
      }
      if (silu) sum = f32x4.div(sum, f32x4.add(f32x4.splat(1), exp4(f32x4.neg(sum))));
      v128.store(y + <usize>token * yStride + at, sum);
    }
  }
  keepLast(x, stateFrom, stateTo, history, tokens, xStride, stateStride);
}

/** The last `history` of the old state and the new inputs. */
function keepLast(
  x: usize,
  from: usize,
  to: usize,
  history: i32,
  tokens: i32,
  xStride: usize,
  stateStride: usize,
): void {
  for (let row: i32 = 0; row < history; row++) {
    const time = tokens - history + row;
    const source = time < 0 ? from + <usize>(time + history) * stateStride : x + <usize>time * xStride;
    memory.copy(to + <usize>row * stateStride, source, stateStride);
  }
}

/** Four f32, or the `count` < 4 that there are and zeros. */
// @ts-ignore: decorator
@inline
function loadUpTo4(from: usize, count: i32): v128 {
  if (count >= 4) return v128.load(from);
  let v = v128.load32_zero(from);
  if (count > 1) v = f32x4.replace_lane(v, 1, load<f32>(from, 4));
  if (count > 2) v = f32x4.replace_lane(v, 2, load<f32>(from, 8));
  return v;
}
