import type {ShortConvolutionSpec} from '../decoder-spec.ts';
import type {Rows, ScratchPlan} from '../scratch.ts';
import type {WeightPlanner} from '../weight-planner.ts';
import type {Contraction, DividedLinear} from '../weights.ts';
import {convolve, planCausalConvolution, transposeKernel} from './causal-convolution.ts';
import type {CausalConvolutionWeights} from './causal-convolution.ts';
import {layerState} from './kernels.ts';
import type {Block, Kernels, Pass} from './kernels.ts';

export interface ShortConvolutionWeights {
  /** B, C and x. */
  readonly inputs: readonly [DividedLinear, DividedLinear, DividedLinear];
  readonly convolution: CausalConvolutionWeights;
  readonly output: Contraction;
}

/** @param name prefix of the layer's tensors */
export function planShortConvolution(
  {channels, kernelLength}: ShortConvolutionSpec,
  embeddingLength: number,
  name: string,
  weights: WeightPlanner,
): ShortConvolutionWeights {
  const rows = [channels, channels, channels];
  return {
    inputs: weights.stackedDivided(`${name}.shortconv.in_proj`, rows, embeddingLength) as [
      DividedLinear,
      DividedLinear,
      DividedLinear,
    ],
    convolution: planCausalConvolution(`${name}.shortconv.conv`, channels, kernelLength, weights),
    output: weights.contractionOfWhole(`${name}.shortconv.out_proj`, embeddingLength, channels, channels),
  };
}

export function planShortConvolutionScratch({channels}: ShortConvolutionSpec, scratch: ScratchPlan): void {
  for (const name of ['gate b', 'gate c', 'channels', 'convolved']) scratch.rows(name, channels);
}

/** y = (C ∘ convolution(B ∘ x)) · Wo */
export class ShortConvolution implements Block {
  readonly #weights: ShortConvolutionWeights;
  readonly #kernels: Kernels;
  readonly #layer: number;
  /** All (tokens, channels). */
  readonly #b: Rows;
  readonly #c: Rows;
  readonly #channels: Rows;
  readonly #convolved: Rows;

  constructor(
    {channels}: ShortConvolutionSpec,
    weights: ShortConvolutionWeights,
    kernels: Kernels,
    layer: number,
  ) {
    const rows = (name: string): Rows => kernels.scratch.rows(name, channels);
    this.#weights = weights;
    this.#kernels = kernels;
    this.#layer = layer;
    this.#b = rows('gate b');
    this.#c = rows('gate c');
    this.#channels = rows('channels');
    this.#convolved = rows('convolved');
    transposeKernel(weights.convolution, kernels);
  }

  async run(x: Rows, y: Rows, pass: Pass): Promise<void> {
    const {products, core} = this.#kernels;
    const {inputs, convolution, output} = this.#weights;
    const [b, c, channels, convolved] = [this.#b, this.#c, this.#channels, this.#convolved];
    const {tokens} = pass;
    const count = (tokens * b.stride) / 4;
    const projected = [
      {product: inputs[0], y: b},
      {product: inputs[1], y: c},
      {product: inputs[2], y: channels},
    ];
    await products.projectWhole(projected, x, tokens);
    core.exports.multiply(b.pointer, b.pointer, channels.pointer, count);
    convolve(convolution, this.#kernels, b, convolved, tokens, layerState(pass, this.#layer), false);
    core.exports.multiply(convolved.pointer, convolved.pointer, c.pointer, count);
    await products.contract(output, convolved, convolved, y, pass);
  }
}
