import {scaled} from '../shards/share.ts';
import type {Range, Share} from '../shards/share.ts';
import type {
  DeltaRuleSpec,
  LayerSpec,
  Mamba2Spec,
  MambaSpec,
  MixerSpec,
  TimeMixSpec,
} from './decoder-spec.ts';
import {rowStride} from './scratch.ts';

/** Bytes of what a recurrent mixer remembers of a sequence: the inputs of its convolution or of its shift, then its state. */
export interface MixerState {
  /** (kernelLength - 1, channels padded to 16) f32, oldest first. */
  readonly convolution: number;
  readonly state: number;
}

const none: MixerState = {convolution: 0, state: 0};

/** @param share whose heads a `time-mix` remembers; other states are not divided */
export function mixerState(spec: MixerSpec, share: Share): MixerState {
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
    case 'time-mix':
      return {
        convolution: shiftBytes(spec.headCount * spec.headLength),
        state: aligned(share.own(timeMixRanges(spec, share)).count * spec.headLength * 4),
      };
    case 'parallel':
      return mixerState(spec.mamba2, share);
  }
}

/** Multiples of 64: what the mixer remembers, and behind it what the network does. */
export function layerStateBytes(
  {mixer, feedForward}: LayerSpec,
  embeddingLength: number,
  share: Share,
): {readonly mixer: number; readonly network: number} {
  const {convolution, state} = mixerState(mixer, share);
  const isShifted = feedForward?.kind === 'channel-mix';
  return {mixer: convolution + state, network: isShifted ? shiftBytes(embeddingLength) : 0};
}

/** Channels of the heads that each shard has. */
export function timeMixRanges({headCount, headLength}: TimeMixSpec, share: Share): readonly Range[] {
  return share.ranges(headCount).map((heads) => scaled(heads, headLength));
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

/** The input of the last token. */
function shiftBytes(channels: number): number {
  return rowStride(channels);
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}
