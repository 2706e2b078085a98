import type {Checkpoint} from '../checkpoint.ts';
import {Pace} from '../pace.ts';
import type {Core} from '../core/core.ts';
import {ContextSnapshot} from './context-snapshot.ts';
import {GgufError} from '../errors.ts';
import {Logits} from '../sampling/logits.ts';
import type {ShardGroup} from '../shards/shard-group.ts';
import {AltUp} from './blocks/alt-up.ts';
import {normalise} from './blocks/kernels.ts';
import type {Kernels} from './blocks/kernels.ts';
import {Layer} from './blocks/layer.ts';
import {embedPerLayer} from './blocks/per-layer-input.ts';
import {logitRows} from './decoder-plan.ts';
import type {DecoderHead, DecoderPlan} from './decoder-plan.ts';
import type {DecoderSpec} from './decoder-spec.ts';
import type {KvCache} from './kv-cache.ts';
import {Products} from './products.ts';
import {ropeFrequencies} from './rope-frequencies.ts';
import type {Rows} from './scratch.ts';
import type {DividedMatrix} from './weights.ts';

/** A slice of a sequence: consecutive tokens, of which the first stands at `position`. */
export interface Slice {
  readonly tokens: readonly number[];
  readonly position: number;
  readonly cache: KvCache;
  /** Whether the states before the slice are kept, to come back to. */
  readonly keepsStates?: boolean;
}

/** A slice of a text in one layer of an encoder. */
export interface LayerSlice {
  readonly layer: number;
  readonly position: number;
  readonly count: number;
  /** Tokens of the whole text. */
  readonly textLength: number;
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
  readonly #altUp: AltUp | null;
  readonly #ropes: readonly Rope[];
  /** The residual stream and a normed one, (sliceLength, embeddingLength). */
  readonly #hidden: Rows;
  readonly #normed: Rows;
  readonly #nextLogits: Logits | null;
  /** What was put aside, by the number of its sequence. */
  readonly #contexts = new Map<number, ContextSnapshot>();

  constructor(spec: DecoderSpec, plan: DecoderPlan, core: Core, shards: ShardGroup) {
    const {weights, scratch} = plan;
    const kernels = {core, scratch, products: new Products(core, shards, scratch)};
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
    const {altUp, embeddingLength} = spec;
    this.#altUp = altUp && weights.altUp && new AltUp(embeddingLength, altUp, weights.altUp, kernels);
    this.#ropes = spec.ropes.map((rope, index): Rope => {
      const {frequencies, scale} = ropeFrequencies(rope, weights.ropeFactors[index] ?? null, core.exports);
      const pointer = scratch.pointer(`frequencies ${index}`);
      core.f64(pointer, frequencies.length).set(frequencies);
      const table = scratch.pointer(`rope ${index}`);
      return {frequencies: pointer, table, pairs: frequencies.length, scale};
    });
    const {head} = plan;
    this.#nextLogits = head?.sampling ? new Logits(core, head.logits, head.sampling) : null;
  }

  /**
   * Puts the context in the cache aside, on all shards; `restoreContext` brings it back.
   *
   * @param sequence a number to find it again by
   * @param stored positions that were stored
   */
  keepContext(sequence: number, stored: number, cache: KvCache, checkpoint: Checkpoint): Promise<void> {
    return this.#shards.together({step: 'keep-context', sequence, stored}, async () => {
      this.#contexts.set(sequence, await ContextSnapshot.take(this.core, cache, stored, checkpoint));
    });
  }

  /** Brings a context back that was put aside; one that was not begins. */
  restoreContext(sequence: number, cache: KvCache): Promise<void> {
    return this.#shards.together({step: 'restore-context', sequence}, () => {
      const context = this.#contexts.get(sequence);
      if (context) context.restore();
      else cache.states?.clear(this.core);
      this.#contexts.delete(sequence);
      return Promise.resolve();
    });
  }

  /** Forgets a context that was put aside, on all shards. */
  dropContext(sequence: number): Promise<void> {
    return this.#shards.together({step: 'drop-context', sequence}, () => {
      this.#contexts.delete(sequence);
      return Promise.resolve();
    });
  }

  get core(): Core {
    return this.#kernels.core;
  }

  /**
   * Runs a slice through all layers: its keys and values are in the cache afterwards, its hidden states in the scratch.
   * Stops, by what `checkpoint` throws, between any two blocks; the cache is then as before up to `position`.
   */
  forward(slice: Slice, checkpoint: Checkpoint): Promise<void> {
    const {tokens, position, keepsStates = false} = slice;
    const task = {step: 'forward', tokens, position, keepsStates} as const;
    return this.#shards.together(task, () => this.#forward(slice, checkpoint));
  }

  async #forward({tokens, position, cache, keepsStates}: Slice, checkpoint: Checkpoint): Promise<void> {
    const {core} = this.#kernels;
    // Before the first exchange: also where the step is cancelled, all shards have kept the same.
    cache.states?.goTo(position, core);
    if (keepsStates) cache.states?.keep(core);
    await this.#embed(tokens, position);
    await this.#altUp?.begin(tokens.length);
    this.#turnTo(position, tokens.length);
    const pass = {position, tokens: tokens.length, cache, checkpoint};
    for (const layer of this.#layers) {
      await checkpoint();
      await layer.run(pass);
    }
    await this.#altUp?.end(pass);
    cache.states?.advance(tokens.length);
  }

  /**
   * Runs a whole text through all layers, layer by layer and slice by slice: a token sees those behind it, too. The hidden
   * states are in `cache.text` afterwards. Stops, by what `checkpoint` throws, between any two blocks.
   */
  async encode(tokens: readonly number[], cache: KvCache, pace: Pace, checkpoint: Checkpoint): Promise<void> {
    // What takes less time than a layer must not make its slices longer.
    const quick = new Pace(this.plan.sliceLength);
    await this.#eachSlice(tokens.length, quick, checkpoint, (position, count) =>
      this.embedText(tokens.slice(position, position + count), position, cache),
    );
    const textLength = tokens.length;
    for (let layer = 0; layer < this.#layers.length; layer++) {
      await this.#eachSlice(tokens.length, quick, checkpoint, (position, count, check) =>
        this.prepareLayer({layer, position, count, textLength}, cache, check),
      );
      await this.#eachSlice(tokens.length, pace, checkpoint, (position, count, check) =>
        this.runLayer({layer, position, count, textLength}, cache, check),
      );
    }
  }

  /** The first step of `encode` with a slice, on all shards. */
  embedText(tokens: readonly number[], position: number, cache: KvCache): Promise<void> {
    return this.#shards.together({step: 'embed-text', tokens, position}, async () => {
      await this.#embed(tokens, position);
      this.#moveSlice('to text', cache, position, tokens.length);
    });
  }

  /** The step of `encode` that stores the keys and values of a slice, on all shards. */
  prepareLayer(slice: LayerSlice, cache: KvCache, checkpoint: Checkpoint): Promise<void> {
    const {layer, position, count} = slice;
    return this.#shards.together({step: 'prepare-layer', ...slice}, async () => {
      this.#moveSlice('from text', cache, position, count);
      this.#turnTo(position, count);
      await this.#layers[layer]?.prepare({position, tokens: count, cache, checkpoint});
    });
  }

  /** The step of `encode` that takes a slice through a layer, on all shards. */
  runLayer(slice: LayerSlice, cache: KvCache, checkpoint: Checkpoint): Promise<void> {
    const {layer, position, count, textLength} = slice;
    return this.#shards.together({step: 'run-layer', ...slice}, async () => {
      this.#moveSlice('from text', cache, position, count);
      this.#turnTo(position, count);
      await this.#layers[layer]?.run({position, tokens: count, cache, checkpoint, textLength});
      this.#moveSlice('to text', cache, position, count);
    });
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
    products.project(first.linear, embeddings, between, count);
    products.project(second.linear, between, result, count);
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
    const {head} = this.plan;
    return this.#shards.together({step: 'logits', first, count}, () => this.#logits(head, first, count));
  }

  async #logits({output, logits}: DecoderHead, first: number, count: number): Promise<Rows> {
    const {products} = this.#kernels;
    products.project(output.linear, this.states(first, count), logits, count);
    await products.collect({rows: logits, ranges: output.ranges}, count);
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
  async #embed(tokens: readonly number[], position: number): Promise<void> {
    const {exports} = this.#kernels.core;
    const {embedding, positions, tokenTypes, embeddingNorm, perLayer} = this.plan.weights;
    const {pointer, stride} = this.#hidden;
    await this.#kernels.products.lookUp(embedding, tokens, this.#hidden);
    const count = (tokens.length * stride) / 4;
    if (this.spec.embeddingScale !== 1) exports.scale(pointer, this.spec.embeddingScale, count);
    if (positions)
      await this.#addRows(
        positions,
        tokens.map((_, index) => position + index),
      );
    if (tokenTypes)
      await this.#addRows(
        tokenTypes,
        tokens.map(() => 0),
      );
    if (embeddingNorm) {
      normalise(this.#kernels, this.spec.norm, embeddingNorm, this.#hidden, this.#hidden, tokens.length);
    }
    if (perLayer) await embedPerLayer(this.spec, perLayer, this.#kernels, this.#hidden, tokens);
  }

  /** hidden += a row of `matrix` for each token */
  async #addRows(matrix: DividedMatrix, rows: readonly number[]): Promise<void> {
    const {pointer, stride} = this.#hidden;
    await this.#kernels.products.lookUp(matrix, rows, this.#normed);
    this.#kernels.core.exports.add(pointer, pointer, this.#normed.pointer, (rows.length * stride) / 4);
  }
}
