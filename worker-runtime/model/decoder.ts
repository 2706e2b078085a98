import type {Checkpoint} from '../checkpoint.ts';
import {Pace} from '../pace.ts';
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
 * The forward pass of every decoder and encoder, driven by a {@link DecoderSpec}. The graph is here and in `blocks/`, the
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
  readonly #nextLogits: Logits | null;

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
    this.#nextLogits = plan.head && new Logits(core, plan.head.logits, plan.head.sampling);
  }

  get core(): Core {
    return this.#kernels.core;
  }

  /**
   * Runs a slice through all layers: its keys and values are in the cache afterwards, its hidden states in the scratch.
   * Stops, by what `checkpoint` throws, between any two blocks; the cache is then as before up to `position`.
   */
  async forward({tokens, position, cache, keepsStates}: Slice, checkpoint: Checkpoint): Promise<void> {
    this.#embed(tokens, position);
    const {core} = this.#kernels;
    cache.states?.goTo(position, core);
    if (keepsStates) cache.states?.keep(core);
    this.#turnTo(position, tokens.length);
    const pass = {position, tokens: tokens.length, cache, checkpoint};
    for (const layer of this.#layers) await layer.run(pass);
    cache.states?.advance(tokens.length);
  }

  /**
   * Runs a whole text through all layers, layer by layer and slice by slice: a token sees those behind it, too. The hidden
   * states are in `cache.text` afterwards. Stops, by what `checkpoint` throws, between any two blocks.
   */
  async encode(tokens: readonly number[], cache: KvCache, pace: Pace, checkpoint: Checkpoint): Promise<void> {
    // What takes less time than a layer must not make its slices longer.
    const quick = new Pace(this.plan.sliceLength);
    await this.#eachSlice(tokens.length, quick, checkpoint, (position, count) => {
      this.#embed(tokens.slice(position, position + count), position);
      this.#moveSlice('to text', cache, position, count);
    });
    for (const layer of this.#layers) {
      await this.#eachSlice(tokens.length, quick, checkpoint, (position, count, check) => {
        this.#moveSlice('from text', cache, position, count);
        this.#turnTo(position, count);
        layer.prepare({position, tokens: count, cache, checkpoint: check});
      });
      await this.#eachSlice(tokens.length, pace, checkpoint, async (position, count, check) => {
        this.#moveSlice('from text', cache, position, count);
        this.#turnTo(position, count);
        const textLength = tokens.length;
        await layer.run({position, tokens: count, cache, checkpoint: check, textLength});
        this.#moveSlice('to text', cache, position, count);
      });
    }
  }

  /**
   * What the output norm makes of `count` tokens from token `first` on: of the slice that `forward` ran last, or, with
   * `cache`, of the text that `encode` ran last.
   *
   * @returns (count, embeddingLength), valid until anything else runs
   */
  states(first: number, count: number, cache?: KvCache): Rows {
    if (cache) this.#moveSlice('from text', cache, first, count);
    const {pointer, stride} = this.#hidden;
    const source = cache ? this.#hidden : {...this.#hidden, pointer: pointer + first * stride};
    const {outputNorm} = this.plan.weights;
    if (!outputNorm) return source;
    normalise(this.#kernels, this.spec.norm, outputNorm, source, this.#normed, count);
    return this.#normed;
  }

  /** Embeddings (count, embeddingLength) through the two dense matrices, where the model has them. */
  applyDense(embeddings: Rows, count: number): Rows {
    const [first, second] = this.plan.weights.dense;
    if (!first || !second) return embeddings;
    const {products, scratch} = this.#kernels;
    const between = scratch.rows('dense', this.spec.denseLength);
    const result = scratch.rows('mixed', this.spec.embeddingLength);
    products.project(first, embeddings, between, count);
    products.project(second, between, result, count);
    return result;
  }

  /** The same for one embedding. */
  applyDenseTo(embedding: Float32Array): Float32Array<ArrayBuffer> {
    const {core} = this.#kernels;
    const {pointer, columns} = this.#normed;
    core.f32(pointer, columns).set(embedding);
    return core.f32(this.applyDense(this.#normed, 1).pointer, columns).slice();
  }

  /**
   * Logits of `count` ≤ {@link logitRows} tokens of the slice that `forward` ran last, from token `first` on.
   *
   * @returns a view over the head's `logits`, `(count, stride / 4)`: valid until the next call
   */
  async logits(first: number, count: number): Promise<Rows> {
    if (count > logitRows) throw new RangeError(`at most ${logitRows} rows of logits`);
    if (!this.plan.head) throw new RangeError('an encoder has no logits');
    const {output, logits} = this.plan.head;
    this.#kernels.products.project(output, this.states(first, count), logits, count);
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
    if (!this.#nextLogits) throw new RangeError('an encoder has no logits');
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

  async #eachSlice(
    length: number,
    pace: Pace,
    checkpoint: Checkpoint,
    run: (position: number, count: number, checkpoint: Checkpoint) => void | Promise<void>,
  ): Promise<void> {
    for (let position = 0; position < length;) {
      const count = Math.min(pace.sliceLength, length - position);
      await pace.measure(count, checkpoint, async (check) => {
        await run(position, count, check);
        await check();
      });
      position += count;
    }
  }

  /** Copies a slice of the hidden states of a text. */
  #moveSlice(direction: 'from text' | 'to text', {text}: KvCache, position: number, count: number): void {
    if (!text) throw new RangeError('a decoder has no memory for a whole text');
    const {core} = this.#kernels;
    const {pointer, stride} = this.#hidden;
    const slice = core.u8(pointer, count * stride);
    const place = core.u8(text.pointer + position * stride, count * stride);
    if (direction === 'to text') place.set(slice);
    else slice.set(place);
  }

  #turnTo(position: number, tokens: number): void {
    const {exports} = this.#kernels.core;
    for (const {table, frequencies, pairs, scale} of this.#ropes) {
      exports.ropeTable(table, frequencies, pairs, position, tokens, scale);
    }
  }

  /** hidden = norm(embedding · scale + position + token type) */
  #embed(tokens: readonly number[], position: number): void {
    const {exports} = this.#kernels.core;
    const {embedding, positions, tokenTypes, embeddingNorm, perLayer} = this.plan.weights;
    const {pointer, stride} = this.#hidden;
    tokens.forEach((token, index) => this.#copyRow(embedding, token, pointer + index * stride));
    const count = (tokens.length * stride) / 4;
    if (this.spec.embeddingScale !== 1) exports.scale(pointer, this.spec.embeddingScale, count);
    if (positions) this.#addRows(positions, tokens.length, (index) => position + index);
    if (tokenTypes) this.#addRows(tokenTypes, tokens.length, () => 0);
    if (embeddingNorm) {
      normalise(this.#kernels, this.spec.norm, embeddingNorm, this.#hidden, this.#hidden, tokens.length);
    }
    if (perLayer) embedPerLayer(this.spec, perLayer, this.#kernels, this.#hidden, tokens);
  }

  /** hidden += a row of `matrix` for each of `count` tokens */
  #addRows(matrix: Matrix, count: number, rowOf: (index: number) => number): void {
    const {pointer, stride} = this.#hidden;
    const added = this.#normed.pointer;
    for (let index = 0; index < count; index++) this.#copyRow(matrix, rowOf(index), added + index * stride);
    this.#kernels.core.exports.add(pointer, pointer, added, (count * stride) / 4);
  }

  #copyRow({format, columns, parts}: Matrix, row: number, target: number): void {
    this.#kernels.core.exports.dequantizeRow(format, parts[0] ?? 0, row, columns, target);
  }
}
