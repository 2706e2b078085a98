import type {CoreExports} from '../../core/core-exports.ts';
import type {Share} from '../../shards/share.ts';
import type {DecoderSpec, MixerSpec} from '../decoder-spec.ts';
import type {ScratchPlan} from '../scratch.ts';
import type {WeightPlanner} from '../weight-planner.ts';
import {planAttention, planAttentionScratch} from './attention-plan.ts';
import {Attention} from './attention.ts';
import {DeltaRule, planDeltaRule, planDeltaRuleScratch} from './delta-rule.ts';
import type {Block, Kernels} from './kernels.ts';
import {Mamba, planMamba, planMambaScratch} from './mamba.ts';
import {Mamba2, planMamba2, planMamba2Scratch} from './mamba2.ts';
import {ParallelMixer} from './parallel-mixer.ts';
import {planShortConvolution, planShortConvolutionScratch, ShortConvolution} from './short-convolution.ts';
import {planTimeMix, planTimeMixScratch, TimeMix} from './time-mix.ts';

/** Makes the mixer when the core is there. */
export type PlannedMixer = (kernels: Kernels) => Block;

/** @param layer index of the layer, whose cache the mixer uses */
export function planMixer(
  decoder: DecoderSpec,
  spec: MixerSpec,
  layer: number,
  name: string,
  weights: WeightPlanner,
): PlannedMixer {
  const {embeddingLength, ropes} = decoder;
  switch (spec.kind) {
    case 'attention': {
      const planned = planAttention(spec, embeddingLength, name, weights);
      return (kernels) => new Attention(spec, ropes, planned, kernels, layer);
    }
    case 'short-convolution': {
      const planned = planShortConvolution(spec, embeddingLength, name, weights);
      return (kernels) => new ShortConvolution(spec, planned, kernels, layer);
    }
    case 'mamba': {
      const planned = planMamba(spec, embeddingLength, name, weights);
      return (kernels) => new Mamba(spec, planned, kernels, layer);
    }
    case 'mamba2': {
      const planned = planMamba2(spec, embeddingLength, name, weights);
      return (kernels) => new Mamba2(spec, planned, kernels, layer);
    }
    case 'delta-rule': {
      const planned = planDeltaRule(spec, embeddingLength, name, weights);
      return (kernels) => new DeltaRule(spec, planned, kernels, layer);
    }
    case 'time-mix': {
      const planned = planTimeMix(spec, embeddingLength, name, weights);
      return (kernels) => new TimeMix(spec, planned, kernels, layer);
    }
    case 'parallel': {
      const mamba2 = planMixer(decoder, spec.mamba2, layer, name, weights);
      const attention = planMixer(decoder, spec.attention, layer, name, weights);
      return (kernels) => new ParallelMixer(mamba2(kernels), attention(kernels), kernels);
    }
  }
}

export function planMixerScratch(
  spec: MixerSpec,
  embeddingLength: number,
  share: Share,
  scratch: ScratchPlan,
  calculator: CoreExports,
): void {
  switch (spec.kind) {
    case 'attention':
      planAttentionScratch(spec, share, scratch, calculator);
      break;
    case 'short-convolution':
      planShortConvolutionScratch(spec, scratch);
      break;
    case 'mamba':
      planMambaScratch(spec, scratch);
      break;
    case 'mamba2':
      planMamba2Scratch(spec, scratch);
      break;
    case 'delta-rule':
      planDeltaRuleScratch(spec, scratch);
      break;
    case 'time-mix':
      planTimeMixScratch(spec, share, scratch);
      break;
    case 'parallel':
      planAttentionScratch(spec.attention, share, scratch, calculator);
      planMamba2Scratch(spec.mamba2, scratch);
      scratch.rows('second mixer', embeddingLength);
  }
}
