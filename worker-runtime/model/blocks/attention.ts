import {ropeStyles} from '../../core/core-exports.ts';
import type {CoreExports} from '../../core/core-exports.ts';
import type {DividedRows} from '../../shards/shard-group.ts';
import {scaled} from '../../shards/share.ts';
import type {Range, Share} from '../../shards/share.ts';
import type {AttentionSpec, QueryKeyNorm, RopeSpec} from '../decoder-spec.ts';
import type {AttentionCache, KvCache} from '../kv-cache.ts';
import type {Rows, ScratchPlan} from '../scratch.ts';
import type {WeightPlanner} from '../weight-planner.ts';
import type {Contraction, Linear, NormWeights, Vector} from '../weights.ts';
import {normalise, normaliseHeads} from './kernels.ts';
import type {Block, Kernels, Pass} from './kernels.ts';

export interface AttentionWeights {
  readonly heads: OwnHeads;
  readonly query: Linear;
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
interface OwnHeads {
  readonly query: Range;
  readonly kv: Range;
  /** Rows of all shards. */
  readonly queryRanges: readonly Range[];
  readonly kvRanges: readonly Range[];
}

function ownHeads({headCount, headCountKv, headLength}: AttentionSpec, share: Share): OwnHeads {
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

/** @param name prefix of the layer's tensors */
export function planAttention(
  spec: AttentionSpec,
  embeddingLength: number,
  name: string,
  weights: WeightPlanner,
): AttentionWeights {
  const {headCount, headCountKv, headLength, queryKeyNorm, outputNorm, sharesCacheOf} = spec;
  const queryLength = headCount * headLength;
  const heads = ownHeads(spec, weights.share);
  const norm = (tensor: string, count: number): NormWeights | null =>
    queryKeyNorm ? planHeadNorm(queryKeyNorm, `${name}.${tensor}`, count, headLength, weights) : null;
  return {
    heads,
    ...planQueryKeyValue(spec, heads, embeddingLength, name, weights),
    output: weights.contraction(`${name}.attn_output`, embeddingLength, queryLength, {
      units: headCountKv,
      ranges: heads.queryRanges,
      needsWhole: outputNorm !== undefined,
    }),
    queryNorm: norm('attn_q_norm', headCount),
    keyNorm: sharesCacheOf === undefined ? norm('attn_k_norm', headCountKv) : null,
    sinks: spec.sinks ? weights.vector(`${name}.attn_sinks.weight`, [headCount]) : null,
    outputNorm: outputNorm ? weights.norm(`${name}.attn_sub_norm`, queryLength, outputNorm) : null,
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
  const {headCount, headCountKv, headLength, alibi = 0, gated = false} = spec;
  const {query, kv} = ownHeads(spec, share);
  scratch.rows('query', query.count * headLength);
  scratch.rows('key', kv.count * headLength);
  scratch.rows('value', kv.count * headLength);
  scratch.rows('attended', query.count * headLength);
  if (gated) scratch.rows('head gate', query.count * headLength);
  if (share.count > 1) for (const name of wholeNames) scratch.rows(name, headCount * headLength);
  const bytes = calculator.attentionScratchBytes(headLength, headCount / headCountKv, scratch.sliceLength);
  scratch.bytes('attention', bytes >>> 0);
  if (alibi > 0) scratch.bytes(`alibi ${headCount} ${alibi}`, headCount * 4);
}

/** Queries, keys and what the heads give, of all shards. */
const wholeNames = ['all queries', 'all keys', 'all attended'] as const;

/**
 * 2^(-s), 2^(-2 s), …, where s = largest / (the power of two not above `heads`); the heads beyond that power take every
 * other one of the series with half the step.
 */
function alibiSlopes(heads: number, largest: number, math: Pick<CoreExports, 'pow'>): number[] {
  const whole = 2 ** Math.floor(Math.log2(heads));
  const step = largest / whole;
  return Array.from({length: heads}, (_, head) =>
    math.pow(2, head < whole ? -step * (head + 1) : (-step / 2) * (2 * (head - whole) + 1)),
  );
}

/** y = softmax(q · k) v · Wo, over the positions of the layer's cache and the slice. */
export class Attention implements Block {
  readonly #spec: AttentionSpec;
  readonly #rope: RopeSpec | null;
  readonly #weights: AttentionWeights;
  readonly #kernels: Kernels;
  /** Rows of this shard's heads: (tokens, heads · headLength). */
  readonly #query: Rows;
  readonly #key: Rows;
  readonly #value: Rows;
  readonly #attended: Rows;
  /** Rows of all heads. */
  readonly #allQueries: Rows;
  readonly #allKeys: Rows;
  readonly #allAttended: Rows;
  readonly #gate: Rows | null;
  /** Slopes of all heads, f32; 0: none. */
  readonly #slopes: number;
  readonly #layer: number;

  constructor(
    spec: AttentionSpec,
    ropes: readonly RopeSpec[],
    weights: AttentionWeights,
    kernels: Kernels,
    layer: number,
  ) {
    const {headCount, headCountKv, headLength, alibi = 0} = spec;
    const {scratch, core} = kernels;
    const {query, kv} = weights.heads;
    this.#spec = spec;
    this.#rope = spec.rope === null ? null : (ropes[spec.rope] ?? null);
    this.#weights = weights;
    this.#kernels = kernels;
    this.#gate = weights.gate && scratch.rows('head gate', query.count * headLength);
    this.#layer = layer;
    this.#slopes = alibi > 0 ? scratch.pointer(`alibi ${headCount} ${alibi}`) : 0;
    if (this.#slopes) core.f32(this.#slopes, headCount).set(alibiSlopes(headCount, alibi, core.exports));
    this.#query = scratch.rows('query', query.count * headLength);
    this.#key = scratch.rows('key', kv.count * headLength);
    this.#value = scratch.rows('value', kv.count * headLength);
    this.#attended = scratch.rows('attended', query.count * headLength);
    const isAlone = kernels.products.share.count === 1;
    const whole = (name: string, own: Rows, heads: number): Rows =>
      isAlone ? own : scratch.rows(name, heads * headLength);
    this.#allQueries = whole('all queries', this.#query, headCount);
    this.#allKeys = whole('all keys', this.#key, headCountKv);
    this.#allAttended = whole('all attended', this.#attended, headCount);
  }

  async run(x: Rows, y: Rows, pass: Pass): Promise<void> {
    const {products} = this.#kernels;
    const {output} = this.#weights;
    const {tokens} = pass;
    await this.#projectQueries(x, tokens);
    if (pass.textLength === undefined) await this.#storeKeysAndValues(x, pass, this.#weights.query);
    this.#attend(pass);
    if (this.#gate) {
      const {pointer, stride} = this.#attended;
      const {exports} = this.#kernels.core;
      exports.sigmoidGate(this.#gate.pointer, pointer, pointer, (tokens * stride) / 4);
    }
    const attended = await this.#normaliseOutput(tokens);
    await products.contract(output, attended, this.#allAttended, y, tokens);
  }

  prepare(x: Rows, pass: Pass): Promise<void> {
    return this.#storeKeysAndValues(x, pass);
  }

  async #projectQueries(x: Rows, tokens: number): Promise<void> {
    const {products} = this.#kernels;
    const {query, gate, queryNorm, heads} = this.#weights;
    products.project(query, x, this.#query, tokens);
    if (gate && this.#gate) products.project(gate, x, this.#gate, tokens, query);
    const whole = {rows: this.#allQueries, ranges: heads.queryRanges};
    await this.#place(this.#query, whole, heads.query, queryNorm, tokens);
  }

  /** @param prepared a product that x was prepared for just before */
  async #storeKeysAndValues(x: Rows, {position, tokens, cache}: Pass, prepared?: Linear): Promise<void> {
    const {core, products} = this.#kernels;
    const {key, value, keyNorm, heads} = this.#weights;
    if (!key) return;
    const {valueNorm, headLength} = this.#spec;
    products.project(key, x, this.#key, tokens, prepared);
    if (value) {
      products.project(value, x, this.#value, tokens, key);
    } else {
      const bytes = tokens * this.#key.stride;
      core.u8(this.#value.pointer, bytes).set(core.u8(this.#key.pointer, bytes));
    }
    if (valueNorm) {
      const norm = {...valueNorm, over: 'head'} as const;
      normaliseHeads(this.#kernels, norm, {weight: null, bias: null}, this.#value, heads.kv.count, tokens);
    }
    this.#clamp(this.#value, tokens);
    const whole = {rows: this.#allKeys, ranges: heads.kvRanges};
    await this.#place(this.#key, whole, heads.kv, keyNorm, tokens);
    const {keys, values, positions} = this.#cacheOf(cache);
    const stored = [heads.kv.count, headLength, positions, position, tokens] as const;
    core.exports.storeK(cache.format, this.#key.pointer, keys, ...stored, this.#key.stride);
    core.exports.storeV(cache.format, this.#value.pointer, values, ...stored, this.#value.stride);
  }

  /** Clamp, norm and rope of this shard's queries or keys. */
  async #place(
    rows: Rows,
    whole: DividedRows,
    own: Range,
    weights: NormWeights | null,
    tokens: number,
  ): Promise<void> {
    const {queryKeyNorm: norm} = this.#spec;
    this.#clamp(rows, tokens);
    if (norm && weights && !norm.afterRope) await this.#normalise(rows, whole, own, weights, tokens);
    this.#turn(rows, own.count, tokens);
    if (norm && weights && norm.afterRope) await this.#normalise(rows, whole, own, weights, tokens);
  }

  async #normalise(
    rows: Rows,
    whole: DividedRows,
    own: Range,
    weights: NormWeights,
    tokens: number,
  ): Promise<void> {
    const {queryKeyNorm: norm, headLength} = this.#spec;
    if (!norm) return;
    if (norm.over !== 'whole' || whole.rows === rows) {
      normaliseHeads(
        this.#kernels,
        norm,
        headWeights(norm, weights, own, headLength),
        rows,
        own.count,
        tokens,
      );
      return;
    }
    const {core, products} = this.#kernels;
    const {pointer, stride} = whole.rows;
    await products.assemble(rows, whole.rows, whole.ranges, tokens);
    normalise(this.#kernels, norm, weights, whole.rows, whole.rows, tokens);
    const bytes = own.count * headLength * 4;
    for (let token = 0; token < tokens && bytes > 0; token++) {
      const place = pointer + token * stride + own.first * headLength * 4;
      core.u8(rows.pointer + token * rows.stride, bytes).set(core.u8(place, bytes));
    }
  }

  /** What the output is computed from: the heads of this shard, or of all where there is a norm over them. */
  async #normaliseOutput(tokens: number): Promise<Rows> {
    const {outputNorm: norm} = this.#spec;
    const {outputNorm, heads} = this.#weights;
    if (!norm || !outputNorm) return this.#attended;
    const whole = this.#allAttended;
    if (whole !== this.#attended) {
      await this.#kernels.products.assemble(this.#attended, whole, heads.queryRanges, tokens);
    }
    normalise(this.#kernels, norm, outputNorm, whole, whole, tokens);
    return whole;
  }

  #clamp({pointer, stride}: Rows, tokens: number): void {
    const {clamp = 0} = this.#spec;
    if (clamp > 0) this.#kernels.core.exports.clamp(pointer, clamp, (tokens * stride) / 4);
  }

  #cacheOf({layers}: KvCache): AttentionCache {
    const own = layers[this.#layer]?.attention;
    if (own) return own;
    throw new RangeError(`layer ${this.#layer} has no cache`);
  }

  #turn({pointer, stride}: Rows, heads: number, tokens: number): void {
    if (!this.#rope) return;
    const {style, dimensions} = this.#rope;
    const table = this.#kernels.scratch.pointer(`rope ${this.#spec.rope}`);
    const {headLength} = this.#spec;
    const {exports} = this.#kernels.core;
    exports.rope(pointer, table, heads, headLength, dimensions / 2, tokens, stride, ropeStyles[style]);
  }

  #attend({position, tokens, cache, textLength = 0}: Pass): void {
    const {core, scratch} = this.#kernels;
    const {headCount, headCountKv, headLength, scale, softCap = 0} = this.#spec;
    const {heads, sinks} = this.#weights;
    const {keys, values, positions, window} = this.#cacheOf(cache);
    if (heads.kv.count === 0) return;
    const firstHead = heads.query.first * 4;
    core.exports.attention(
      cache.format,
      this.#query.pointer,
      keys,
      values,
      this.#attended.pointer,
      scratch.pointer('attention'),
      heads.kv.count,
      headCount / headCountKv,
      headLength,
      positions,
      position,
      tokens,
      scale,
      window,
      softCap,
      sinks ? sinks.pointer + firstHead : 0,
      this.#slopes ? this.#slopes + firstHead : 0,
      this.#query.stride,
      this.#attended.stride,
      textLength,
    );
  }
}

/** The weights of this shard's heads. */
function headWeights(
  {over}: QueryKeyNorm,
  {weight, bias}: NormWeights,
  {first, count}: Range,
  headLength: number,
): NormWeights {
  if (over !== 'each-head' || !weight) return {weight, bias};
  return {weight: {pointer: weight.pointer + first * headLength * 4, length: count * headLength}, bias};
}
