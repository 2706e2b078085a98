import {ropeStyles} from '../../core/core-exports.ts';
import type {CoreExports} from '../../core/core-exports.ts';
import type {AttentionSpec, QueryKeyNorm, RopeSpec} from '../decoder-spec.ts';
import type {AttentionCache, KvCache} from '../kv-cache.ts';
import type {Rows, ScratchPlan} from '../scratch.ts';
import type {WeightPlanner} from '../weight-planner.ts';
import type {Linear, NormWeights, Vector} from '../weights.ts';
import {normalise, normaliseHeads} from './kernels.ts';
import type {Block, Kernels, Pass} from './kernels.ts';

export interface AttentionWeights {
  readonly query: Linear;
  /** Of what the heads give. */
  readonly gate: Linear | null;
  /** `null` where another layer's keys and values are used. */
  readonly key: Linear | null;
  /** `null` where the keys are the values, too. */
  readonly value: Linear | null;
  readonly output: Linear;
  readonly queryNorm: NormWeights | null;
  readonly keyNorm: NormWeights | null;
  /** A score for each head. */
  readonly sinks: Vector | null;
  readonly outputNorm: NormWeights | null;
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
  const norm = (tensor: string, heads: number): NormWeights | null =>
    queryKeyNorm ? planHeadNorm(queryKeyNorm, `${name}.${tensor}`, heads, headLength, weights) : null;
  return {
    ...planQueryKeyValue(spec, embeddingLength, name, weights),
    output: weights.linear(`${name}.attn_output`, embeddingLength, queryLength, headCountKv),
    queryNorm: norm('attn_q_norm', headCount),
    keyNorm: sharesCacheOf === undefined ? norm('attn_k_norm', headCountKv) : null,
    sinks: spec.sinks ? weights.vector(`${name}.attn_sinks.weight`, [headCount]) : null,
    outputNorm: outputNorm ? weights.norm(`${name}.attn_sub_norm`, queryLength, outputNorm) : null,
  };
}

/** Three matrices, or one that holds their rows one after the other. */
function planQueryKeyValue(
  {headCount, headCountKv, headLength, valueNorm, sharesCacheOf, gated = false}: AttentionSpec,
  embeddingLength: number,
  name: string,
  weights: WeightPlanner,
): Pick<AttentionWeights, 'query' | 'gate' | 'key' | 'value'> {
  const rows = [headCount * headLength, headCountKv * headLength, headCountKv * headLength] as const;
  if (weights.has(`${name}.attn_qkv.weight`)) {
    const [query, key, value] = weights.stacked(`${name}.attn_qkv`, rows, embeddingLength) as [
      Linear,
      Linear,
      Linear,
    ];
    return {query, gate: null, key, value};
  }
  const [query, gate] = gated
    ? weights.interleaved(`${name}.attn_q`, headCount, headLength, embeddingLength)
    : [weights.linear(`${name}.attn_q`, rows[0], embeddingLength), null];
  if (sharesCacheOf !== undefined) return {query, gate, key: null, value: null};
  const keysAreValues = valueNorm && !weights.has(`${name}.attn_v.weight`);
  return {
    query,
    gate,
    key: weights.linear(`${name}.attn_k`, rows[1], embeddingLength),
    value: keysAreValues ? null : weights.linear(`${name}.attn_v`, rows[2], embeddingLength),
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
  {headCount, headCountKv, headLength, alibi = 0, gated = false}: AttentionSpec,
  scratch: ScratchPlan,
  calculator: CoreExports,
): void {
  scratch.rows('query', headCount * headLength);
  scratch.rows('key', headCountKv * headLength);
  scratch.rows('value', headCountKv * headLength);
  scratch.rows('attended', headCount * headLength);
  if (gated) scratch.rows('head gate', headCount * headLength);
  const bytes = calculator.attentionScratchBytes(headLength, headCount / headCountKv, scratch.sliceLength);
  scratch.bytes('attention', bytes >>> 0);
  if (alibi > 0) scratch.bytes(`alibi ${headCount} ${alibi}`, headCount * 4);
}

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
  /** Rows of all heads: (tokens, heads · headLength). */
  readonly #query: Rows;
  readonly #key: Rows;
  readonly #value: Rows;
  readonly #attended: Rows;
  readonly #gate: Rows | null;
  /** Slopes of the heads, f32; 0: none. */
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
    this.#spec = spec;
    this.#rope = spec.rope === null ? null : (ropes[spec.rope] ?? null);
    this.#weights = weights;
    this.#kernels = kernels;
    this.#gate = weights.gate && scratch.rows('head gate', headCount * headLength);
    this.#layer = layer;
    this.#slopes = alibi > 0 ? scratch.pointer(`alibi ${headCount} ${alibi}`) : 0;
    if (this.#slopes) core.f32(this.#slopes, headCount).set(alibiSlopes(headCount, alibi, core.exports));
    this.#query = scratch.rows('query', headCount * headLength);
    this.#key = scratch.rows('key', headCountKv * headLength);
    this.#value = scratch.rows('value', headCountKv * headLength);
    this.#attended = scratch.rows('attended', headCount * headLength);
  }

  async run(x: Rows, y: Rows, pass: Pass): Promise<void> {
    const {products} = this.#kernels;
    const {output, outputNorm} = this.#weights;
    const {tokens} = pass;
    this.#projectQueries(x, tokens);
    if (pass.textLength === undefined) this.#storeKeysAndValues(x, pass, this.#weights.query);
    this.#attend(pass);
    if (this.#gate) {
      const {pointer, stride} = this.#attended;
      const {exports} = this.#kernels.core;
      exports.sigmoidGate(this.#gate.pointer, pointer, pointer, (tokens * stride) / 4);
    }
    const {outputNorm: norm} = this.#spec;
    if (norm && outputNorm)
      normalise(this.#kernels, norm, outputNorm, this.#attended, this.#attended, tokens);
    await products.projectDivided(output, this.#attended, y, tokens);
  }

  prepare(x: Rows, pass: Pass): void {
    this.#storeKeysAndValues(x, pass);
  }

  #projectQueries(x: Rows, tokens: number): void {
    const {products} = this.#kernels;
    const {query, gate, queryNorm} = this.#weights;
    products.project(query, x, this.#query, tokens);
    if (gate && this.#gate) products.project(gate, x, this.#gate, tokens, query);
    this.#place(this.#query, this.#spec.headCount, queryNorm, tokens);
  }

  /** @param prepared a product that x was prepared for just before */
  #storeKeysAndValues(x: Rows, {position, tokens, cache}: Pass, prepared?: Linear): void {
    const {core, products} = this.#kernels;
    const {key, value, keyNorm} = this.#weights;
    if (!key) return;
    const {valueNorm, headCountKv, headLength} = this.#spec;
    products.project(key, x, this.#key, tokens, prepared);
    if (value) {
      products.project(value, x, this.#value, tokens, key);
    } else {
      const bytes = tokens * this.#key.stride;
      core.u8(this.#value.pointer, bytes).set(core.u8(this.#key.pointer, bytes));
    }
    if (valueNorm) {
      const norm = {...valueNorm, over: 'head'} as const;
      normaliseHeads(this.#kernels, norm, {weight: null, bias: null}, this.#value, headCountKv, tokens);
    }
    this.#clamp(this.#value, tokens);
    this.#place(this.#key, headCountKv, keyNorm, tokens);
    const {keys, values, positions} = this.#cacheOf(cache);
    const stored = [headCountKv, headLength, positions, position, tokens] as const;
    core.exports.storeK(cache.format, this.#key.pointer, keys, ...stored, this.#key.stride);
    core.exports.storeV(cache.format, this.#value.pointer, values, ...stored, this.#value.stride);
  }

  /** Clamp, norm and rope of queries or keys. */
  #place(rows: Rows, heads: number, weights: NormWeights | null, tokens: number): void {
    const {queryKeyNorm: norm} = this.#spec;
    this.#clamp(rows, tokens);
    if (norm && weights && !norm.afterRope) normaliseHeads(this.#kernels, norm, weights, rows, heads, tokens);
    this.#turn(rows, heads, tokens);
    if (norm && weights && norm.afterRope) normaliseHeads(this.#kernels, norm, weights, rows, heads, tokens);
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
    const {keys, values, positions, window} = this.#cacheOf(cache);
    core.exports.attention(
      cache.format,
      this.#query.pointer,
      keys,
      values,
      this.#attended.pointer,
      scratch.pointer('attention'),
      headCountKv,
      headCount / headCountKv,
      headLength,
      positions,
      position,
      tokens,
      scale,
      window,
      softCap,
      this.#weights.sinks?.pointer ?? 0,
      this.#slopes,
      this.#query.stride,
      this.#attended.stride,
      textLength,
    );
  }
}
