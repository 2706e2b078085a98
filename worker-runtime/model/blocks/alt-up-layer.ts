import type {AltUpSpec, DecoderSpec} from '../decoder-spec.ts';
import type {Rows} from '../scratch.ts';
import type {WeightPlanner} from '../weight-planner.ts';
import type {Linear, NormWeights, Vector} from '../weights.ts';
import {streamsOf} from './alt-up.ts';
import {normalise} from './kernels.ts';
import type {Kernels} from './kernels.ts';

/** All of them on every shard: they are small, and what they give all need. */
export interface AltUpLayerWeights {
  readonly routerNorm: NormWeights;
  /** (streams, embeddingLength) */
  readonly router: Linear;
  /** (streams², streams): row streams · i + j is how much of stream j is added to stream i. */
  readonly predict: Linear;
  /** (streams, streams) */
  readonly correct: Linear;
  /** Of the residual stream, before the layer's own embedding of the token is opened by it. */
  readonly scale: Vector;
}

/** @param name prefix of the layer's tensors */
export function planAltUpLayer(
  {embeddingLength, norm, altUp}: DecoderSpec,
  name: string,
  weights: WeightPlanner,
): AltUpLayerWeights | null {
  if (!altUp) return null;
  const {streams} = altUp;
  return {
    routerNorm: weights.norm(`${name}.altup_router_norm`, embeddingLength, norm),
    router: weights.linear(`${name}.altup_router`, streams, embeddingLength),
    predict: weights.linear(`${name}.altup_predict_coef`, streams ** 2, streams),
    correct: weights.linear(`${name}.altup_correct_coef`, streams, streams),
    scale: weights.vector(`${name}.altup_correct_scale.weight`, [embeddingLength]),
  };
}

/** What becomes of the streams in a layer: `predict` before its blocks, the others behind them, in their order. */
export class AltUpLayer {
  readonly #spec: DecoderSpec;
  readonly #weights: AltUpLayerWeights;
  readonly #kernels: Kernels;
  readonly #streams: readonly Rows[];
  /** The first of them. */
  readonly #hidden: Rows;
  /** What it was predicted to be. */
  readonly #predicted: Rows;
  readonly #normed: Rows;
  /** What the blocks have changed. */
  readonly #innovation: Rows;
  readonly #modalities: Rows;
  /** f32 (streams, stride / 4): the streams of one token, before they take the place of the old ones. */
  readonly #predictions: number;

  constructor(spec: DecoderSpec, altUp: AltUpSpec, weights: AltUpLayerWeights, kernels: Kernels) {
    const {scratch} = kernels;
    const rows = (name: string): Rows => scratch.rows(name, spec.embeddingLength);
    this.#spec = spec;
    this.#weights = weights;
    this.#kernels = kernels;
    this.#streams = streamsOf(altUp, scratch, spec.embeddingLength);
    this.#hidden = rows('hidden');
    this.#predicted = rows('predicted');
    this.#normed = rows('normed');
    this.#innovation = rows('mixed');
    this.#modalities = scratch.rows('modalities', altUp.streams);
    this.#predictions = scratch.pointer('predictions');
  }

  /** stream i += Σ factor (i, j) · stream j */
  predict(tokens: number): void {
    const {core} = this.#kernels;
    const {pointer, stride} = this.#hidden;
    const factors = this.#factors(this.#weights.predict, tokens);
    for (let token = 0; token < tokens; token++) {
      const rows = this.#streams.map((stream) => stream.pointer + token * stream.stride);
      this.#predictToken(rows, core.f32(factors.pointer + token * factors.stride, factors.columns));
    }
    core.copy(pointer, this.#predicted.pointer, tokens * stride);
  }

  /** stream i = its prediction + (1 + factor i) · what the blocks have changed */
  correct(tokens: number): void {
    const {core} = this.#kernels;
    const {pointer, stride} = this.#hidden;
    const [predicted, innovation] = [this.#predicted.pointer, this.#innovation.pointer];
    const factors = this.#factors(this.#weights.correct, tokens);
    core.exports.addScaled(innovation, pointer, predicted, -1, (tokens * stride) / 4);
    core.copy(predicted, pointer, tokens * stride);
    for (let token = 0; token < tokens; token++) {
      const own = core.f32(factors.pointer + token * factors.stride, factors.columns);
      this.#streams.forEach((stream, index) => {
        const row = stream.pointer + token * stride;
        core.exports.addScaled(row, row, innovation + token * stride, 1 + (own[index] ?? NaN), stride / 4);
      });
    }
  }

  /** What opens the layer's own embedding: the residual stream times its scale, (tokens, embeddingLength). */
  scaled(tokens: number): Rows {
    const {exports} = this.#kernels.core;
    const {pointer, stride} = this.#hidden;
    const {scale} = this.#weights;
    for (let token = 0; token < tokens; token++) {
      const [from, to] = [pointer + token * stride, this.#normed.pointer + token * stride];
      exports.multiply(to, from, scale.pointer, scale.length);
    }
    return this.#normed;
  }

  /** Adds x (tokens, embeddingLength) to all streams but the residual one. */
  addToOthers(x: Rows, tokens: number): void {
    const [, ...others] = this.#streams;
    for (const {pointer, stride} of others) {
      this.#kernels.core.exports.add(pointer, pointer, x.pointer, (tokens * stride) / 4);
    }
  }

  /** @param rows of one token, in each stream */
  #predictToken(rows: readonly number[], factors: Float32Array): void {
    const {core} = this.#kernels;
    const {stride} = this.#hidden;
    rows.forEach((row, index) => {
      const target = this.#predictions + index * stride;
      rows.forEach((other, from) => {
        const factor = factors[index * rows.length + from] ?? NaN;
        core.exports.addScaled(target, from === 0 ? row : target, other, factor, stride / 4);
      });
    });
    rows.forEach((row, index) => core.copy(this.#predictions + index * stride, row, stride));
  }

  /** tanh(router · norm(hidden) / embeddingLength) through another matrix: valid until the next call. */
  #factors(linear: Linear, tokens: number): Rows {
    const {core, products, scratch} = this.#kernels;
    const {norm, embeddingLength} = this.#spec;
    const {routerNorm, router} = this.#weights;
    const modalities = this.#modalities;
    normalise(this.#kernels, norm, routerNorm, this.#hidden, this.#normed, tokens);
    core.exports.scale(this.#normed.pointer, 1 / embeddingLength, (tokens * this.#normed.stride) / 4);
    products.project(router, this.#normed, modalities, tokens);
    core.exports.softCap(modalities.pointer, 1, (tokens * modalities.stride) / 4);
    const factors = scratch.rows('stream factors', linear.matrix.rows);
    products.project(linear, modalities, factors, tokens);
    return factors;
  }
}
