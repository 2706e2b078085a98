import type {DecoderSpec, LayerNorms, LayerSpec, Mamba2Spec, MambaSpec} from '../decoder-spec.ts';
import {preNorms} from '../decoder-spec.ts';
import {granite} from './granite.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {decoder, denseLayers, rmsNorm} from './parts.ts';

/** The kernels work on vectors of 4 floats. */
const stateStep = 4;

const mixerOnly: LayerNorms = {...preNorms, feedForward: null};

/** Mamba: layers of nothing else. */
export function mamba(keys: Hyperparameters): DecoderSpec {
  const norm = rmsNorm(keys);
  const spec: MambaSpec = {
    kind: 'mamba',
    channels: keys.positive('ssm.inner_size'),
    kernelLength: keys.positive('ssm.conv_kernel', {largest: 64}),
    stateLength: readStateLength(keys),
    stepRank: keys.positive('ssm.time_step_rank'),
    ...(keys.flag('ssm.dt_b_c_rms', false) && {stepNorm: {...norm, plain: true}}),
  };
  return decoder(keys, 'neox', {norm, layers: mixersOnly(keys, spec), ropes: []});
}

/** Mamba-2: layers of nothing else. */
export function mamba2(keys: Hyperparameters): DecoderSpec {
  return decoder(keys, 'neox', {layers: mixersOnly(keys, readMamba2(keys)), ropes: []});
}

/** Falcon H1: attention and Mamba-2 side by side in each layer. */
export function falconH1(keys: Hyperparameters): DecoderSpec {
  const mamba2 = readMamba2(keys);
  const layers = denseLayers(keys).map((layer): LayerSpec => {
    if (layer.mixer.kind !== 'attention') return layer;
    return {...layer, mixer: {kind: 'parallel', attention: layer.mixer, mamba2}};
  });
  return decoder(keys, 'neox', {layers});
}

/** Granite 4 hybrid: Mamba-2, and attention in the layers that have heads for keys and values. */
export function granitehybrid(keys: Hyperparameters): DecoderSpec {
  const spec = readMamba2(keys);
  const attended = keys.countPerLayer('attention.head_count_kv').map((heads) => heads > 0);
  return granite(keys, (layer) => (attended[layer] ? undefined : spec));
}

export function readMamba2(keys: Hyperparameters): Mamba2Spec {
  const inner = keys.positive('ssm.inner_size');
  const headCount = keys.positive('ssm.time_step_rank');
  const groupCount = keys.positive('ssm.group_count');
  if (inner % headCount !== 0) {
    throw keys.refusal(
      'ssm.time_step_rank',
      `${headCount} does not divide ${keys.key('ssm.inner_size')} ${inner}`,
    );
  }
  if (headCount % groupCount !== 0) {
    throw keys.refusal(
      'ssm.group_count',
      `${groupCount} does not divide ${keys.key('ssm.time_step_rank')} ${headCount}`,
    );
  }
  return {
    kind: 'mamba2',
    headCount,
    headLength: inner / headCount,
    kernelLength: keys.positive('ssm.conv_kernel', {largest: 64}),
    stateLength: readStateLength(keys),
    groupCount,
    norm: keys.hasTensor('blk.0.ssm_norm.weight') ? rmsNorm(keys) : null,
  };
}

function readStateLength(keys: Hyperparameters): number {
  const length = keys.positive('ssm.state_size');
  if (length % stateStep === 0) return length;
  throw keys.unsupported('ssm.state_size', `${length}: only multiples of ${stateStep} are supported`);
}

function mixersOnly(keys: Hyperparameters, mixer: MambaSpec | Mamba2Spec): LayerSpec[] {
  return Array.from({length: keys.layerCount}, () => ({
    mixer,
    feedForward: null,
    norms: mixerOnly,
    parallel: false,
  }));
}
