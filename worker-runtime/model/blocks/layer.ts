import type {CoreExports} from '../../core/core-exports.ts';
import type {Share} from '../../shards/share.ts';
import type {DecoderSpec, LayerNorms, LayerSpec} from '../decoder-spec.ts';
import type {Rows, ScratchPlan} from '../scratch.ts';
import type {WeightPlanner} from '../weight-planner.ts';
import type {NormWeights} from '../weights.ts';
import {AltUpLayer, planAltUpLayer} from './alt-up-layer.ts';
import type {AltUpLayerWeights} from './alt-up-layer.ts';
import {normalise} from './kernels.ts';
import {Laurel, planLaurel, planLaurelScratch} from './laurel.ts';
import type {LaurelWeights} from './laurel.ts';
import {planMixer, planMixerScratch} from './mixer.ts';
import type {PlannedMixer} from './mixer.ts';
import {planNetwork} from './network.ts';
import type {PlannedNetwork} from './network.ts';
import {PerLayerInput, planPerLayerInput} from './per-layer-input.ts';
import type {PerLayerInputWeights} from './per-layer-input.ts';
import type {Block, Kernels, Pass} from './kernels.ts';

export interface LayerWeights {
  readonly mixer: PlannedMixer;
  readonly feedForward: PlannedNetwork | null;
  readonly norms: Readonly<Record<keyof LayerNorms, NormWeights | null>>;
  readonly perLayerInput: PerLayerInputWeights | null;
  readonly laurel: LaurelWeights | null;
  readonly altUp: AltUpLayerWeights | null;
  /** Factor of the residual stream behind the layer, filled while loading; `null` where the file has none. */
  readonly outputScale: Float32Array<ArrayBuffer> | null;
}

export function planLayer(
  decoder: DecoderSpec,
  layer: LayerSpec,
  index: number,
  weights: WeightPlanner,
): LayerWeights {
  const {embeddingLength, norm} = decoder;
  const name = `blk.${index}`;
  const plan = (tensor: string | null): NormWeights | null =>
    tensor === null ? null : weights.norm(`${name}.${tensor}`, embeddingLength, norm);
  const {mixer, mixerOutput, feedForward, feedForwardOutput} = layer.norms;
  const {mixerSum = null, feedForwardSum = null} = layer.norms;
  return {
    norms: {
      mixer: plan(mixer),
      mixerOutput: plan(mixerOutput),
      feedForward: plan(feedForward),
      feedForwardOutput: plan(feedForwardOutput),
      mixerSum: plan(mixerSum),
      feedForwardSum: plan(feedForwardSum),
    },
    mixer: planMixer(decoder, layer.mixer, index, name, weights),
    feedForward: layer.feedForward && planNetwork(layer.feedForward, embeddingLength, index, name, weights),
    perLayerInput: layer.perLayerInput ? planPerLayerInput(decoder, name, weights) : null,
    laurel: layer.laurelRank === undefined ? null : planLaurel(decoder, layer.laurelRank, name, weights),
    altUp: planAltUpLayer(decoder, name, weights),
    outputScale: weights.optionalArray(`${name}.layer_output_scale.weight`, 1),
  };
}

export function planLayerScratch(
  {embeddingLength}: DecoderSpec,
  {mixer, laurelRank}: LayerSpec,
  {feedForward}: LayerWeights,
  share: Share,
  scratch: ScratchPlan,
  calculator: CoreExports,
): void {
  for (const name of ['hidden', 'normed', 'mixed', 'fed']) scratch.rows(name, embeddingLength);
  planMixerScratch(mixer, embeddingLength, share, scratch, calculator);
  feedForward?.planScratch(share, scratch);
  if (laurelRank !== undefined) planLaurelScratch(laurelRank, scratch);
}

/** A mixer of tokens and a feed-forward network, each with what it adds to the residual stream. */
export class Layer {
  readonly #decoder: DecoderSpec;
  readonly #mixer: Block;
  readonly #feedForward: Block | null;
  readonly #perLayerInput: Block | null;
  readonly #laurel: Block | null;
  readonly #altUp: AltUpLayer | null;
  readonly #outputScale: Float32Array | null;
  readonly #parallel: boolean;
  readonly #norms: LayerWeights['norms'];
  readonly #kernels: Kernels;
  /** The residual stream, a block's normed input, and what mixer and feed-forward give: (tokens, embeddingLength). */
  readonly #hidden: Rows;
  readonly #normed: Rows;
  readonly #mixed: Rows;
  readonly #fed: Rows;

  constructor(decoder: DecoderSpec, index: number, spec: LayerSpec, weights: LayerWeights, kernels: Kernels) {
    const rows = (name: string): Rows => kernels.scratch.rows(name, decoder.embeddingLength);
    this.#decoder = decoder;
    this.#mixer = weights.mixer(kernels);
    this.#feedForward = weights.feedForward && weights.feedForward.create(kernels);
    this.#perLayerInput =
      weights.perLayerInput && new PerLayerInput(decoder, index, weights.perLayerInput, kernels);
    this.#laurel = weights.laurel && new Laurel(decoder, weights.laurel, kernels);
    const {altUp} = decoder;
    this.#altUp = altUp && weights.altUp && new AltUpLayer(decoder, altUp, weights.altUp, kernels);
    this.#outputScale = weights.outputScale;
    this.#parallel = spec.parallel;
    this.#norms = weights.norms;
    this.#kernels = kernels;
    this.#hidden = rows('hidden');
    this.#normed = rows('normed');
    this.#mixed = rows('mixed');
    this.#fed = rows('fed');
  }

  /** Stores the keys and values of a slice of a whole text: of all slices, before one of them runs. */
  async prepare(pass: Pass): Promise<void> {
    await this.#mixer.prepare?.(this.#input(this.#norms.mixer, pass), pass);
  }

  /** Checks before the last exchange between shards, never behind it: when one shard has finished, all will. */
  async run(pass: Pass): Promise<void> {
    this.#altUp?.predict(pass.tokens);
    await (this.#parallel ? this.#runParallel(pass) : this.#runInTurn(pass));
    await this.#finish(pass);
  }

  async #runInTurn(pass: Pass): Promise<void> {
    const {mixer, mixerOutput, mixerSum, feedForward, feedForwardOutput, feedForwardSum} = this.#norms;
    const input = this.#input(mixer, pass);
    await this.#mixer.run(input, this.#mixed, pass);
    this.#add(this.#mixed, mixerOutput, pass);
    await this.#addLaurel(input, pass);
    this.#normaliseSum(mixerSum, pass);
    if (!this.#feedForward) return;
    await pass.checkpoint();
    await this.#feedForward.run(this.#input(feedForward, pass), this.#fed, pass);
    this.#add(this.#fed, feedForwardOutput, pass);
    this.#normaliseSum(feedForwardSum, pass);
  }

  async #runParallel(pass: Pass): Promise<void> {
    const {mixer, mixerOutput, feedForward, feedForwardOutput} = this.#norms;
    const shared = this.#input(mixer, pass);
    await this.#mixer.run(shared, this.#mixed, pass);
    await pass.checkpoint();
    const own = feedForward ? this.#input(feedForward, pass) : shared;
    await this.#feedForward?.run(own, this.#fed, pass);
    this.#add(this.#mixed, mixerOutput, pass);
    if (this.#feedForward) this.#add(this.#fed, feedForwardOutput, pass);
  }

  /** hidden = (hidden + laurel(x)) / √2, where x is what the mixer had. */
  async #addLaurel(x: Rows, pass: Pass): Promise<void> {
    if (!this.#laurel) return;
    await this.#laurel.run(x, this.#fed, pass);
    this.#add(this.#fed, null, pass);
    const {pointer, stride} = this.#hidden;
    this.#kernels.core.exports.scale(pointer, Math.SQRT1_2, (pass.tokens * stride) / 4);
  }

  /** What a layer does with the residual streams behind its two blocks, if anything. */
  async #finish(pass: Pass): Promise<void> {
    this.#altUp?.correct(pass.tokens);
    if (this.#perLayerInput) {
      const opening = this.#altUp?.scaled(pass.tokens) ?? this.#hidden;
      await this.#perLayerInput.run(opening, this.#mixed, pass);
      if (this.#altUp) this.#altUp.addToOthers(this.#mixed, pass.tokens);
      else this.#add(this.#mixed, null, pass);
    }
    const scale = this.#outputScale?.[0];
    if (scale === undefined) return;
    const {pointer, stride} = this.#hidden;
    this.#kernels.core.exports.scale(pointer, scale, (pass.tokens * stride) / 4);
  }

  /** norm(hidden), or hidden itself without a norm. */
  #input(norm: NormWeights | null, {tokens}: Pass): Rows {
    if (!norm) return this.#hidden;
    normalise(this.#kernels, this.#decoder.norm, norm, this.#hidden, this.#normed, tokens);
    return this.#normed;
  }

  /** hidden = norm(hidden) */
  #normaliseSum(norm: NormWeights | null, {tokens}: Pass): void {
    if (norm) normalise(this.#kernels, this.#decoder.norm, norm, this.#hidden, this.#hidden, tokens);
  }

  /** hidden += norm(x) · residualScale */
  #add(x: Rows, norm: NormWeights | null, {tokens}: Pass): void {
    if (norm) normalise(this.#kernels, this.#decoder.norm, norm, x, x, tokens);
    const {exports} = this.#kernels.core;
    const {pointer, stride} = this.#hidden;
    const count = (tokens * stride) / 4;
    const {residualScale} = this.#decoder;
    if (residualScale === 1) exports.add(pointer, pointer, x.pointer, count);
    else exports.addScaled(pointer, pointer, x.pointer, residualScale, count);
  }
}
