import type {CoreExports} from '../../core/core-exports.ts';
import {scaled} from '../../shards/share.ts';
import type {Range, Share} from '../../shards/share.ts';
import type {AttentionSpec, QueryKeyNorm} from '../decoder-spec.ts';
import type {ScratchPlan} from '../scratch.ts';
import type {WeightPlanner} from '../weight-planner.ts';
import type {Contraction, Linear, NormWeights, Vector} from '../weights.ts';
import {planLatentHeads, planLatentScratch} from './latent-heads.ts';
import type {LatentWeights} from './latent-heads.ts';

export interface AttentionWeights {
  readonly heads: OwnHeads;
  /** Instead of the following four. */
  readonly latent: LatentWeights | null;
  readonly query: Linear | null;
  /** Of what the heads give. */
  readonly gate: Linear | null;
  /** `null` where another layer's keys and values are used. */
  readonly key: Linear | null;
  /** `null` where the keys are the values, too. */
  readonly value: Linear | null;
  readonly output: Contraction;
  readonly queryNorm: NormWeights | null;
  readonly keyNorm: NormWeights | null;
  /** A score for each head. */
  readonly sinks: Vector | null;
  readonly outputNorm: NormWeights | null;
}

/** The heads of this shard: whole groups of query heads with their key/value head. */
export interface OwnHeads {
  readonly query: Range;
  readonly kv: Range;
  /** Rows of all shards. */
  readonly queryRanges: readonly Range[];
  readonly kvRanges: readonly Range[];
}

export function ownHeads({headCount, headCountKv, headLength}: AttentionSpec, share: Share): OwnHeads {
  const group = headCount / headCountKv;
  const ranges = share.ranges(headCountKv);
  const kv = share.own(ranges);
  return {
    kv,
    query: scaled(kv, group),
    queryRanges: ranges.map((range) => scaled(range, group * headLength)),
    kvRanges: ranges.map((range) => scaled(range, headLength)),
  };
}

/** Columns of what the heads of each shard give. */
function attendedRanges({headCount, headCountKv, headLength, latent}: AttentionSpec, share: Share): Range[] {
  const columns = (headCount / headCountKv) * (latent?.valueLength ?? headLength);
  return share.ranges(headCountKv).map((range) => scaled(range, columns));
}

const withoutProjections = {query: null, gate: null, key: null, value: null};

/** @param name prefix of the layer's tensors */
export function planAttention(
  spec: AttentionSpec,
  embeddingLength: number,
  name: string,
  weights: WeightPlanner,
): AttentionWeights {
  const {headCount, headCountKv, headLength, queryKeyNorm, outputNorm, sharesCacheOf, latent} = spec;
  const valueLength = latent?.valueLength ?? headLength;
  const attendedLength = headCount * valueLength;
  const heads = ownHeads(spec, weights.share);
  const norm = (tensor: string, count: number): NormWeights | null =>
    queryKeyNorm ? planHeadNorm(queryKeyNorm, `${name}.${tensor}`, count, headLength, weights) : null;
  return {
    heads,
    ...(latent
      ? {
          ...withoutProjections,
          latent: planLatentHeads(spec, latent, heads, embeddingLength, name, weights),
        }
      : {latent: null, ...planQueryKeyValue(spec, heads, embeddingLength, name, weights)}),
    output: weights.contraction(`${name}.attn_output`, embeddingLength, attendedLength, {
      units: headCountKv,
      ranges: attendedRanges(spec, weights.share),
      needsWhole: outputNorm !== undefined,
    }),
    queryNorm: norm('attn_q_norm', headCount),
    keyNorm: sharesCacheOf === undefined ? norm('attn_k_norm', headCountKv) : null,
    sinks: spec.sinks ? weights.vector(`${name}.attn_sinks.weight`, [headCount]) : null,
    outputNorm: outputNorm ? weights.norm(`${name}.attn_sub_norm`, attendedLength, outputNorm) : null,
  };
}

/** Three matrices, or one that holds their rows one after the other. */
function planQueryKeyValue(
  {headCount, headCountKv, headLength, valueNorm, sharesCacheOf, gated = false}: AttentionSpec,
  {query: queryHeads, kv}: OwnHeads,
  embeddingLength: number,
  name: string,
  weights: WeightPlanner,
): Pick<AttentionWeights, 'query' | 'gate' | 'key' | 'value'> {
  const rows = [headCount * headLength, headCountKv * headLength, headCountKv * headLength] as const;
  const own = [queryHeads, kv, kv].map((heads) => scaled(heads, headLength));
  if (weights.has(`${name}.attn_qkv.weight`)) {
    const [query, key, value] = weights.stacked(`${name}.attn_qkv`, rows, embeddingLength, own) as [
      Linear,
      Linear,
      Linear,
    ];
    return {query, gate: null, key, value};
  }
  const [query, gate] = gated
    ? weights.interleaved(`${name}.attn_q`, headCount, headLength, embeddingLength, queryHeads)
    : [weights.linear(`${name}.attn_q`, rows[0], embeddingLength, own[0]), null];
  if (sharesCacheOf !== undefined) return {query, gate, key: null, value: null};
  const keysAreValues = valueNorm && !weights.has(`${name}.attn_v.weight`);
  return {
    query,
    gate,
    key: weights.linear(`${name}.attn_k`, rows[1], embeddingLength, own[1]),
    value: keysAreValues ? null : weights.linear(`${name}.attn_v`, rows[2], embeddingLength, own[2]),
  };
}

function planHeadNorm(
  norm: QueryKeyNorm,
  name: string,
  heads: number,
  headLength: number,
  weights: WeightPlanner,
): NormWeights {
  if (norm.over === 'head') return weights.norm(name, headLength, norm);
  if (norm.over === 'whole') return weights.norm(name, heads * headLength, norm);
  return {weight: weights.vector(`${name}.weight`, [headLength, heads]), bias: null};
}

export function planAttentionScratch(
  spec: AttentionSpec,
  share: Share,
  scratch: ScratchPlan,
  calculator: CoreExports,
): void {
  const {headCount, headCountKv, headLength, alibi = 0, gated = false, latent} = spec;
  const heads = ownHeads(spec, share);
  const {query, kv} = heads;
  scratch.rows('query', query.count * headLength);
  scratch.rows('key', kv.count * headLength);
  scratch.rows('value', kv.count * headLength);
  scratch.rows('attended', query.count * headLength);
  if (latent) planLatentScratch(spec, latent, heads, scratch);
  if (gated) scratch.rows('head gate', query.count * headLength);
  if (share.count > 1) for (const name of wholeNames) scratch.rows(name, headCount * headLength);
  const bytes = calculator.attentionScratchBytes(headLength, headCount / headCountKv, scratch.sliceLength);
  scratch.bytes('attention', bytes >>> 0);
  if (alibi > 0) scratch.bytes(`alibi ${headCount} ${alibi}`, headCount * 4);
}

/** Queries, keys and what the heads give, of all shards. */
const wholeNames = ['all queries', 'all keys', 'all attended'] as const;
