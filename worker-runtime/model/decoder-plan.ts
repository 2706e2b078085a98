import type {Arena} from '../core/arena.ts';
import type {CoreExports} from '../core/core-exports.ts';
import type {GgufHeader} from '../gguf/header.ts';
import {planAltUp, planAltUpScratch} from './blocks/alt-up.ts';
import type {AltUpWeights} from './blocks/alt-up.ts';
import {planLayer, planLayerScratch} from './blocks/layer.ts';
import type {LayerWeights} from './blocks/layer.ts';
import {planPerLayerEmbedding, planPerLayerScratch} from './blocks/per-layer-input.ts';
import type {PerLayerEmbeddingWeights} from './blocks/per-layer-input.ts';
import {planShardGroup} from '../shards/shard-group.ts';
import type {Share} from '../shards/share.ts';
import type {DecoderSpec} from './decoder-spec.ts';
import {planProducts} from './products.ts';
import {allocateSampling} from './sampling-buffers.ts';
import type {SamplingBuffers} from './sampling-buffers.ts';
import {rowStride, ScratchPlan} from './scratch.ts';
import type {Rows, Scratch} from './scratch.ts';
import {WeightPlanner} from './weight-planner.ts';
import type {ActivationType, Destinations, DividedLinear, DividedMatrix, NormWeights} from './weights.ts';

export interface DecoderWeights {
  readonly embedding: DividedMatrix;
  /** (trainingContextLength, embeddingLength) */
  readonly positions: DividedMatrix | null;
  /** (types, embeddingLength) */
  readonly tokenTypes: DividedMatrix | null;
  readonly embeddingNorm: NormWeights | null;
  readonly perLayer: PerLayerEmbeddingWeights | null;
  readonly altUp: AltUpWeights | null;
  readonly layers: readonly LayerWeights[];
  readonly outputNorm: NormWeights | null;
  /** Two matrices that embeddings pass in the end, on the first shard. */
  readonly dense: readonly DividedLinear[];
  /** For each rope, divisors of its frequencies `(dimensions / 2)`, filled while loading; `null` where the file has none. */
  readonly ropeFactors: readonly (Float32Array<ArrayBuffer> | null)[];
}

/** What makes logits of hidden states; encoders have none. */
export interface DecoderHead {
  /** The embedding again where the file has no output matrix. */
  readonly output: DividedLinear;
  /** (logitRows, vocabularySize); of shards behind the first, their columns alone */
  readonly logits: Rows;
  /** Of the first shard. */
  readonly sampling: SamplingBuffers | null;
}

/** Everything that a decoder has in memory beside the caches, each in its place. */
export interface DecoderPlan {
  readonly weights: DecoderWeights;
  readonly destinations: Destinations;
  /** The most tokens of one step. */
  readonly sliceLength: number;
  readonly scratch: Scratch;
  /** How often shards exchange something in a step. */
  readonly exchanges: number;
  readonly head: DecoderHead | null;
}

interface PlanOptions {
  readonly sliceLength: number;
  readonly share: Share;
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
  header: Pick<GgufHeader, 'tensors'>,
  arena: Arena,
  calculator: CoreExports,
  {sliceLength, share, activations}: PlanOptions,
): DecoderPlan {
  const planner = new WeightPlanner(header, arena, calculator, share, activations);
  const weights = planWeights(spec, planner);
  const output = spec.causal ? planOutput(spec, planner, weights.embedding) : null;
  planner.refuseUnknown(spec.ignoredTensors);
  const {embeddingLength, denseLength} = spec;
  const scratch = new ScratchPlan(sliceLength);
  scratch.rows('hidden', embeddingLength);
  scratch.rows('normed', embeddingLength);
  if (denseLength > 0) scratch.rows('dense', denseLength);
  planPerLayerScratch(spec, scratch);
  planAltUpScratch(spec, scratch);
  spec.layers.forEach((layer, index) => {
    const own = weights.layers[index];
    if (own) planLayerScratch(spec, layer, own, share, scratch, calculator);
  });
  planShardGroup(share, embeddingLength, scratch);
  spec.ropes.forEach(({dimensions}, index) => {
    // Cosine and sine (sliceLength, pairs, 2), and radians a position, f64 (pairs).
    scratch.bytes(`rope ${index}`, sliceLength * dimensions * 4);
    scratch.bytes(`frequencies ${index}`, dimensions * 4);
  });
  planProducts(planner.matrices, embeddingLength, scratch, calculator);
  return {
    weights,
    destinations: planner.destinations,
    sliceLength,
    scratch: scratch.place(arena),
    exchanges: planner.exchanges,
    head: output && allocateHead(output, share, arena, calculator),
  };
}

function allocateHead(
  output: DividedLinear,
  share: Share,
  arena: Arena,
  calculator: CoreExports,
): DecoderHead {
  const isFirst = share.index === 0;
  const columns = isFirst ? output.rows : share.own(output.ranges).count;
  const stride = rowStride(columns);
  return {
    output,
    logits: {pointer: arena.allocate(logitRows * stride, 'logits'), columns, stride},
    sampling: isFirst ? allocateSampling(columns, arena, calculator) : null,
  };
}

function planOutput(
  {vocabularySize, embeddingLength}: DecoderSpec,
  planner: WeightPlanner,
  embedding: DividedMatrix,
): DividedLinear {
  if (planner.has('output.weight')) return planner.divided('output', vocabularySize, embeddingLength);
  const {matrix, rows, ranges} = embedding;
  return {linear: {matrix, scale: null, bias: null}, rows, ranges};
}

function planWeights(spec: DecoderSpec, planner: WeightPlanner): DecoderWeights {
  const {embeddingLength, vocabularySize, trainingContextLength} = spec;
  const embedding = planner.table('token_embd', vocabularySize, embeddingLength);
  return {
    embedding,
    positions: spec.learntPositions
      ? planner.table('position_embd', trainingContextLength, embeddingLength)
      : null,
    tokenTypes: spec.tokenTypes > 0 ? planner.table('token_types', spec.tokenTypes, embeddingLength) : null,
    embeddingNorm:
      spec.embeddingNorm === null ? null : planner.norm(spec.embeddingNorm, embeddingLength, spec.norm),
    perLayer: planPerLayerEmbedding(spec, planner),
    altUp: planAltUp(spec, planner),
    layers: spec.layers.map((layer, index) => planLayer(spec, layer, index, planner)),
    outputNorm: spec.outputNorm === null ? null : planner.norm(spec.outputNorm, embeddingLength, spec.norm),
    dense: planDense(spec, planner),
    ropeFactors: spec.ropes.map(({factorsTensor, dimensions}) =>
      factorsTensor === null ? null : planner.optionalArray(factorsTensor, dimensions / 2),
    ),
  };
}

function planDense(
  {denseLength, embeddingLength}: DecoderSpec,
  planner: WeightPlanner,
): readonly DividedLinear[] {
  if (denseLength === 0) return [];
  return [
    planner.divided('dense_2', denseLength, embeddingLength, planner.share.firstOnly(denseLength)),
    planner.divided('dense_3', embeddingLength, denseLength, planner.share.firstOnly(embeddingLength)),
  ];
}
