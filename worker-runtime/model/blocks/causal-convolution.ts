import type {WeightPlanner} from '../weight-planner.ts';
import type {Vector} from '../weights.ts';
import type {Rows} from '../scratch.ts';
import type {Kernels, StatePlace} from './kernels.ts';

/** A convolution over time of each channel by itself. */
export interface CausalConvolutionWeights {
  /** As in the file: (channels, kernelLength); for the core (kernelLength, channels), see {@link transposeKernel}. */
  readonly kernel: Vector;
  /** (channels) */
  readonly bias: Vector | null;
  readonly channels: number;
  readonly kernelLength: number;
}

export function planCausalConvolution(
  name: string,
  channels: number,
  kernelLength: number,
  weights: WeightPlanner,
): CausalConvolutionWeights {
  const kernel = weights.vector(`${name}.weight`, [kernelLength, channels]);
  return {kernel, bias: weights.bias(name, channels), channels, kernelLength};
}

/** Once, when the weights are loaded. */
export function transposeKernel(
  {kernel, channels, kernelLength}: CausalConvolutionWeights,
  {core}: Kernels,
): void {
  const values = core.f32(kernel.pointer, kernel.length);
  const stored = values.slice();
  for (let channel = 0; channel < channels; channel++) {
    for (let tap = 0; tap < kernelLength; tap++) {
      values[tap * channels + channel] = stored[channel * kernelLength + tap] ?? NaN;
    }
  }
}

/** y = convolution(x), then SiLU where asked; x and y are not the same. `state`: where it is read and written. */
export function convolve(
  {kernel, bias, channels, kernelLength}: CausalConvolutionWeights,
  {core}: Kernels,
  x: Rows,
  y: Rows,
  tokens: number,
  state: StatePlace,
  silu: boolean,
): void {
  core.exports.causalConvolution(
    x.pointer,
    kernel.pointer,
    bias?.pointer ?? 0,
    state.from,
    state.to,
    y.pointer,
    channels,
    kernelLength,
    tokens,
    x.stride,
    y.stride,
    silu ? 1 : 0,
  );
}
