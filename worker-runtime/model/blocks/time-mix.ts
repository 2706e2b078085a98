import type {TimeMixSpec} from '../decoder-spec.ts';
import {mixerState} from '../mixer-states.ts';
import type {Rows} from '../scratch.ts';
import {layerState, normaliseHeads} from './kernels.ts';
import type {Block, Kernels, Pass} from './kernels.ts';
import {allRecalled, firstValues, rankRows, shiftedInputs} from './time-mix-plan.ts';
import type {LowRank, ownRows, TimeMixWeights} from './time-mix-plan.ts';
import {keepLastRow, shiftTokens} from './token-shift.ts';

export {planTimeMix, planTimeMixScratch} from './time-mix-plan.ts';

/** Below this, the length of a removed key counts as this. */
const leastLength = 1e-12;

/** y = ((norm(wkv7(r, w, k, v, -κ, κ a)) + bonus) ∘ gate) · Wo; each shard computes its heads. */
export class TimeMix implements Block {
  readonly #spec: TimeMixSpec;
  readonly #weights: TimeMixWeights;
  readonly #kernels: Kernels;
  readonly #layer: number;
  /** Heads of this shard. */
  readonly #heads: number;
  /** An input mixed with the one before: (tokens, embeddingLength) */
  readonly #shifted: Rows;
  /** Of the heads of this shard: (tokens, own channels) */
  readonly #receptance: Rows;
  readonly #key: Rows;
  readonly #value: Rows;
  readonly #firstValue: Rows;
  readonly #decay: Rows;
  readonly #rate: Rows;
  readonly #valueShare: Rows;
  readonly #gate: Rows;
  readonly #removed: Rows;
  readonly #replaced: Rows;
  readonly #recalled: Rows;
  /** (tokens, channels) */
  readonly #allRecalled: Rows;
  /** (tokens, rank) */
  readonly #ranks: Readonly<Record<keyof TimeMixSpec['ranks'], Rows>>;

  constructor(spec: TimeMixSpec, weights: TimeMixWeights, kernels: Kernels, layer: number) {
    const {scratch, products} = kernels;
    const channels = spec.headCount * spec.headLength;
    const own = (name: (typeof ownRows)[number] | typeof firstValues): Rows =>
      scratch.rows(name, weights.own.count);
    const rank = (name: keyof TimeMixSpec['ranks']): Rows => scratch.rows(rankRows[name], spec.ranks[name]);
    this.#spec = spec;
    this.#weights = weights;
    this.#kernels = kernels;
    this.#layer = layer;
    this.#heads = weights.own.count / spec.headLength;
    this.#shifted = scratch.rows('shifted', channels);
    this.#receptance = own('receptance');
    this.#key = own('key');
    this.#value = own('value');
    this.#firstValue = own(firstValues);
    this.#decay = own('decays');
    this.#rate = own('rates');
    this.#valueShare = own('value shares');
    this.#gate = own('output gate');
    this.#removed = own('removed keys');
    this.#replaced = own('replaced keys');
    this.#recalled = own('recalled');
    this.#allRecalled = products.share.count === 1 ? this.#recalled : scratch.rows(allRecalled, channels);
    this.#ranks = {decay: rank('decay'), rate: rank('rate'), value: rank('value'), gate: rank('gate')};
  }

  async run(x: Rows, y: Rows, pass: Pass): Promise<void> {
    await this.#projectInputs(x, pass);
    await pass.checkpoint();
    this.#expandRanks(pass);
    this.#mixValues(pass);
    this.#recall(pass);
    this.#finishHeads(pass);
    const {products} = this.#kernels;
    await products.contract(this.#weights.output, this.#recalled, this.#allRecalled, y, pass);
  }

  /** What comes from the inputs: receptances, keys and values of this shard's heads, and all the short vectors. */
  async #projectInputs(x: Rows, pass: Pass): Promise<void> {
    const {products} = this.#kernels;
    const {shares, receptance, key, value, decay, rate, valueShare, gate} = this.#weights;
    const {tokens} = pass;
    const ranks = this.#ranks;
    const state = layerState(pass, this.#layer);
    const shifted = (input: (typeof shiftedInputs)[number]): Rows => {
      const own = shares.pointer + shiftedInputs.indexOf(input) * x.columns * 4;
      shiftTokens(this.#kernels, x, this.#shifted, own, tokens, state);
      return this.#shifted;
    };
    await products.projectPaced(receptance, shifted('receptance'), this.#receptance, pass);
    products.projectOwn(decay.into, shifted('decay'), ranks.decay, tokens);
    await products.projectPaced(key, shifted('key'), this.#key, pass);
    const forValues = shifted('value');
    await products.projectPaced(value, forValues, this.#value, pass);
    if (valueShare) products.projectOwn(valueShare.into, forValues, ranks.value, tokens, value);
    products.projectOwn(rate.into, shifted('rate'), ranks.rate, tokens);
    products.projectOwn(gate.into, shifted('gate'), ranks.gate, tokens);
    keepLastRow(this.#kernels, x, tokens, state);
    const rows = ({into: {ranges}}: LowRank, y: Rows) => ({rows: y, ranges});
    const ofValues = valueShare ? [rows(valueShare, ranks.value)] : [];
    await products.complete(
      [rows(decay, ranks.decay), rows(rate, ranks.rate), ...ofValues, rows(gate, ranks.gate)],
      tokens,
    );
  }

  /** Decays, and what becomes of the short vectors of rates, shares and gates. */
  #expandRanks({tokens}: Pass): void {
    const {products, core} = this.#kernels;
    const {decay, rate, valueShare, gate} = this.#weights;
    const ranks = this.#ranks;
    // With a cap of 1 that is tanh.
    core.exports.softCap(ranks.decay.pointer, 1, (tokens * ranks.decay.stride) / 4);
    core.exports.sigmoid(ranks.gate.pointer, (tokens * ranks.gate.stride) / 4);
    products.project(decay.out, ranks.decay, this.#decay, tokens);
    products.project(rate.out, ranks.rate, this.#rate, tokens);
    products.project(gate.out, ranks.gate, this.#gate, tokens);
    if (valueShare) products.project(valueShare.out, ranks.value, this.#valueShare, tokens);
    core.exports.keyDecay(this.#decay.pointer, (tokens * this.#decay.stride) / 4);
  }

  /** Values become nearer to those of the first layer, which keeps its own. */
  #mixValues({tokens}: Pass): void {
    const {core} = this.#kernels;
    const [value, first] = [this.#value, this.#firstValue];
    const bytes = tokens * value.stride;
    if (this.#weights.valueShare) {
      core.exports.mixBySigmoid(this.#valueShare.pointer, first.pointer, value.pointer, bytes / 4);
    } else {
      core.copy(value.pointer, first.pointer, bytes);
    }
  }

  #recall(pass: Pass): void {
    const {exports} = this.#kernels.core;
    const {headLength} = this.#spec;
    const {removal, replacement} = this.#weights;
    const [key, removed, replaced] = [this.#key, this.#removed, this.#replaced];
    const {share} = this.#kernels.products;
    const {from, to} = layerState(pass, this.#layer, mixerState(this.#spec, share).convolution);
    exports.removalKeys(
      key.pointer,
      this.#rate.pointer,
      removal.pointer,
      replacement.pointer,
      removed.pointer,
      replaced.pointer,
      this.#heads,
      headLength,
      leastLength,
      pass.tokens,
      key.stride,
    );
    exports.wkv7(
      this.#receptance.pointer,
      this.#decay.pointer,
      key.pointer,
      this.#value.pointer,
      removed.pointer,
      replaced.pointer,
      from,
      to,
      this.#recalled.pointer,
      this.#heads,
      headLength,
      pass.tokens,
      key.stride,
      this.#recalled.stride,
    );
  }

  /** Norm, bonus and gate of what the heads recall. */
  #finishHeads({tokens}: Pass): void {
    const {norm, headLength} = this.#spec;
    const {norm: weights, bonus} = this.#weights;
    const recalled = this.#recalled;
    const eachHead = {...norm, over: 'each-head'} as const;
    if (this.#heads > 0) normaliseHeads(this.#kernels, eachHead, weights, recalled, this.#heads, tokens);
    this.#kernels.core.exports.addBonus(
      this.#receptance.pointer,
      this.#key.pointer,
      this.#value.pointer,
      bonus.pointer,
      this.#gate.pointer,
      recalled.pointer,
      this.#heads,
      headLength,
      tokens,
      recalled.stride,
    );
  }
}
