import type {Arena} from '../core/arena.ts';
import {candidateBytes} from '../core/core-exports.ts';
import type {CoreExports} from '../core/core-exports.ts';
import type {DecoderSpec} from './decoder-spec.ts';
import type {DecoderWeights, Matrix} from './weights.ts';

/** A buffer of f32 `(tokens, columns)` whose rows begin `stride` bytes apart (padded to 16 floats). */
export interface Rows {
  readonly pointer: number;
  readonly columns: number;
  readonly stride: number;
}

/** Scratch for choosing a token among V, the vocabulary; see `wasm/assembly/sampling/`. */
export interface SamplingBuffers {
  /** How many tokens are how far below the best one. */
  readonly tally: number;
  /** Ranked tokens: u32 ID, f32 logit (V, 2). */
  readonly candidates: number;
  /** Running sums of weights, f64 (V); before that, the other half of the sort. */
  readonly sums: number;
}

/** All scratch of the decoder, allocated once; S is the slice length, the most tokens of one step. */
export interface DecoderBuffers {
  readonly sliceLength: number;
  /** The residual stream (S, embeddingLength). */
  readonly hidden: Rows;
  /** Normalised input of a block (S, embeddingLength). */
  readonly normed: Rows;
  readonly query: Rows;
  readonly key: Rows;
  readonly value: Rows;
  /** Output of attention before its projection (S, headCount · headLength). */
  readonly attended: Rows;
  readonly gate: Rows;
  readonly up: Rows;
  /** Partial sums of a divided product, one for each level of the tree (S, embeddingLength). */
  readonly partials: readonly Rows[];
  /** Activations as the products want them. */
  readonly activations: number;
  /** Cosine and sine (S, ropePairs, 2). */
  readonly ropeTable: number;
  /** Radians a position, f64 (ropePairs). */
  readonly ropeFrequencies: number;
  readonly attentionScratch: number;
  /** (logitRows, vocabularySize) */
  readonly logits: Rows;
  readonly sampling: SamplingBuffers;
}

/** Rows of logits computed at once: one tile of the batch kernels. */
export const logitRows = 4;

export function allocateBuffers(
  spec: DecoderSpec,
  weights: DecoderWeights,
  sliceLength: number,
  arena: Arena,
  calculator: CoreExports,
): DecoderBuffers {
  const rows = (columns: number, count = sliceLength, kind: 'scratch' | 'logits' = 'scratch'): Rows => {
    const stride = Math.ceil(columns / 16) * 64;
    return {pointer: arena.allocate(count * stride, kind), columns, stride};
  };
  const {embeddingLength, feedForwardLength, headCount, headCountKv, headLength} = spec;
  const pairs = spec.rope.dimensions / 2;
  return {
    sliceLength,
    hidden: rows(embeddingLength),
    normed: rows(embeddingLength),
    query: rows(headCount * headLength),
    key: rows(headCountKv * headLength),
    value: rows(headCountKv * headLength),
    attended: rows(headCount * headLength),
    gate: rows(feedForwardLength),
    up: rows(feedForwardLength),
    partials: Array.from({length: treeDepth(weights)}, () => rows(embeddingLength)),
    activations: arena.allocate(largestActivations(weights, sliceLength, calculator), 'scratch'),
    ropeTable: arena.allocate(sliceLength * pairs * 8, 'scratch'),
    ropeFrequencies: arena.allocate(pairs * 8, 'scratch'),
    attentionScratch: arena.allocate(
      calculator.attentionScratchBytes(headLength, headCount / headCountKv, sliceLength),
      'scratch',
    ),
    logits: rows(spec.vocabularySize, logitRows, 'logits'),
    sampling: allocateSampling(spec.vocabularySize, arena, calculator),
  };
}

export function allocateSampling(
  vocabularySize: number,
  arena: Arena,
  calculator: CoreExports,
): SamplingBuffers {
  return {
    tally: arena.allocate(calculator.tallyBytes(), 'scratch'),
    candidates: arena.allocate(vocabularySize * candidateBytes, 'scratch'),
    sums: arena.allocate(vocabularySize * 8, 'scratch'),
  };
}

function matricesOf(weights: DecoderWeights): Matrix[] {
  return [
    weights.output,
    ...weights.layers.flatMap((layer) => [
      layer.query,
      layer.key,
      layer.value,
      layer.attentionOutput,
      layer.gate,
      layer.up,
      layer.down,
    ]),
  ];
}

/** A tree over P parts needs log2 P sums beside the one that becomes the result, and one for a product. */
function treeDepth(weights: DecoderWeights): number {
  return Math.max(...matricesOf(weights).map(({parts}) => Math.log2(parts.length)));
}

function largestActivations(weights: DecoderWeights, tokens: number, calculator: CoreExports): number {
  return Math.max(
    ...matricesOf(weights).map(({format, columns, parts}) =>
      calculator.activationBytes(format, columns / parts.length, tokens),
    ),
  );
}
