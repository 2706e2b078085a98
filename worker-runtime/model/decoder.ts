import {ropeStyles} from '../core/core-exports.ts';
import type {Core} from '../core/core.ts';
import {GgufError} from '../errors.ts';
import {Logits} from '../sampling/logits.ts';
import type {ShardGroup} from '../shards/shard-group.ts';
import {logitRows} from './decoder-buffers.ts';
import type {DecoderBuffers, Rows} from './decoder-buffers.ts';
import type {DecoderSpec} from './decoder-spec.ts';
import type {KvCache} from './kv-cache.ts';
import type {Checkpoint} from '../checkpoint.ts';
import {ropeFrequencies} from './rope-frequencies.ts';
import type {DecoderWeights, LayerWeights, Matrix, Vector} from './weights.ts';

/** A slice of a sequence: consecutive tokens, of which the first stands at `position`. */
export interface Slice {
  readonly tokens: readonly number[];
  readonly position: number;
  readonly cache: KvCache;
}

/**
 * The forward pass of every decoder, driven by a {@link DecoderSpec}. The graph is here, the arithmetic in the core.
 *
 * Results are the same bits for any slicing: each (token, row) is summed in an order that depends on shapes alone.
 */
export class Decoder {
  readonly spec: DecoderSpec;
  readonly buffers: DecoderBuffers;
  readonly #core: Core;
  readonly #weights: DecoderWeights;
  readonly #shards: ShardGroup;
  readonly #ropeScale: number;
  readonly #nextLogits: Logits;

  constructor(
    spec: DecoderSpec,
    weights: DecoderWeights,
    buffers: DecoderBuffers,
    core: Core,
    shards: ShardGroup,
  ) {
    this.spec = spec;
    this.buffers = buffers;
    this.#core = core;
    this.#weights = weights;
    this.#shards = shards;
    const {frequencies, scale} = ropeFrequencies(spec.rope, weights.ropeFactors, core.exports);
    core.f64(buffers.ropeFrequencies, frequencies.length).set(frequencies);
    this.#ropeScale = scale;
    this.#nextLogits = new Logits(core, buffers.logits, buffers.sampling);
  }

  /**
   * Runs a slice through all layers: its keys and values are in the cache afterwards, its hidden states in
   * `buffers.hidden`. Stops, by what `checkpoint` throws, between any two blocks; the cache is then as before up to
   * `position`.
   */
  async forward({tokens, position, cache}: Slice, checkpoint: Checkpoint): Promise<void> {
    const {exports} = this.#core;
    const {hidden, ropeTable, ropeFrequencies: frequencies} = this.buffers;
    const {embedding} = this.#weights;
    tokens.forEach((token, index) => {
      const target = hidden.pointer + index * hidden.stride;
      exports.dequantizeRow(embedding.format, embedding.parts[0] ?? 0, token, embedding.columns, target);
    });
    const pairs = this.spec.rope.dimensions / 2;
    exports.ropeTable(ropeTable, frequencies, pairs, position, tokens.length, this.#ropeScale);
    for (const [index, layer] of this.#weights.layers.entries()) {
      await this.#attentionBlock(layer, index, position, tokens.length, cache);
      await checkpoint();
      await this.#feedForwardBlock(layer, tokens.length, checkpoint);
      await checkpoint();
    }
  }

  /**
   * Logits of `count` ≤ {@link logitRows} tokens of the slice that `forward` ran last, from token `first` on.
   *
   * @returns a view over `buffers.logits`, `(count, stride / 4)`: valid until the next call
   */
  async logits(first: number, count: number): Promise<Rows> {
    if (count > logitRows) throw new RangeError(`at most ${logitRows} rows of logits`);
    const {hidden, normed, logits} = this.buffers;
    const source = {...hidden, pointer: hidden.pointer + first * hidden.stride};
    this.#norm(source, this.#weights.outputNorm, normed, count);
    const {output} = this.#weights;
    this.#prepare(output, normed, count);
    this.#multiply(output, logits, count);
    await this.#shards.gather(logits.pointer, logits.columns, count, logits.stride);
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
    if (this.#core.exports.argmax(pointer, columns) >= 0) return;
    throw new GgufError(
      'logits-not-finite',
      'The model gave logits that are not finite; the file may be damaged',
    );
  }

  /** hidden += attention(norm(hidden)) · Wo */
  async #attentionBlock(
    layer: LayerWeights,
    index: number,
    position: number,
    tokens: number,
    cache: KvCache,
  ): Promise<void> {
    const {hidden, normed, query, key, value, attended} = this.buffers;
    this.#norm(hidden, layer.attentionNorm, normed, tokens);
    this.#project(layer.query, normed, query, tokens);
    this.#project(layer.key, normed, key, tokens, layer.query);
    this.#project(layer.value, normed, value, tokens, layer.key);
    const {headCount, headCountKv} = this.spec;
    this.#rope(query, headCount, tokens);
    this.#rope(key, headCountKv, tokens);
    this.#attend(index, position, tokens, cache);
    await this.#projectDivided(layer.attentionOutput, attended, tokens);
  }

  /** hidden += (silu(norm(hidden) · Wgate) ∘ norm(hidden) · Wup) · Wdown */
  async #feedForwardBlock(layer: LayerWeights, tokens: number, checkpoint: Checkpoint): Promise<void> {
    const {hidden, normed, gate, up} = this.buffers;
    this.#norm(hidden, layer.feedForwardNorm, normed, tokens);
    this.#project(layer.gate, normed, gate, tokens);
    this.#project(layer.up, normed, up, tokens, layer.gate);
    this.#core.exports.swiGlu(gate.pointer, up.pointer, gate.pointer, (tokens * gate.stride) / 4);
    await checkpoint();
    await this.#projectDivided(layer.down, gate, tokens);
  }

  #norm(x: Rows, {pointer, length}: Vector, y: Rows, tokens: number): void {
    const {normEpsilon} = this.spec;
    this.#core.exports.rmsNorm(
      x.pointer,
      pointer,
      y.pointer,
      length,
      normEpsilon,
      tokens,
      x.stride,
      y.stride,
    );
  }

  #rope(x: Rows, heads: number, tokens: number): void {
    const {headLength, rope} = this.spec;
    const pairs = rope.dimensions / 2;
    const {ropeTable} = this.buffers;
    this.#core.exports.rope(
      x.pointer,
      ropeTable,
      heads,
      headLength,
      pairs,
      tokens,
      x.stride,
      ropeStyles[rope.style],
    );
  }

  #attend(layer: number, position: number, tokens: number, cache: KvCache): void {
    const {exports} = this.#core;
    const {query, key, value, attended, attentionScratch} = this.buffers;
    const {headCount, headCountKv, headLength, attentionScale} = this.spec;
    const {format} = cache;
    const {keys = 0, values = 0, positions = 0, window = 0} = cache.layers[layer] ?? {};
    exports.storeK(
      format,
      key.pointer,
      keys,
      headCountKv,
      headLength,
      positions,
      position,
      tokens,
      key.stride,
    );
    exports.storeV(
      format,
      value.pointer,
      values,
      headCountKv,
      headLength,
      positions,
      position,
      tokens,
      value.stride,
    );
    exports.attention(
      format,
      query.pointer,
      keys,
      values,
      attended.pointer,
      attentionScratch,
      headCountKv,
      headCount / headCountKv,
      headLength,
      positions,
      position,
      tokens,
      attentionScale,
      window,
      query.stride,
      attended.stride,
    );
  }

  /** y = x · W for a matrix divided by rows. `prepared` names a matrix that x was prepared for just before. */
  #project(matrix: Matrix, x: Rows, y: Rows, tokens: number, prepared?: Matrix): void {
    if (prepared?.format !== matrix.format) this.#prepare(matrix, x, tokens);
    this.#multiply(matrix, y, tokens);
  }

  /**
   * hidden += x · W for a matrix divided by columns: the partial sums of P parts are added in the tree
   * ((0+1)+(2+3))+((4+5)+(6+7)). Shards hold whole subtrees, so their exchange finishes the same tree.
   */
  async #projectDivided(matrix: Matrix, x: Rows, tokens: number): Promise<void> {
    const {hidden, normed: sum} = this.buffers;
    this.#sumParts(matrix, x, tokens, 0, matrix.parts.length, sum);
    await this.#shards.sum(sum.pointer, sum.columns, tokens, sum.stride);
    this.#core.exports.add(hidden.pointer, hidden.pointer, sum.pointer, (tokens * hidden.stride) / 4);
  }

  /** y = the sum of parts [first, first + count), by halves. */
  #sumParts(matrix: Matrix, x: Rows, tokens: number, first: number, count: number, y: Rows): void {
    if (count === 1) {
      const columns = matrix.columns / matrix.parts.length;
      const part = {...x, pointer: x.pointer + first * columns * 4};
      this.#prepare(matrix, part, tokens);
      this.#multiply(matrix, y, tokens, first);
      return;
    }
    const half = count / 2;
    const right = this.buffers.partials[Math.log2(half)];
    if (!right) throw new RangeError('no buffer for this level of the tree');
    this.#sumParts(matrix, x, tokens, first, half, y);
    this.#sumParts(matrix, x, tokens, first + half, half, right);
    this.#core.exports.add(y.pointer, y.pointer, right.pointer, (tokens * y.stride) / 4);
  }

  #prepare({format, columns, parts}: Matrix, x: Rows, tokens: number): void {
    const {activations} = this.buffers;
    const {exports} = this.#core;
    exports.prepareActivations(format, x.pointer, columns / parts.length, tokens, x.stride, activations);
  }

  #multiply({format, rows, columns, parts}: Matrix, y: Rows, tokens: number, part = 0): void {
    const {activations} = this.buffers;
    const matrix = parts[part] ?? 0;
    this.#core.exports.matmul(
      format,
      matrix,
      activations,
      y.pointer,
      rows,
      columns / parts.length,
      tokens,
      y.stride,
    );
  }
}
