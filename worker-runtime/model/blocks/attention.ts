import {ropeStyles} from '../../core/core-exports.ts';
import type {CoreExports} from '../../core/core-exports.ts';
import type {DividedRows} from '../../shards/shard-group.ts';
import type {Range} from '../../shards/share.ts';
import type {AttentionSpec, QueryKeyNorm, RopeSpec} from '../decoder-spec.ts';
import type {AttentionCache, KvCache} from '../kv-cache.ts';
import type {Rows} from '../scratch.ts';
import type {Linear, NormWeights} from '../weights.ts';
import type {AttentionWeights} from './attention-plan.ts';
import {normalise, normaliseHeads} from './kernels.ts';
import type {Block, Kernels, Pass} from './kernels.ts';
import {LatentHeads} from './latent-heads.ts';

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
  readonly #latent: LatentHeads | null;
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
    this.#latent =
      spec.latent && weights.latent
        ? new LatentHeads(spec, spec.latent, weights.latent, weights.heads, kernels)
        : null;
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
    if (pass.textLength === undefined)
      await this.#storeKeysAndValues(x, pass, this.#weights.query ?? undefined);
    this.#attend(pass);
    if (this.#gate) {
      const {pointer, stride} = this.#attended;
      const {exports} = this.#kernels.core;
      exports.sigmoidGate(this.#gate.pointer, pointer, pointer, (tokens * stride) / 4);
    }
    const attended = await this.#normaliseOutput(tokens);
    await products.contract(output, attended, this.#allAttended, y, pass);
  }

  prepare(x: Rows, pass: Pass): Promise<void> {
    return this.#storeKeysAndValues(x, pass);
  }

  async #projectQueries(x: Rows, tokens: number): Promise<void> {
    const {products} = this.#kernels;
    const {query, gate, queryNorm, heads} = this.#weights;
    await this.#latent?.projectQueries(x, this.#query, tokens);
    if (query) products.project(query, x, this.#query, tokens);
    if (query && gate && this.#gate) products.project(gate, x, this.#gate, tokens, query);
    const whole = {rows: this.#allQueries, ranges: heads.queryRanges};
    await this.#place(this.#query, whole, heads.query, queryNorm, tokens);
  }

  /** @param prepared a product that x was prepared for just before */
  async #storeKeysAndValues(x: Rows, {position, tokens, cache}: Pass, prepared?: Linear): Promise<void> {
    const {core, products} = this.#kernels;
    const {key, value, keyNorm, heads} = this.#weights;
    if (!key && !this.#latent) return;
    const {valueNorm, headLength} = this.#spec;
    await this.#latent?.projectKeysAndValues(x, this.#key, this.#value, tokens);
    if (key) products.project(key, x, this.#key, tokens, prepared);
    if (key && value) {
      products.project(value, x, this.#value, tokens, key);
    } else if (key) {
      const bytes = tokens * this.#key.stride;
      core.copy(this.#key.pointer, this.#value.pointer, bytes);
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
    const {products} = this.#kernels;
    await products.assemble(rows, whole.rows, whole.ranges, tokens);
    normalise(this.#kernels, norm, weights, whole.rows, whole.rows, tokens);
    products.takeOwn(whole.rows, rows, whole.ranges, tokens);
  }

  /** What the output is computed from: the heads of this shard, or of all where there is a norm over them. */
  async #normaliseOutput(tokens: number): Promise<Rows> {
    const {outputNorm: norm} = this.#spec;
    const {outputNorm, heads} = this.#weights;
    if (this.#latent) return this.#latent.join(this.#attended, tokens);
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
    const {headLength, latent} = this.#spec;
    const {exports} = this.#kernels.core;
    const first = latent ? pointer + (headLength - latent.turnedLength) * 4 : pointer;
    exports.rope(first, table, heads, headLength, dimensions / 2, tokens, stride, ropeStyles[style]);
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
