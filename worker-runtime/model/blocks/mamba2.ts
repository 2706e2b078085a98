import {activations} from '../../core/core-exports.ts';
import type {Mamba2Spec} from '../decoder-spec.ts';
import {mamba2Channels, mamba2Inner, mixerState} from '../mixer-states.ts';
import type {Rows, ScratchPlan} from '../scratch.ts';
import type {WeightPlanner} from '../weight-planner.ts';
import type {Contraction, DividedLinear, Vector} from '../weights.ts';
import {convolve, planCausalConvolution, transposeKernel} from './causal-convolution.ts';
import type {CausalConvolutionWeights} from './causal-convolution.ts';
import {layerState, normaliseHeads} from './kernels.ts';
import type {Block, Kernels, Pass} from './kernels.ts';

export interface Mamba2Weights {
  /** The gate, what the convolution passes over, and the steps. */
  readonly inputs: readonly [DividedLinear, DividedLinear, DividedLinear];
  readonly convolution: CausalConvolutionWeights;
  /** Each (headCount). */
  readonly stepBias: Vector;
  readonly rates: Vector;
  readonly skip: Vector;
  /** (groupCount, inner / groupCount) */
  readonly norm: Vector | null;
  readonly output: Contraction;
}

/** @param name prefix of the layer's tensors */
export function planMamba2(
  spec: Mamba2Spec,
  embeddingLength: number,
  name: string,
  weights: WeightPlanner,
): Mamba2Weights {
  const {headCount, kernelLength, groupCount, norm} = spec;
  const [inner, channels] = [mamba2Inner(spec), mamba2Channels(spec)];
  const rows = [inner, channels, headCount];
  return {
    inputs: weights.stackedDivided(`${name}.ssm_in`, rows, embeddingLength) as [
      DividedLinear,
      DividedLinear,
      DividedLinear,
    ],
    convolution: planCausalConvolution(`${name}.ssm_conv1d`, channels, kernelLength, weights),
    stepBias: weights.vector(`${name}.ssm_dt.bias`, [headCount]),
    rates: weights.vector(`${name}.ssm_a`, [1, headCount]),
    skip: weights.vector(`${name}.ssm_d`, [1, headCount]),
    norm: norm && weights.vector(`${name}.ssm_norm.weight`, [inner / groupCount, groupCount]),
    output: weights.contractionOfWhole(`${name}.ssm_out`, embeddingLength, inner, groupCount),
  };
}

export function planMamba2Scratch(spec: Mamba2Spec, scratch: ScratchPlan): void {
  scratch.rows('ssm gate', mamba2Inner(spec));
  scratch.rows('channels', mamba2Channels(spec));
  scratch.rows('convolved', mamba2Channels(spec));
  scratch.rows('steps', spec.headCount);
  scratch.rows('scanned', mamba2Inner(spec));
}

/** y = norm(scan(silu(convolution(x · Win))) ∘ silu(gate)) · Wo */
export class Mamba2 implements Block {
  readonly #spec: Mamba2Spec;
  readonly #weights: Mamba2Weights;
  readonly #kernels: Kernels;
  readonly #layer: number;
  /** (tokens, inner) */
  readonly #gate: Rows;
  /** x, B and C: (tokens, channels) */
  readonly #channels: Rows;
  readonly #convolved: Rows;
  /** (tokens, headCount) */
  readonly #steps: Rows;
  /** (tokens, inner) */
  readonly #scanned: Rows;

  constructor(spec: Mamba2Spec, weights: Mamba2Weights, kernels: Kernels, layer: number) {
    const {scratch} = kernels;
    this.#spec = spec;
    this.#weights = weights;
    this.#kernels = kernels;
    this.#layer = layer;
    this.#gate = scratch.rows('ssm gate', mamba2Inner(spec));
    this.#channels = scratch.rows('channels', mamba2Channels(spec));
    this.#convolved = scratch.rows('convolved', mamba2Channels(spec));
    this.#steps = scratch.rows('steps', spec.headCount);
    this.#scanned = scratch.rows('scanned', mamba2Inner(spec));
    transposeKernel(weights.convolution, kernels);
  }

  async run(x: Rows, y: Rows, pass: Pass): Promise<void> {
    const {products, core} = this.#kernels;
    const {inputs, convolution, output} = this.#weights;
    const {tokens} = pass;
    const projected = [
      {product: inputs[0], y: this.#gate},
      {product: inputs[1], y: this.#channels},
      {product: inputs[2], y: this.#steps},
    ];
    await products.projectWhole(projected, x, tokens);
    const place = layerState(pass, this.#layer);
    convolve(convolution, this.#kernels, this.#channels, this.#convolved, tokens, place, true);
    this.#scan(pass);
    const [gate, scanned] = [this.#gate, this.#scanned];
    const count = (tokens * scanned.stride) / 4;
    core.exports.activateGate(activations.silu, gate.pointer, scanned.pointer, scanned.pointer, count);
    this.#normalise(tokens);
    await products.contract(output, scanned, scanned, y, pass);
  }

  #scan(pass: Pass): void {
    const {headCount, headLength, stateLength, groupCount} = this.#spec;
    const {stepBias, rates, skip} = this.#weights;
    const [convolved, steps, scanned] = [this.#convolved, this.#steps, this.#scanned];
    const {from, to} = layerState(
      pass,
      this.#layer,
      mixerState(this.#spec, this.#kernels.products.share).convolution,
    );
    this.#kernels.core.exports.mamba2Scan(
      convolved.pointer,
      steps.pointer,
      stepBias.pointer,
      rates.pointer,
      skip.pointer,
      from,
      to,
      scanned.pointer,
      headCount,
      headLength,
      stateLength,
      groupCount,
      pass.tokens,
      convolved.stride,
      steps.stride,
      scanned.stride,
    );
  }

  #normalise(tokens: number): void {
    const {norm, groupCount} = this.#spec;
    const {norm: weight} = this.#weights;
    if (!norm || !weight) return;
    const own = {weight, bias: null};
    normaliseHeads(this.#kernels, {...norm, over: 'each-head'}, own, this.#scanned, groupCount, tokens);
  }
}
