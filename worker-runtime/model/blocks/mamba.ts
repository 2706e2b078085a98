import {activations} from '../../core/core-exports.ts';
import type {MambaSpec} from '../decoder-spec.ts';
import {mambaStepLength, mixerState} from '../mixer-states.ts';
import type {Rows, ScratchPlan} from '../scratch.ts';
import type {WeightPlanner} from '../weight-planner.ts';
import type {Contraction, DividedLinear, Vector} from '../weights.ts';
import {convolve, planCausalConvolution, transposeKernel} from './causal-convolution.ts';
import type {CausalConvolutionWeights} from './causal-convolution.ts';
import {layerState, normalise} from './kernels.ts';
import type {Block, Kernels, Pass} from './kernels.ts';

export interface MambaWeights {
  /** What the convolution passes over, and the gate. */
  readonly inputs: readonly [DividedLinear, DividedLinear];
  readonly convolution: CausalConvolutionWeights;
  /** Steps, B and C. */
  readonly selection: DividedLinear;
  readonly step: DividedLinear;
  /** (channels, stateLength) */
  readonly rates: Vector;
  /** (channels) */
  readonly skip: Vector;
  readonly output: Contraction;
}

/** @param name prefix of the layer's tensors */
export function planMamba(
  spec: MambaSpec,
  embeddingLength: number,
  name: string,
  weights: WeightPlanner,
): MambaWeights {
  const {channels, kernelLength, stateLength, stepRank} = spec;
  return {
    inputs: weights.stackedDivided(`${name}.ssm_in`, [channels, channels], embeddingLength) as [
      DividedLinear,
      DividedLinear,
    ],
    convolution: planCausalConvolution(`${name}.ssm_conv1d`, channels, kernelLength, weights),
    selection: weights.divided(`${name}.ssm_x`, mambaStepLength(spec), channels),
    step: weights.divided(`${name}.ssm_dt`, channels, stepRank),
    rates: weights.vector(`${name}.ssm_a`, [stateLength, channels]),
    skip: weights.vector(`${name}.ssm_d`, [channels]),
    output: weights.contractionOfWhole(`${name}.ssm_out`, embeddingLength, channels, channels),
  };
}

export function planMambaScratch(spec: MambaSpec, scratch: ScratchPlan): void {
  const {channels} = spec;
  for (const name of ['ssm gate', 'channels', 'convolved', 'steps', 'scanned']) scratch.rows(name, channels);
  scratch.rows('selection', mambaStepLength(spec));
}

/** y = (scan(silu(convolution(x · Win))) ∘ silu(gate)) · Wo */
export class Mamba implements Block {
  readonly #spec: MambaSpec;
  readonly #weights: MambaWeights;
  readonly #kernels: Kernels;
  readonly #layer: number;
  /** All (tokens, channels). */
  readonly #gate: Rows;
  readonly #channels: Rows;
  readonly #convolved: Rows;
  readonly #steps: Rows;
  readonly #scanned: Rows;
  /** Steps (stepRank), B and C (stateLength each): (tokens, …) */
  readonly #selection: Rows;

  constructor(spec: MambaSpec, weights: MambaWeights, kernels: Kernels, layer: number) {
    const rows = (name: string): Rows => kernels.scratch.rows(name, spec.channels);
    this.#spec = spec;
    this.#weights = weights;
    this.#kernels = kernels;
    this.#layer = layer;
    this.#gate = rows('ssm gate');
    this.#channels = rows('channels');
    this.#convolved = rows('convolved');
    this.#steps = rows('steps');
    this.#scanned = rows('scanned');
    this.#selection = kernels.scratch.rows('selection', mambaStepLength(spec));
    transposeKernel(weights.convolution, kernels);
  }

  async run(x: Rows, y: Rows, pass: Pass): Promise<void> {
    const {products, core} = this.#kernels;
    const {inputs, convolution, selection, step, output} = this.#weights;
    const {tokens} = pass;
    const [gate, scanned] = [this.#gate, this.#scanned];
    const projected = [
      {product: inputs[0], y: this.#channels},
      {product: inputs[1], y: gate},
    ];
    await products.projectWhole(projected, x, tokens);
    const place = layerState(pass, this.#layer);
    convolve(convolution, this.#kernels, this.#channels, this.#convolved, tokens, place, true);
    await products.projectWhole([{product: selection, y: this.#selection}], this.#convolved, tokens);
    this.#normaliseSelection(tokens);
    await products.projectWhole([{product: step, y: this.#steps}], this.#selection, tokens);
    this.#scan(pass);
    const count = (tokens * scanned.stride) / 4;
    core.exports.activateGate(activations.silu, gate.pointer, scanned.pointer, scanned.pointer, count);
    await products.contract(output, scanned, scanned, y, pass);
  }

  #normaliseSelection(tokens: number): void {
    const {stepNorm, stepRank, stateLength} = this.#spec;
    if (!stepNorm) return;
    const {pointer, stride} = this.#selection;
    const parts = [
      [0, stepRank],
      [stepRank, stateLength],
      [stepRank + stateLength, stateLength],
    ] as const;
    for (const [first, columns] of parts) {
      const rows = {pointer: pointer + first * 4, columns, stride};
      normalise(this.#kernels, stepNorm, {weight: null, bias: null}, rows, rows, tokens);
    }
  }

  #scan(pass: Pass): void {
    const {channels, stateLength, stepRank} = this.#spec;
    const {rates, skip} = this.#weights;
    const [convolved, scanned, selection] = [this.#convolved, this.#scanned, this.#selection];
    const b = selection.pointer + stepRank * 4;
    const {from, to} = layerState(
      pass,
      this.#layer,
      mixerState(this.#spec, this.#kernels.products.share).convolution,
    );
    this.#kernels.core.exports.mambaScan(
      convolved.pointer,
      this.#steps.pointer,
      rates.pointer,
      b,
      b + stateLength * 4,
      skip.pointer,
      from,
      to,
      scanned.pointer,
      channels,
      stateLength,
      pass.tokens,
      convolved.stride,
      selection.stride,
      scanned.stride,
    );
  }
}
