import type {Checkpoint} from '../checkpoint.ts';
import type {Core} from '../core/core.ts';
import {GgufError} from '../errors.ts';
import {Logits} from '../sampling/logits.ts';
import type {ShardGroup} from '../shards/shard-group.ts';
import {normalise} from './blocks/kernels.ts';
import type {Kernels} from './blocks/kernels.ts';
import {Layer} from './blocks/layer.ts';
import {embedPerLayer} from './blocks/per-layer-input.ts';
import {logitRows} from './decoder-plan.ts';
import type {DecoderPlan} from './decoder-plan.ts';
import type {DecoderSpec} from './decoder-spec.ts';
import type {KvCache} from './kv-cache.ts';
import {Products} from './products.ts';
import {ropeFrequencies} from './rope-frequencies.ts';
import type {Rows} from './scratch.ts';
import type {Matrix} from './weights.ts';

/** A slice of a sequence: consecutive tokens, of which the first stands at `position`. */
export interface Slice {
  readonly tokens: readonly number[];
  readonly position: number;
  readonly cache: KvCache;
  /** Whether the states before the slice are kept, to come back to. */
  readonly keepsStates?: boolean;
}

/** The rotation of a slice's positions. */
interface Rope {
  /** f64 (pairs) */
  readonly frequencies: number;
  /** f32 (sliceLength, pairs, 2) */
  readonly table: number;
  readonly pairs: number;
  readonly scale: number;
}

/**
 * The forward pass of every decoder, driven by a {@link DecoderSpec}. The graph is here and in `blocks/`, the
 * arithmetic in the core.
 *
 * Results are the same bits for any slicing: each (token, row) is summed in an order that depends on shapes alone.
 */
export class Decoder {
  readonly spec: DecoderSpec;
  readonly plan: DecoderPlan;
  readonly #kernels: Kernels;
  readonly #shards: ShardGroup;
  readonly #layers: readonly Layer[];
  readonly #ropes: readonly Rope[];
  /** The residual stream and a normed one, (sliceLength, embeddingLength). */
  readonly #hidden: Rows;
  readonly #normed: Rows;
  readonly #nextLogits: Logits;

  constructor(spec: DecoderSpec, plan: DecoderPlan, core: Core, shards: ShardGroup) {
    const {weights, scratch} = plan;
    const kernels = {core, scratch, products: new Products(core.exports, shards, scratch)};
    this.spec = spec;
    this.plan = plan;
    this.#kernels = kernels;
    this.#shards = shards;
    this.#hidden = scratch.rows('hidden', spec.embeddingLength);
    this.#normed = scratch.rows('normed', spec.embeddingLength);
    this.#layers = spec.layers.flatMap((layer, index) => {
      const own = weights.layers[index];
      return own ? [new Layer(spec, index, layer, own, kernels)] : [];
    });
    this.#ropes = spec.ropes.map((rope, index): Rope => {
      const {frequencies, scale} = ropeFrequencies(rope, weights.ropeFactors[index] ?? null, core.exports);
      const pointer = scratch.pointer(`frequencies ${index}`);
      core.f64(pointer, frequencies.length).set(frequencies);
      const table = scratch.pointer(`rope ${index}`);
      return {frequencies: pointer, table, pairs: frequencies.length, scale};
    });
    this.#nextLogits = new Logits(core, plan.logits, plan.sampling);
  }

  /**
   * Runs a slice through all layers: its keys and values are in the cache afterwards, its hidden states in the scratch.
   * Stops, by what `checkpoint` throws, between any two blocks; the cache is then as before up to `position`.
   */
  async forward({tokens, position, cache, keepsStates}: Slice, checkpoint: Checkpoint): Promise<void> {
    this.#embed(tokens, position);
    const {core} = this.#kernels;
    const {exports} = core;
    cache.states?.goTo(position, core);
    if (keepsStates) cache.states?.keep(core);
    for (const {table, frequencies, pairs, scale} of this.#ropes) {
      exports.ropeTable(table, frequencies, pairs, position, tokens.length, scale);
    }
    const pass = {position, tokens: tokens.length, cache, checkpoint};
    for (const layer of this.#layers) await layer.run(pass);
    cache.states?.advance(tokens.length);
  }

  /**
   * Logits of `count` ≤ {@link logitRows} tokens of the slice that `forward` ran last, from token `first` on.
   *
   * @returns a view over `plan.logits`, `(count, stride / 4)`: valid until the next call
   */
  async logits(first: number, count: number): Promise<Rows> {
    if (count > logitRows) throw new RangeError(`at most ${logitRows} rows of logits`);
    const {weights, logits} = this.plan;
    const source = {...this.#hidden, pointer: this.#hidden.pointer + first * this.#hidden.stride};
    normalise(this.#kernels, this.spec.norm, weights.outputNorm, source, this.#normed, count);
    this.#kernels.products.project(weights.output, this.#normed, logits, count);
    await this.#shards.gather(logits.pointer, logits.columns, count, logits.stride);
    const {logitScale, logitSoftCap} = this.spec;
    const {exports} = this.#kernels.core;
    const values = (count * logits.stride) / 4;
    if (logitScale !== 1) exports.scale(logits.pointer, logitScale, values);
    if (logitSoftCap > 0) exports.softCap(logits.pointer, logitSoftCap, values);
    return logits;
  }

  /**
   * Logits after token `index` of the slice that `forward` ran last.
   *
   * @returns always the same object, valid until the next call; it checks that they are finite when it is asked
   */
  async nextLogits(index: number): Promise<Logits> {
    await this.logits(index, 1);
    return this.#nextLogits;
  }

  /** @throws {GgufError} `logits-not-finite` for token `index` of the slice that `forward` ran last */
  async requireFiniteLogits(index: number): Promise<void> {
    const {pointer, columns} = await this.logits(index, 1);
    if (this.#kernels.core.exports.argmax(pointer, columns) >= 0) return;
    throw new GgufError(
      'logits-not-finite',
      'The model gave logits that are not finite; the file may be damaged',
    );
  }

  /** hidden = norm(embedding · scale + position) */
  #embed(tokens: readonly number[], position: number): void {
    const {exports} = this.#kernels.core;
    const {embedding, positions, embeddingNorm, perLayer} = this.plan.weights;
    const {pointer, stride} = this.#hidden;
    tokens.forEach((token, index) => this.#copyRow(embedding, token, pointer + index * stride));
    const count = (tokens.length * stride) / 4;
    if (this.spec.embeddingScale !== 1) exports.scale(pointer, this.spec.embeddingScale, count);
    if (positions) {
      const added = this.#normed.pointer;
      tokens.forEach((_, index) => this.#copyRow(positions, position + index, added + index * stride));
      exports.add(pointer, pointer, added, count);
    }
    if (embeddingNorm) {
      normalise(this.#kernels, this.spec.norm, embeddingNorm, this.#hidden, this.#hidden, tokens.length);
    }
    if (perLayer) embedPerLayer(this.spec, perLayer, this.#kernels, this.#hidden, tokens);
  }

  #copyRow({format, columns, parts}: Matrix, row: number, target: number): void {
    this.#kernels.core.exports.dequantizeRow(format, parts[0] ?? 0, row, columns, target);
  }
}
