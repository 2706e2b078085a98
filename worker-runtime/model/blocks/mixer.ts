import type {CoreExports} from '../../core/core-exports.ts';
import type {DecoderSpec, MixerSpec} from '../decoder-spec.ts';
import type {ScratchPlan} from '../scratch.ts';
import type {WeightPlanner} from '../weight-planner.ts';
import {Attention, planAttention, planAttentionScratch} from './attention.ts';
import type {Block, Kernels} from './kernels.ts';
import {planShortConvolution, planShortConvolutionScratch, ShortConvolution} from './short-convolution.ts';

/** Makes the mixer when the core is there. */
export type PlannedMixer = (kernels: Kernels) => Block;

/** @param layer index of the layer, whose cache the mixer uses */
export function planMixer(
  {embeddingLength, ropes}: DecoderSpec,
  spec: MixerSpec,
  layer: number,
  name: string,
  weights: WeightPlanner,
): PlannedMixer {
  switch (spec.kind) {
    case 'attention': {
      const planned = planAttention(spec, embeddingLength, name, weights);
      return (kernels) => new Attention(spec, ropes, planned, kernels, layer);
    }
    case 'short-convolution': {
      const planned = planShortConvolution(spec, embeddingLength, name, weights);
      return (kernels) => new ShortConvolution(spec, planned, kernels, layer);
    }
  }
}

export function planMixerScratch(spec: MixerSpec, scratch: ScratchPlan, calculator: CoreExports): void {
  switch (spec.kind) {
    case 'attention':
      planAttentionScratch(spec, scratch, calculator);
      break;
    case 'short-convolution':
      planShortConvolutionScratch(spec, scratch);
  }
}
