import type {Share} from '../../shards/share.ts';
import type {NetworkSpec} from '../decoder-spec.ts';
import type {ScratchPlan} from '../scratch.ts';
import type {WeightPlanner} from '../weight-planner.ts';
import {ChannelMix, planChannelMix, planChannelMixScratch} from './channel-mix.ts';
import {planExperts, planExpertsScratch} from './experts-plan.ts';
import {Experts} from './experts.ts';
import {FeedForward, planFeedForward, planFeedForwardScratch} from './feed-forward.ts';
import type {Block, Kernels} from './kernels.ts';

/** A layer's network with its weights. */
export interface PlannedNetwork {
  planScratch(share: Share, scratch: ScratchPlan): void;
  /** Makes it when the core is there. */
  create(kernels: Kernels): Block;
}

/** @param layer index of the layer, whose state the network uses */
export function planNetwork(
  spec: NetworkSpec,
  embeddingLength: number,
  layer: number,
  name: string,
  weights: WeightPlanner,
): PlannedNetwork {
  switch (spec.kind) {
    case 'dense': {
      const planned = planFeedForward(spec, embeddingLength, name, weights);
      return {
        planScratch: (share, scratch) => planFeedForwardScratch(spec, planned, share, scratch),
        create: (kernels) => new FeedForward(spec, planned, kernels),
      };
    }
    case 'experts': {
      const planned = planExperts(spec, embeddingLength, name, weights);
      return {
        planScratch: (share, scratch) => planExpertsScratch(spec, planned, embeddingLength, share, scratch),
        create: (kernels) => new Experts(spec, embeddingLength, planned, kernels),
      };
    }
    case 'channel-mix': {
      const planned = planChannelMix(spec, embeddingLength, name, weights);
      return {
        planScratch: (share, scratch) =>
          planChannelMixScratch(spec, planned, embeddingLength, share, scratch),
        create: (kernels) => new ChannelMix(spec, planned, kernels, layer),
      };
    }
  }
}
