import type {MixerSpec} from './decoder-spec.ts';
import {rowStride} from './scratch.ts';

/** Bytes of what a recurrent mixer remembers of a sequence; each a multiple of 64. */
export function mixerStateBytes(spec: MixerSpec): number {
  switch (spec.kind) {
    case 'attention':
      return 0;
    case 'short-convolution':
      return convolutionStateBytes(spec.channels, spec.kernelLength);
  }
}

/** The last inputs, (kernelLength - 1, channels padded to 16) f32, oldest first. */
export function convolutionStateBytes(channels: number, kernelLength: number): number {
  return (kernelLength - 1) * rowStride(channels);
}
