import type {Arena} from '../core/arena.ts';
import type {CoreExports} from '../core/core-exports.ts';
import type {GgufHeader} from '../gguf/header.ts';
import {planLayer, planLayerScratch} from './blocks/layer.ts';
import type {LayerWeights} from './blocks/layer.ts';
import {planPerLayerEmbedding, planPerLayerScratch} from './blocks/per-layer-input.ts';
import type {PerLayerEmbeddingWeights} from './blocks/per-layer-input.ts';
import type {DecoderSpec} from './decoder-spec.ts';
import {planProducts} from './products.ts';
import {allocateSampling} from './sampling-buffers.ts';
import type {SamplingBuffers} from './sampling-buffers.ts';
import {rowStride, ScratchPlan} from './scratch.ts';
import type {Rows, Scratch} from './scratch.ts';
import {WeightPlanner} from './weight-planner.ts';
import type {ActivationType, Destinations, Linear, Matrix, NormWeights} from './weights.ts';

export interface DecoderWeights {
  readonly embedding: Matrix;
  /** (trainingContextLength, embeddingLength) */
  readonly positions: Matrix | null;
  readonly embeddingNorm: NormWeights | null;
  readonly perLayer: PerLayerEmbeddingWeights | null;
  readonly layers: readonly LayerWeights[];
  readonly outputNorm: NormWeights;
  /** The embedding again where the file has no output matrix. */
  readonly output: Linear;
  /** For each rope, divisors of its frequencies `(dimensions / 2)`, filled while loading; `null` where the file has none. */
  readonly ropeFactors: readonly (Float32Array<ArrayBuffer> | null)[];
}

/** Everything that a decoder has in memory beside the caches, each in its place. */
export interface DecoderPlan {
  readonly weights: DecoderWeights;
  readonly destinations: Destinations;
  /** The most tokens of one step. */
  readonly sliceLength: number;
  readonly scratch: Scratch;
  /** (logitRows, vocabularySize) */
  readonly logits: Rows;
  readonly sampling: SamplingBuffers;
}

interface PlanOptions {
  readonly sliceLength: number;
  readonly activations?: ActivationType;
}

/** Rows of logits computed at once: one tile of the batch kernels. */
export const logitRows = 4;

/**
 * Gives every tensor that `spec` needs its place, and all scratch; from the header alone.
 *
 * @throws {GgufError} where the file lacks a tensor, has it in another shape or type, or has one more
 */
export function planDecoder(
  spec: DecoderSpec,
  header: GgufHeader,
  arena: Arena,
  calculator: CoreExports,
  {sliceLength, activations}: PlanOptions,
): DecoderPlan {
  const planner = new WeightPlanner(header, arena, calculator, activations);
  const weights = planWeights(spec, planner);
  planner.refuseUnknown(spec.ignoredTensors);
  const {embeddingLength, vocabularySize} = spec;
  const scratch = new ScratchPlan(sliceLength);
  scratch.rows('hidden', embeddingLength);
  scratch.rows('normed', embeddingLength);
  planPerLayerScratch(spec, scratch);
  for (const layer of spec.layers) planLayerScratch(spec, layer, scratch, calculator);
  spec.ropes.forEach(({dimensions}, index) => {
    // Cosine and sine (sliceLength, pairs, 2), and radians a position, f64 (pairs).
    scratch.bytes(`rope ${index}`, sliceLength * dimensions * 4);
    scratch.bytes(`frequencies ${index}`, dimensions * 4);
  });
  planProducts(planner.matrices, embeddingLength, scratch, calculator);
  const stride = rowStride(vocabularySize);
  return {
    weights,
    destinations: planner.destinations,
    sliceLength,
    scratch: scratch.place(arena),
    logits: {pointer: arena.allocate(logitRows * stride, 'logits'), columns: vocabularySize, stride},
    sampling: allocateSampling(vocabularySize, arena, calculator),
  };
}

function planWeights(spec: DecoderSpec, planner: WeightPlanner): DecoderWeights {
  const {embeddingLength, vocabularySize, trainingContextLength} = spec;
  const embedding = planner.matrix('token_embd', vocabularySize, embeddingLength);
  return {
    embedding,
    positions: spec.learntPositions
      ? planner.matrix('position_embd', trainingContextLength, embeddingLength)
      : null,
    embeddingNorm:
      spec.embeddingNorm === null ? null : planner.norm(spec.embeddingNorm, embeddingLength, spec.norm),
    perLayer: planPerLayerEmbedding(spec, planner),
    layers: spec.layers.map((layer, index) => planLayer(spec, layer, index, planner)),
    outputNorm: planner.norm(spec.outputNorm, embeddingLength, spec.norm),
    output: planner.has('output.weight')
      ? planner.linear('output', vocabularySize, embeddingLength)
      : {matrix: embedding, scale: null, bias: null},
    ropeFactors: spec.ropes.map(({factorsTensor, dimensions}) =>
      factorsTensor === null ? null : planner.optionalArray(factorsTensor, dimensions / 2),
    ),
  };
}
