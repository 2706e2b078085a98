import {activations} from '../../core/core-exports.ts';
import type {DeltaRuleSpec} from '../decoder-spec.ts';
import {deltaRuleChannels, mixerState} from '../mixer-states.ts';
import type {Rows, ScratchPlan} from '../scratch.ts';
import type {WeightPlanner} from '../weight-planner.ts';
import type {Contraction, DividedLinear, NormWeights, Vector} from '../weights.ts';
import {convolve, planCausalConvolution, transposeKernel} from './causal-convolution.ts';
import type {CausalConvolutionWeights} from './causal-convolution.ts';
import {layerState, normaliseHeads} from './kernels.ts';
import type {Block, Kernels, Pass} from './kernels.ts';

export interface DeltaRuleWeights {
  /** Queries, keys and values. */
  readonly inputs: DividedLinear;
  readonly gate: DividedLinear;
  /** What decays and strengths come from: each (headCount), or both as one. */
  readonly steps: readonly [alpha: DividedLinear, beta: DividedLinear] | readonly [both: DividedLinear];
  readonly convolution: CausalConvolutionWeights;
  /** (headCount) */
  readonly stepBias: Vector;
  readonly rates: Vector;
  /** (valueLength) */
  readonly norm: NormWeights;
  readonly output: Contraction;
}

/** @param name prefix of the layer's tensors */
export function planDeltaRule(
  spec: DeltaRuleSpec,
  embeddingLength: number,
  name: string,
  weights: WeightPlanner,
): DeltaRuleWeights {
  const {headCount, valueLength, kernelLength, norm, grouped = false} = spec;
  const channels = deltaRuleChannels(spec);
  const inner = headCount * valueLength;
  const step = (tensor: string, rows: number): DividedLinear =>
    weights.divided(`${name}.${tensor}`, rows, embeddingLength);
  return {
    inputs: weights.divided(`${name}.attn_qkv`, channels, embeddingLength),
    gate: weights.divided(`${name}.attn_gate`, inner, embeddingLength),
    steps: grouped
      ? [step('ssm_ba', 2 * headCount)]
      : [step('ssm_alpha', headCount), step('ssm_beta', headCount)],
    convolution: planCausalConvolution(`${name}.ssm_conv1d`, channels, kernelLength, weights),
    stepBias: weights.vector(`${name}.ssm_dt.bias`, [headCount]),
    rates: weights.vector(`${name}.ssm_a`, [headCount]),
    norm: weights.norm(`${name}.ssm_norm`, valueLength, norm),
    output: weights.contractionOfWhole(`${name}.ssm_out`, embeddingLength, inner, headCount),
  };
}

export function planDeltaRuleScratch(spec: DeltaRuleSpec, scratch: ScratchPlan): void {
  const {headCount, valueLength, grouped = false} = spec;
  scratch.rows('channels', deltaRuleChannels(spec));
  scratch.rows('convolved', deltaRuleChannels(spec));
  scratch.rows('ssm gate', headCount * valueLength);
  scratch.rows('scanned', headCount * valueLength);
  if (grouped) scratch.rows('decays and strengths', 2 * headCount);
  else for (const name of ['decays', 'strengths']) scratch.rows(name, headCount);
}

/** y = (norm(delta rule(silu(convolution(x · Wqkv)))) ∘ silu(gate)) · Wo */
export class DeltaRule implements Block {
  readonly #spec: DeltaRuleSpec;
  readonly #weights: DeltaRuleWeights;
  readonly #kernels: Kernels;
  readonly #layer: number;
  /** Queries, keys, values: (tokens, channels) */
  readonly #channels: Rows;
  readonly #convolved: Rows;
  /** (tokens, headCount · valueLength) */
  readonly #gate: Rows;
  readonly #recalled: Rows;
  /** Of decays and strengths: (tokens, headCount) each, or (tokens, 2 headCount). */
  readonly #steps: readonly Rows[];

  constructor(spec: DeltaRuleSpec, weights: DeltaRuleWeights, kernels: Kernels, layer: number) {
    const {scratch} = kernels;
    const inner = spec.headCount * spec.valueLength;
    this.#spec = spec;
    this.#weights = weights;
    this.#kernels = kernels;
    this.#layer = layer;
    this.#channels = scratch.rows('channels', deltaRuleChannels(spec));
    this.#convolved = scratch.rows('convolved', deltaRuleChannels(spec));
    this.#gate = scratch.rows('ssm gate', inner);
    this.#recalled = scratch.rows('scanned', inner);
    this.#steps = spec.grouped
      ? [scratch.rows('decays and strengths', 2 * spec.headCount)]
      : ['decays', 'strengths'].map((name) => scratch.rows(name, spec.headCount));
    transposeKernel(weights.convolution, kernels);
  }

  async run(x: Rows, y: Rows, pass: Pass): Promise<void> {
    const {products, core} = this.#kernels;
    const {inputs, gate, steps, convolution, norm, output} = this.#weights;
    const {tokens} = pass;
    const projected = [
      {product: inputs, y: this.#channels},
      {product: gate, y: this.#gate},
      ...steps.map((product, index) => ({product, y: this.#steps[index] as Rows})),
    ];
    await products.projectWhole(projected, x, tokens);
    const place = layerState(pass, this.#layer);
    convolve(convolution, this.#kernels, this.#channels, this.#convolved, tokens, place, true);
    this.#normaliseKeys(tokens);
    this.#recall(pass);
    const {headCount} = this.#spec;
    const recalled = this.#recalled;
    normaliseHeads(this.#kernels, {...this.#spec.norm, over: 'head'}, norm, recalled, headCount, tokens);
    const count = (tokens * recalled.stride) / 4;
    const {pointer} = recalled;
    core.exports.activateGate(activations.silu, this.#gate.pointer, pointer, pointer, count);
    await products.contract(output, recalled, recalled, y, pass);
  }

  /** Queries and keys of each head become unit vectors. */
  #normaliseKeys(tokens: number): void {
    const {keyHeadCount, keyLength, norm} = this.#spec;
    const {pointer, stride} = this.#convolved;
    for (let token = 0; token < tokens; token++) {
      const heads = pointer + token * stride;
      const rows = 2 * keyHeadCount;
      this.#kernels.core.exports.l2Norm(heads, keyLength, norm.epsilon, rows, keyLength * 4);
    }
  }

  #recall(pass: Pass): void {
    const {headCount, keyHeadCount, grouped} = this.#spec;
    const [first, second] = this.#steps as [Rows, Rows];
    if (!grouped) {
      this.#recallHeads(
        pass,
        {key: 0, keys: keyHeadCount, head: 0, heads: headCount},
        first.pointer,
        second.pointer,
      );
      return;
    }
    const heads = headCount / keyHeadCount;
    for (let key = 0; key < keyHeadCount; key++) {
      const strengths = first.pointer + 2 * key * heads * 4;
      this.#recallHeads(pass, {key, keys: 1, head: key * heads, heads}, strengths + heads * 4, strengths);
    }
  }

  /** `heads` of values from `head` on, with `keys` heads of keys from `key` on. */
  #recallHeads(
    pass: Pass,
    {key, keys, head, heads}: Readonly<Record<'key' | 'keys' | 'head' | 'heads', number>>,
    decays: number,
    strengths: number,
  ): void {
    const {keyHeadCount, keyLength, valueLength} = this.#spec;
    const {stepBias, rates} = this.#weights;
    const [convolved, recalled, steps] = [this.#convolved, this.#recalled, this.#steps[0] as Rows];
    const {from, to} = layerState(
      pass,
      this.#layer,
      mixerState(this.#spec, this.#kernels.products.share).convolution,
    );
    const allKeyBytes = keyHeadCount * keyLength * 4;
    const queries = convolved.pointer + key * keyLength * 4;
    const stateOffset = head * keyLength * valueLength * 4;
    this.#kernels.core.exports.gatedDeltaRule(
      queries,
      queries + allKeyBytes,
      convolved.pointer + 2 * allKeyBytes + head * valueLength * 4,
      decays,
      strengths,
      stepBias.pointer + head * 4,
      rates.pointer + head * 4,
      from + stateOffset,
      to + stateOffset,
      recalled.pointer + head * valueLength * 4,
      heads,
      keys,
      keyLength,
      valueLength,
      pass.tokens,
      1 / Math.sqrt(keyLength),
      convolved.stride,
      steps.stride,
      recalled.stride,
    );
  }
}
