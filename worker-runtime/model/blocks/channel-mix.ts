import type {ChannelMixSpec} from '../decoder-spec.ts';
import type {Share} from '../../shards/share.ts';
import type {Rows, ScratchPlan} from '../scratch.ts';
import type {WeightPlanner} from '../weight-planner.ts';
import type {Vector} from '../weights.ts';
import {FeedForward, planFeedForward, planFeedForwardScratch} from './feed-forward.ts';
import type {FeedForwardWeights} from './feed-forward.ts';
import {networkState} from './kernels.ts';
import type {Block, Kernels, Pass} from './kernels.ts';
import {keepLastRow, shiftTokens} from './token-shift.ts';

export interface ChannelMixWeights {
  /** (embeddingLength) */
  readonly shares: Vector;
  readonly network: FeedForwardWeights;
}

/** @param name prefix of the layer's tensors */
export function planChannelMix(
  {network}: ChannelMixSpec,
  embeddingLength: number,
  name: string,
  weights: WeightPlanner,
): ChannelMixWeights {
  return {
    shares: weights.vector(`${name}.channel_mix_lerp_k.weight`, [embeddingLength]),
    network: planFeedForward(network, embeddingLength, name, weights),
  };
}

export function planChannelMixScratch(
  {network}: ChannelMixSpec,
  weights: ChannelMixWeights,
  embeddingLength: number,
  share: Share,
  scratch: ScratchPlan,
): void {
  scratch.rows('shifted', embeddingLength);
  planFeedForwardScratch(network, weights.network, share, scratch);
}

/** The network of x that is mixed with that of the token before. */
export class ChannelMix implements Block {
  readonly #weights: ChannelMixWeights;
  readonly #kernels: Kernels;
  readonly #layer: number;
  readonly #network: FeedForward;
  /** (tokens, embeddingLength) */
  readonly #shifted: Rows;

  constructor({network}: ChannelMixSpec, weights: ChannelMixWeights, kernels: Kernels, layer: number) {
    this.#weights = weights;
    this.#kernels = kernels;
    this.#layer = layer;
    this.#network = new FeedForward(network, weights.network, kernels);
    this.#shifted = kernels.scratch.rows('shifted', weights.shares.length);
  }

  async run(x: Rows, y: Rows, pass: Pass): Promise<void> {
    const {tokens} = pass;
    const state = networkState(pass, this.#layer);
    shiftTokens(this.#kernels, x, this.#shifted, this.#weights.shares.pointer, tokens, state);
    keepLastRow(this.#kernels, x, tokens, state);
    await this.#network.run(this.#shifted, y, pass);
  }
}
