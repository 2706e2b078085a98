import type {DeltaRuleSpec, Mamba2Spec, MambaSpec, MixerSpec} from './decoder-spec.ts';
import {rowStride} from './scratch.ts';

/** Bytes of what a recurrent mixer remembers of a sequence: the inputs of its convolution, then its state. */
export interface MixerState {
  /** (kernelLength - 1, channels padded to 16) f32, oldest first. */
  readonly convolution: number;
  readonly state: number;
}

const none: MixerState = {convolution: 0, state: 0};

export function mixerState(spec: MixerSpec): MixerState {
  switch (spec.kind) {
    case 'attention':
      return none;
    case 'short-convolution':
      return {convolution: convolutionBytes(spec.channels, spec.kernelLength), state: 0};
    case 'mamba':
      return {
        convolution: convolutionBytes(spec.channels, spec.kernelLength),
        state: aligned(spec.channels * spec.stateLength * 4),
      };
    case 'mamba2':
      return {
        convolution: convolutionBytes(mamba2Channels(spec), spec.kernelLength),
        state: aligned(mamba2Inner(spec) * spec.stateLength * 4),
      };
    case 'delta-rule':
      return {
        convolution: convolutionBytes(deltaRuleChannels(spec), spec.kernelLength),
        state: aligned(spec.headCount * spec.keyLength * spec.valueLength * 4),
      };
    case 'parallel':
      return mixerState(spec.mamba2);
  }
}

/** A multiple of 64. */
export function mixerStateBytes(spec: MixerSpec): number {
  const {convolution, state} = mixerState(spec);
  return convolution + state;
}

export function mamba2Inner({headCount, headLength}: Mamba2Spec): number {
  return headCount * headLength;
}

/** What the convolution of Mamba-2 passes over: x, B and C. */
export function mamba2Channels(spec: Mamba2Spec): number {
  return mamba2Inner(spec) + 2 * spec.groupCount * spec.stateLength;
}

/** What a product of the step gives in Mamba: steps, B and C. */
export function mambaStepLength({stepRank, stateLength}: MambaSpec): number {
  return stepRank + 2 * stateLength;
}

/** What the convolution of the delta rule passes over: queries, keys and values. */
export function deltaRuleChannels({headCount, keyHeadCount, keyLength, valueLength}: DeltaRuleSpec): number {
  return 2 * keyHeadCount * keyLength + headCount * valueLength;
}

function convolutionBytes(channels: number, kernelLength: number): number {
  return (kernelLength - 1) * rowStride(channels);
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}
