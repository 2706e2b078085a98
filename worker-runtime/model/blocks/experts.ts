import type {ExpertsSpec} from '../decoder-spec.ts';
import {rowStride} from '../scratch.ts';
import type {Rows} from '../scratch.ts';
import {activate} from './activation.ts';
import type {Expert, ExpertsWeights} from './experts-plan.ts';
import {FeedForward} from './feed-forward.ts';
import type {Block, Kernels, Pass} from './kernels.ts';
import {chooseExperts} from './router.ts';
import type {Choice} from './router.ts';

/** A place among the outputs: what an expert gives for a token. */
interface Task {
  readonly token: number;
  /** Among the chosen of the token. */
  readonly rank: number;
}

/**
 * y = Σ weight · expert(x) over the experts that a router chooses for each token, and a shared network.
 *
 * An expert takes all its tokens at once. What the experts give a token is added in the order of their weights, so the bits
 * do not depend on what else is in the slice. The hidden layers of all experts are computed first, so that the shards
 * complete them at once.
 */
export class Experts implements Block {
  readonly #spec: ExpertsSpec;
  readonly #weights: ExpertsWeights;
  readonly #kernels: Kernels;
  readonly #shared: FeedForward | null;
  /** (tokens, count) */
  readonly #router: Rows;
  /** This shard's part of the hidden layer of one expert. */
  readonly #gate: Rows;
  readonly #up: Rows;
  /** What goes into the products of one expert: its tokens, or their hidden layers. */
  readonly #input: Rows;
  readonly #hiddenInput: Rows;
  /** (tokens · used, length) */
  readonly #hidden: Rows;
  /** (tokens · used, embeddingLength), of which this shard has its columns. */
  readonly #outputs: Rows;
  /** (tokens, embeddingLength) */
  readonly #sums: Rows;
  /** (tokens, 1) */
  readonly #sharedGate: Rows | null;

  constructor(spec: ExpertsSpec, embeddingLength: number, weights: ExpertsWeights, kernels: Kernels) {
    const {scratch} = kernels;
    const own = weights.experts[0]?.up.matrix.rows ?? 0;
    this.#spec = spec;
    this.#weights = weights;
    this.#kernels = kernels;
    this.#shared =
      spec.shared && weights.shared ? new FeedForward(spec.shared, weights.shared, kernels) : null;
    this.#router = scratch.rows('router', spec.count);
    this.#gate = scratch.rows('gate', own);
    this.#up = scratch.rows('up', own);
    this.#input = scratch.rows('expert input', embeddingLength);
    this.#hiddenInput = scratch.rows('expert input', spec.length);
    this.#hidden = scratch.rows('expert hidden', spec.length);
    this.#outputs = scratch.rows('expert outputs', embeddingLength);
    this.#sums = scratch.rows('experts', embeddingLength);
    this.#sharedGate = weights.sharedGate && scratch.rows('shared gate', 1);
  }

  async run(x: Rows, y: Rows, pass: Pass): Promise<void> {
    const {products} = this.#kernels;
    const {tokens, checkpoint} = pass;
    const {hiddenRanges, outputRanges} = this.#weights;
    const choices = await this.#choose(x, tokens);
    const tasks = byExpert(choices);
    for (const [expert, own] of tasks) {
      this.#computeHidden(expert, own, x);
      await checkpoint();
    }
    await products.complete([{rows: this.#hidden, ranges: hiddenRanges}], tokens * this.#spec.used);
    for (const [expert, own] of tasks) {
      this.#computeOutputs(expert, own);
      await checkpoint();
    }
    this.#addWeighed(choices);
    await products.complete([{rows: this.#sums, ranges: outputRanges}], tokens);
    if (this.#shared) await this.#shared.run(x, y, pass);
    if (this.#shared) await this.#openSharedGate(x, y, tokens);
    this.#addTo(y, tokens);
  }

  async #choose(x: Rows, tokens: number): Promise<readonly (readonly Choice[])[]> {
    const {core, products} = this.#kernels;
    await products.projectWhole([{product: this.#weights.router, y: this.#router}], x, tokens);
    const {pointer, stride} = this.#router;
    return Array.from({length: tokens}, (_, token) => {
      const scores = core.f32(pointer + token * stride, this.#spec.count);
      return chooseExperts(this.#spec, scores, this.#weights.choiceBias, core.exports.exp);
    });
  }

  /** The hidden layers of an expert's tokens, as far as they are this shard's. */
  #computeHidden(index: number, tasks: readonly Task[], x: Rows): void {
    const {core, products} = this.#kernels;
    const {gate, up} = this.#expert(index);
    if (up.matrix.rows === 0) return;
    const {pointer, stride} = this.#input;
    tasks.forEach(({token}, row) =>
      this.#kernels.core.copy(x.pointer + token * x.stride, pointer + row * stride, stride),
    );
    const count = tasks.length;
    products.project(gate, this.#input, this.#gate, count);
    products.project(up, this.#input, this.#up, count, gate);
    activate(core.exports, this.#spec.activation, this.#gate, this.#up, count);
    const {first} = products.share.own(this.#weights.hiddenRanges);
    tasks.forEach((task, row) => {
      const target = this.#place(this.#hidden, task) + first * 4;
      this.#kernels.core.copy(this.#up.pointer + row * this.#up.stride, target, up.matrix.rows * 4);
    });
  }

  /** What an expert gives for its tokens, as far as it is this shard's. */
  #computeOutputs(index: number, tasks: readonly Task[]): void {
    const {products} = this.#kernels;
    const {down} = this.#expert(index);
    if (down.matrix.rows === 0) return;
    const input = this.#hiddenInput;
    tasks.forEach((task, row) =>
      this.#kernels.core.copy(
        this.#place(this.#hidden, task),
        input.pointer + row * input.stride,
        input.stride,
      ),
    );
    // Its sums have no other place of their length: they go where sums of all experts will be.
    const {first, count: columns} = products.share.own(this.#weights.outputRanges);
    const given = {pointer: this.#sums.pointer + first * 4, columns, stride: this.#sums.stride};
    products.project(down, input, given, tasks.length);
    tasks.forEach((task, row) =>
      this.#kernels.core.copy(
        given.pointer + row * given.stride,
        this.#place(this.#outputs, task) + first * 4,
        columns * 4,
      ),
    );
  }

  /** y *= sigmoid(x · gate) */
  async #openSharedGate(x: Rows, y: Rows, tokens: number): Promise<void> {
    const {sharedGate} = this.#weights;
    if (!sharedGate || !this.#sharedGate) return;
    const {core, products} = this.#kernels;
    await products.projectWhole([{product: sharedGate, y: this.#sharedGate}], x, tokens);
    const {pointer, stride} = this.#sharedGate;
    for (let token = 0; token < tokens; token++) {
      const [score = NaN] = core.f32(pointer + token * stride, 1);
      const open = 1 / (1 + core.exports.exp(-score));
      core.exports.scale(y.pointer + token * y.stride, open, y.stride / 4);
    }
  }

  /** The weighed outputs of each token, as far as they are this shard's. */
  #addWeighed(choices: readonly (readonly Choice[])[]): void {
    const {exports} = this.#kernels.core;
    const {first, count} = this.#kernels.products.share.own(this.#weights.outputRanges);
    if (count === 0) return;
    const values = rowStride(count) / 4;
    choices.forEach((chosen, token) => {
      const sum = this.#sums.pointer + token * this.#sums.stride + first * 4;
      chosen.forEach(({weight}, rank) => {
        const output = this.#place(this.#outputs, {token, rank}) + first * 4;
        if (rank > 0) exports.addScaled(sum, sum, output, weight, values);
        else {
          exports.scale(output, weight, values);
          this.#kernels.core.copy(output, sum, values * 4);
        }
      });
    });
  }

  /** y = the sums, and what y holds already where there is a shared network. */
  #addTo(y: Rows, tokens: number): void {
    const sums = this.#sums.pointer;
    const bytes = tokens * y.stride;
    if (this.#shared) this.#kernels.core.exports.add(y.pointer, sums, y.pointer, bytes / 4);
    else this.#kernels.core.copy(sums, y.pointer, bytes);
  }

  #expert(index: number): Expert {
    const expert = this.#weights.experts[index];
    if (expert) return expert;
    throw new RangeError(`there is no expert ${index}`);
  }

  #place({pointer, stride}: Rows, {token, rank}: Task): number {
    return pointer + (token * this.#spec.used + rank) * stride;
  }
}

function byExpert(choices: readonly (readonly Choice[])[]): Map<number, Task[]> {
  const tasks = new Map<number, Task[]>();
  choices.forEach((chosen, token) =>
    chosen.forEach(({expert}, rank) => {
      const own = tasks.get(expert);
      if (own) own.push({token, rank});
      else tasks.set(expert, [{token, rank}]);
    }),
  );
  return tasks;
}
