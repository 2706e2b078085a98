import {scaled} from '../../shards/share.ts';
import type {AttentionSpec, LatentSpec} from '../decoder-spec.ts';
import type {Rows, ScratchPlan} from '../scratch.ts';
import type {WeightPlanner} from '../weight-planner.ts';
import type {DividedLinear, Linear, NormWeights} from '../weights.ts';
import type {OwnHeads} from './attention-plan.ts';
import {normalise} from './kernels.ts';
import type {Kernels} from './kernels.ts';

/** Shapes are (rows, columns). */
export interface LatentWeights {
  /** (queryRank, embeddingLength) */
  readonly queryDown: DividedLinear;
  readonly queryNorm: NormWeights;
  /** (own heads · headLength, queryRank) */
  readonly queryUp: Linear;
  /** (keyValueRank + turned, embeddingLength): the latent vector, then what the rope turns of the keys of all heads. */
  readonly keyValueDown: DividedLinear;
  readonly keyValueNorm: NormWeights;
  /** (own heads · (plain + valueLength), keyValueRank): head by head what the rope leaves of its key, and its value. */
  readonly keyValueUp: Linear;
}

/** Dimensions of a head that the rope does not turn. */
const plainLength = (headLength: number, {turnedLength}: LatentSpec): number => headLength - turnedLength;

/** @param name prefix of the layer's tensors */
export function planLatentHeads(
  {headCount, headLength}: AttentionSpec,
  latent: LatentSpec,
  {kv}: OwnHeads,
  embeddingLength: number,
  name: string,
  weights: WeightPlanner,
): LatentWeights {
  const {queryRank, keyValueRank, turnedLength, valueLength, norm} = latent;
  const pairLength = plainLength(headLength, latent) + valueLength;
  const up = (tensor: string, length: number, columns: number): Linear =>
    weights.linear(`${name}.${tensor}`, headCount * length, columns, scaled(kv, length));
  return {
    queryDown: weights.divided(`${name}.attn_q_a`, queryRank, embeddingLength),
    queryNorm: weights.norm(`${name}.attn_q_a_norm`, queryRank, norm),
    queryUp: up('attn_q_b', headLength, queryRank),
    keyValueDown: weights.divided(`${name}.attn_kv_a_mqa`, keyValueRank + turnedLength, embeddingLength),
    keyValueNorm: weights.norm(`${name}.attn_kv_a_norm`, keyValueRank, norm),
    keyValueUp: up('attn_kv_b', pairLength, keyValueRank),
  };
}

export function planLatentScratch(
  {headLength}: AttentionSpec,
  latent: LatentSpec,
  {kv}: OwnHeads,
  scratch: ScratchPlan,
): void {
  const {queryRank, keyValueRank, turnedLength, valueLength} = latent;
  scratch.rows('latent query', queryRank);
  scratch.rows('latent key and value', keyValueRank + turnedLength);
  scratch.rows('keys and values', kv.count * (plainLength(headLength, latent) + valueLength));
}

/**
 * Queries, keys and values from shorter vectors: multi-head latent attention (https://arxiv.org/abs/2405.04434), with heads
 * as long as their keys. Values are shorter; zeros follow them.
 */
export class LatentHeads {
  readonly #headLength: number;
  readonly #latent: LatentSpec;
  readonly #weights: LatentWeights;
  readonly #heads: number;
  readonly #kernels: Kernels;
  readonly #query: Rows;
  readonly #keyValue: Rows;
  /** (tokens, heads · (plain + valueLength)) */
  readonly #pairs: Rows;

  constructor(
    {headLength}: AttentionSpec,
    latent: LatentSpec,
    weights: LatentWeights,
    {kv}: OwnHeads,
    kernels: Kernels,
  ) {
    const {queryRank, keyValueRank, turnedLength, valueLength} = latent;
    const {scratch} = kernels;
    this.#headLength = headLength;
    this.#latent = latent;
    this.#weights = weights;
    this.#heads = kv.count;
    this.#kernels = kernels;
    this.#query = scratch.rows('latent query', queryRank);
    this.#keyValue = scratch.rows('latent key and value', keyValueRank + turnedLength);
    this.#pairs = scratch.rows('keys and values', kv.count * (plainLength(headLength, latent) + valueLength));
  }

  async projectQueries(x: Rows, query: Rows, tokens: number): Promise<void> {
    const {products} = this.#kernels;
    const {queryDown, queryNorm, queryUp} = this.#weights;
    await products.projectWhole([{product: queryDown, y: this.#query}], x, tokens);
    normalise(this.#kernels, this.#latent.norm, queryNorm, this.#query, this.#query, tokens);
    products.project(queryUp, this.#query, query, tokens);
  }

  async projectKeysAndValues(x: Rows, key: Rows, value: Rows, tokens: number): Promise<void> {
    const {products} = this.#kernels;
    const {keyValueDown, keyValueNorm, keyValueUp} = this.#weights;
    const {norm, keyValueRank} = this.#latent;
    await products.projectWhole([{product: keyValueDown, y: this.#keyValue}], x, tokens);
    const latent = {...this.#keyValue, columns: keyValueRank};
    normalise(this.#kernels, norm, keyValueNorm, latent, latent, tokens);
    products.project(keyValueUp, latent, this.#pairs, tokens);
    this.#spread(key, value, tokens);
  }

  /** What the heads give, without the zeros: at the same place. */
  join(attended: Rows, tokens: number): Rows {
    const {valueLength} = this.#latent;
    for (let token = 0; token < tokens; token++) {
      const row = attended.pointer + token * attended.stride;
      for (let head = 1; head < this.#heads; head++) {
        const from = row + head * this.#headLength * 4;
        this.#kernels.core.copy(from, row + head * valueLength * 4, valueLength * 4);
      }
    }
    return {...attended, columns: this.#heads * valueLength};
  }

  /** Gives each head its key, whose turned part all heads share, and its value. */
  #spread(key: Rows, value: Rows, tokens: number): void {
    const {core} = this.#kernels;
    const {keyValueRank, turnedLength, valueLength} = this.#latent;
    const headBytes = this.#headLength * 4;
    const [plainBytes, valueBytes] = [headBytes - turnedLength * 4, valueLength * 4];
    core.f32(value.pointer, (tokens * value.stride) / 4).fill(0);
    for (let token = 0; token < tokens; token++) {
      const turned = this.#keyValue.pointer + token * this.#keyValue.stride + keyValueRank * 4;
      const [keys, values] = [key.pointer + token * key.stride, value.pointer + token * value.stride];
      let pair = this.#pairs.pointer + token * this.#pairs.stride;
      for (let head = 0; head < this.#heads; head++) {
        const offset = head * headBytes;
        core.copy(pair, keys + offset, plainBytes);
        core.copy(turned, keys + offset + plainBytes, turnedLength * 4);
        core.copy(pair + plainBytes, values + offset, valueBytes);
        pair += plainBytes + valueBytes;
      }
    }
  }
}
