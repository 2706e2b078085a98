import type {ExpertsSpec} from '../decoder-spec.ts';
import type {Rows, ScratchPlan} from '../scratch.ts';
import {rowStride} from '../scratch.ts';
import type {WeightPlanner} from '../weight-planner.ts';
import type {Linear} from '../weights.ts';
import {activate} from './activation.ts';
import {FeedForward, planFeedForward, planFeedForwardScratch} from './feed-forward.ts';
import type {FeedForwardWeights} from './feed-forward.ts';
import type {Block, Kernels, Pass} from './kernels.ts';
import {chooseExperts} from './router.ts';
import type {Choice} from './router.ts';

interface Expert {
  readonly gate: Linear;
  readonly up: Linear;
  readonly down: Linear;
}

export interface ExpertsWeights {
  readonly router: Linear;
  /** Added to probabilities where experts are chosen, but not where they are weighed. */
  readonly choiceBias: Float32Array<ArrayBuffer> | null;
  readonly experts: readonly Expert[];
  readonly shared: FeedForwardWeights | null;
  /** (1, embeddingLength): how much of the shared network a token takes. */
  readonly sharedGate: Linear | null;
}

/** @param name prefix of the layer's tensors */
export function planExperts(
  {count, length, shared}: ExpertsSpec,
  embeddingLength: number,
  name: string,
  weights: WeightPlanner,
): ExpertsWeights {
  const router = weights.linear(`${name}.ffn_gate_inp`, count, embeddingLength);
  const choiceBias = weights.optionalArray(`${name}.exp_probs_b.bias`, count);
  const plan = (tensor: string, rows: readonly number[]): Linear[][] =>
    weights.experts(`${name}.${tensor}`, count, rows, embeddingLength);
  const gatesAndUps = weights.has(`${name}.ffn_gate_up_exps.weight`)
    ? plan('ffn_gate_up_exps', [length, length])
    : joined(plan('ffn_gate_exps', [length]), plan('ffn_up_exps', [length]));
  const downs = weights.experts(`${name}.ffn_down_exps`, count, [embeddingLength], length, length);
  const experts = joined(gatesAndUps, downs).map(([gate, up, down]): Expert => {
    if (!gate || !up || !down) throw new RangeError('an expert has three matrices');
    return {gate, up, down};
  });
  const gateName = `${name}.ffn_gate_inp_shexp`;
  return {
    router,
    choiceBias,
    experts,
    shared: shared ? planFeedForward(shared, embeddingLength, name, weights, '_shexp') : null,
    sharedGate: weights.has(`${gateName}.weight`) ? weights.linear(gateName, 1, embeddingLength) : null,
  };
}

const joined = (a: Linear[][], b: Linear[][]): Linear[][] =>
  a.map((linears, index) => [...linears, ...(b[index] ?? [])]);

export function planExpertsScratch(
  {count, used, length, shared}: ExpertsSpec,
  embeddingLength: number,
  scratch: ScratchPlan,
): void {
  scratch.rows('router', count);
  scratch.rows('gate', length);
  scratch.rows('up', length);
  scratch.rows('expert input', embeddingLength);
  scratch.bytes('expert outputs', scratch.sliceLength * used * rowStride(embeddingLength));
  if (shared) {
    planFeedForwardScratch(shared, scratch);
    scratch.rows('shared gate', 1);
  }
}

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
 * do not depend on what else is in the slice.
 */
export class Experts implements Block {
  readonly #spec: ExpertsSpec;
  readonly #weights: ExpertsWeights;
  readonly #kernels: Kernels;
  readonly #shared: FeedForward | null;
  /** (tokens, count) */
  readonly #router: Rows;
  /** (tokens, length) */
  readonly #gate: Rows;
  readonly #up: Rows;
  /** The tokens of one expert (tokens, embeddingLength). */
  readonly #input: Rows;
  /** (tokens, used, embeddingLength) */
  readonly #outputs: Rows;
  /** (tokens, 1) */
  readonly #sharedGate: Rows | null;

  constructor(spec: ExpertsSpec, embeddingLength: number, weights: ExpertsWeights, kernels: Kernels) {
    const {scratch} = kernels;
    this.#spec = spec;
    this.#weights = weights;
    this.#kernels = kernels;
    this.#shared =
      spec.shared && weights.shared ? new FeedForward(spec.shared, weights.shared, kernels) : null;
    this.#router = scratch.rows('router', spec.count);
    this.#gate = scratch.rows('gate', spec.length);
    this.#up = scratch.rows('up', spec.length);
    this.#input = scratch.rows('expert input', embeddingLength);
    this.#outputs = scratch.rows('expert outputs', embeddingLength);
    this.#sharedGate = weights.sharedGate && scratch.rows('shared gate', 1);
  }

  async run(x: Rows, y: Rows, pass: Pass): Promise<void> {
    const choices = this.#choose(x, pass.tokens);
    for (const [expert, tasks] of byExpert(choices)) {
      await this.#runExpert(expert, tasks, x);
      await pass.checkpoint();
    }
    if (this.#shared) await this.#shared.run(x, y, pass);
    if (this.#shared) this.#openSharedGate(x, y, pass.tokens);
    this.#addWeighed(choices, y);
  }

  #choose(x: Rows, tokens: number): readonly (readonly Choice[])[] {
    const {core, products} = this.#kernels;
    products.project(this.#weights.router, x, this.#router, tokens);
    const {pointer, stride} = this.#router;
    return Array.from({length: tokens}, (_, token) => {
      const scores = core.f32(pointer + token * stride, this.#spec.count);
      return chooseExperts(this.#spec, scores, this.#weights.choiceBias, core.exports.exp);
    });
  }

  /** Writes what an expert gives for its tokens to their places among the outputs. */
  async #runExpert(index: number, tasks: readonly Task[], x: Rows): Promise<void> {
    const {core, products} = this.#kernels;
    const expert = this.#weights.experts[index];
    if (!expert) throw new RangeError(`there is no expert ${index}`);
    const {pointer, stride} = this.#input;
    tasks.forEach(({token}, row) => {
      core.u8(pointer + row * stride, stride).set(core.u8(x.pointer + token * x.stride, stride));
    });
    const count = tasks.length;
    products.project(expert.gate, this.#input, this.#gate, count);
    products.project(expert.up, this.#input, this.#up, count, expert.gate);
    activate(core.exports, this.#spec.activation, this.#gate, this.#up, count);
    await products.projectDivided(expert.down, this.#up, this.#input, count);
    tasks.forEach(({token, rank}, row) => {
      core.u8(this.#output(token, rank), stride).set(core.u8(pointer + row * stride, stride));
    });
  }

  /** y *= sigmoid(x · gate) */
  #openSharedGate(x: Rows, y: Rows, tokens: number): void {
    const {sharedGate} = this.#weights;
    if (!sharedGate || !this.#sharedGate) return;
    const {core, products} = this.#kernels;
    products.project(sharedGate, x, this.#sharedGate, tokens);
    const {pointer, stride} = this.#sharedGate;
    for (let token = 0; token < tokens; token++) {
      const [score = NaN] = core.f32(pointer + token * stride, 1);
      const open = 1 / (1 + core.exports.exp(-score));
      core.exports.scale(y.pointer + token * y.stride, open, y.stride / 4);
    }
  }

  /** y = the weighed outputs of each token, and what y holds already where there is a shared network. */
  #addWeighed(choices: readonly (readonly Choice[])[], {pointer, stride}: Rows): void {
    const {core} = this.#kernels;
    const {exports} = core;
    const count = stride / 4;
    choices.forEach((chosen, token) => {
      const target = pointer + token * stride;
      const sum = this.#output(token, 0);
      chosen.forEach(({weight}, rank) => {
        const output = this.#output(token, rank);
        if (rank === 0) exports.scale(output, weight, count);
        else exports.addScaled(sum, sum, output, weight, count);
      });
      if (this.#shared) exports.add(target, sum, target, count);
      else core.u8(target, stride).set(core.u8(sum, stride));
    });
  }

  #output(token: number, rank: number): number {
    const {pointer, stride} = this.#outputs;
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
