import {activations} from '../../core/core-exports.ts';
import type {DecoderSpec} from '../decoder-spec.ts';
import type {Rows, ScratchPlan} from '../scratch.ts';
import type {WeightPlanner} from '../weight-planner.ts';
import type {DividedLinear, DividedMatrix, NormWeights} from '../weights.ts';
import {normalise} from './kernels.ts';
import type {Block, Kernels, Pass} from './kernels.ts';

/** Each layer's own embedding of a token, P long, for all layers together. */
export interface PerLayerEmbeddingWeights {
  /** (vocabularySize, layers · P) */
  readonly embedding: DividedMatrix;
  /** (layers · P, embeddingLength) */
  readonly projection: DividedLinear;
  /** (P) */
  readonly norm: NormWeights;
}

export function planPerLayerEmbedding(
  {embeddingLength, vocabularySize, perLayerLength, layers, norm}: DecoderSpec,
  weights: WeightPlanner,
): PerLayerEmbeddingWeights | null {
  if (perLayerLength === 0) return null;
  const length = layers.length * perLayerLength;
  return {
    embedding: weights.table('per_layer_token_embd', vocabularySize, length),
    projection: weights.divided('per_layer_model_proj', length, embeddingLength),
    norm: weights.norm('per_layer_proj_norm', perLayerLength, norm),
  };
}

export function planPerLayerScratch({perLayerLength, layers}: DecoderSpec, scratch: ScratchPlan): void {
  if (perLayerLength === 0) return;
  scratch.rows('per layer', layers.length * perLayerLength);
  scratch.rows('per layer tokens', layers.length * perLayerLength);
  scratch.rows('opened', perLayerLength);
  scratch.rows('opened input', perLayerLength);
}

/**
 * Fills `per layer` (tokens, layers · P): (embedding · √P + norm(projection of the token's embedding · 1/√E)) / √2.
 *
 * @param hidden the scaled embeddings (tokens, embeddingLength)
 */
export async function embedPerLayer(
  {embeddingLength, perLayerLength, layers, norm}: DecoderSpec,
  {embedding, projection, norm: weights}: PerLayerEmbeddingWeights,
  kernels: Kernels,
  hidden: Rows,
  tokens: readonly number[],
): Promise<void> {
  const {scratch, products, core} = kernels;
  const length = layers.length * perLayerLength;
  const projected = scratch.rows('per layer', length);
  const own = scratch.rows('per layer tokens', length);
  const count = (tokens.length * projected.stride) / 4;
  await products.projectWhole([{product: projection, y: projected}], hidden, tokens.length);
  await products.lookUp(embedding, tokens, own);
  core.exports.scale(projected.pointer, 1 / Math.sqrt(embeddingLength), count);
  tokens.forEach((_, index) => {
    const pointer = projected.pointer + index * projected.stride;
    const rows = {pointer, columns: perLayerLength, stride: perLayerLength * 4};
    normalise(kernels, norm, weights, rows, rows, layers.length);
  });
  core.exports.addScaled(projected.pointer, projected.pointer, own.pointer, Math.sqrt(perLayerLength), count);
  core.exports.scale(projected.pointer, Math.SQRT1_2, count);
}

export interface PerLayerInputWeights {
  /** (P, embeddingLength) */
  readonly gate: DividedLinear;
  /** (embeddingLength, P) */
  readonly projection: DividedLinear;
  readonly norm: NormWeights;
}

export function planPerLayerInput(
  {embeddingLength, perLayerLength, norm}: DecoderSpec,
  name: string,
  weights: WeightPlanner,
): PerLayerInputWeights {
  return {
    gate: weights.divided(`${name}.inp_gate`, perLayerLength, embeddingLength),
    projection: weights.divided(`${name}.proj`, embeddingLength, perLayerLength),
    norm: weights.norm(`${name}.post_norm`, embeddingLength, norm),
  };
}

/** y = norm((gelu(x · gate) ∘ the layer's own embedding) · projection) */
export class PerLayerInput implements Block {
  readonly #spec: DecoderSpec;
  readonly #weights: PerLayerInputWeights;
  readonly #kernels: Kernels;
  readonly #layer: number;

  constructor(spec: DecoderSpec, layer: number, weights: PerLayerInputWeights, kernels: Kernels) {
    this.#spec = spec;
    this.#layer = layer;
    this.#weights = weights;
    this.#kernels = kernels;
  }

  async run(x: Rows, y: Rows, {tokens}: Pass): Promise<void> {
    const {core, products, scratch} = this.#kernels;
    const {perLayerLength, layers, norm} = this.#spec;
    const {gate, projection, norm: weights} = this.#weights;
    const opened = scratch.rows('opened', perLayerLength);
    const input = scratch.rows('opened input', perLayerLength);
    const all = scratch.rows('per layer', layers.length * perLayerLength);
    await products.projectWhole([{product: gate, y: opened}], x, tokens);
    for (let token = 0; token < tokens; token++) {
      const from = all.pointer + token * all.stride + this.#layer * perLayerLength * 4;
      const to = input.pointer + token * input.stride;
      core.copy(from, to, perLayerLength * 4);
    }
    const {pointer, stride} = opened;
    core.exports.activateGate(activations.gelu, pointer, input.pointer, pointer, (tokens * stride) / 4);
    await products.projectWhole([{product: projection, y}], opened, tokens);
    normalise(this.#kernels, norm, weights, y, y, tokens);
  }
}
