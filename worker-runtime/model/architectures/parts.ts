import {attentionOf, plainDecoder, preNorms} from '../decoder-spec.ts';
import type {
  AttentionSpec,
  DecoderSpec,
  FeedForwardSpec,
  LayerNorms,
  LayerSpec,
  MixerSpec,
  NormSpec,
} from '../decoder-spec.ts';
import {readHeads} from './heads.ts';
import type {Heads} from './heads.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {factorsTensors, readRope} from './rope.ts';

export function rmsNorm(keys: Hyperparameters): NormSpec {
  return {kind: 'rms', epsilon: keys.positiveReal('attention.layer_norm_rms_epsilon')};
}

export function layerNorm(keys: Hyperparameters): NormSpec {
  return {kind: 'layer', epsilon: keys.positiveReal('attention.layer_norm_epsilon')};
}

/** A norm before and one after each of the two blocks. */
export const sandwichNorms: LayerNorms = {
  mixer: 'attn_norm',
  mixerOutput: 'post_attention_norm',
  feedForward: 'ffn_norm',
  feedForwardOutput: 'post_ffw_norm',
};

/** A norm after each of the two blocks. */
export const postNorms: LayerNorms = {...sandwichNorms, mixer: null, feedForward: null};

interface LayerOptions {
  /** Of layers that have another mixer than attention. */
  readonly mixer?: (layer: number) => MixerSpec | undefined;
  /** What a layer's attention has otherwise than plain attention, whose rope is the first one. */
  readonly attention?: (layer: number) => Partial<AttentionSpec>;
  /** What a layer's network has otherwise than SwiGLU. */
  readonly feedForward?: (layer: number) => Partial<FeedForwardSpec>;
  readonly norms?: LayerNorms;
  readonly parallel?: boolean;
}

/** Layers of attention and a dense network. */
export function denseLayers(
  keys: Hyperparameters,
  {mixer, attention, feedForward, norms = preNorms, parallel = false}: LayerOptions = {},
): LayerSpec[] {
  const lengths = keys.countPerLayer('feed_forward_length');
  const heads = readHeads(keys, keys.positive('embedding_length'));
  return lengths.map((length, layer) => {
    if (length === 0) throw keys.refusal('feed_forward_length', 'must be positive, not 0');
    return {
      mixer: mixer?.(layer) ?? {...plainAttention(heads(layer)), ...attention?.(layer)},
      feedForward: {kind: 'dense', length, activation: 'silu', gated: true, ...feedForward?.(layer)},
      norms,
      parallel,
    };
  });
}

function plainAttention(heads: Heads): AttentionSpec {
  return {kind: 'attention', ...heads, window: 0, scale: 1 / Math.sqrt(heads.headLength), rope: 0};
}

/** A decoder of what all have; `parts` are what this one has otherwise: by default RMS norms and one rope of the usual keys. */
export function decoder(
  keys: Hyperparameters,
  ropeStyle: 'normal' | 'neox',
  parts: Partial<DecoderSpec> & Pick<DecoderSpec, 'layers'>,
): DecoderSpec {
  const headLength = firstHeadLength(parts.layers);
  return {
    ...plainDecoder,
    causal: parts.causal ?? readCausal(keys, parts.layers),
    pooling: readPooling(keys),
    architecture: keys.architecture,
    embeddingLength: keys.positive('embedding_length'),
    vocabularySize: keys.vocabularySize,
    trainingContextLength: keys.trainingContextLength,
    ...parts,
    norm: parts.norm ?? rmsNorm(keys),
    ropes: parts.ropes ?? [readRope(keys, ropeStyle, headLength)],
    ignoredTensors: [...factorsTensors(keys).unused, ...(parts.ignoredTensors ?? [])],
  };
}

const poolings = {1: 'mean', 2: 'cls', 3: 'last'} as const;

function readPooling(keys: Hyperparameters): DecoderSpec['pooling'] {
  const type = keys.count('pooling_type', 0);
  if (type === 0) return null;
  if (Object.hasOwn(poolings, type)) return poolings[type as keyof typeof poolings];
  throw keys.unsupported('pooling_type', `${type} is not supported (only none, mean, cls and last)`);
}

/** A decoder may have been trained further without its mask. What its windows would see then nobody has written down. */
function readCausal(keys: Hyperparameters, layers: readonly LayerSpec[]): boolean {
  const key = 'attention.causal';
  if (keys.flag(key, true)) return true;
  if (layers.every(({mixer}) => mixer.kind === 'attention' && mixer.window === 0)) return false;
  throw keys.unsupported(key, 'false is not supported with windows or recurrent layers');
}

/** What makes an encoder of a decoder's parts: tokens see the whole text. `layers` may have windows for both directions. */
export function encoder(
  keys: Hyperparameters,
  parts: Partial<DecoderSpec> & Pick<DecoderSpec, 'layers'>,
): DecoderSpec {
  const key = 'attention.causal';
  if (keys.flag(key, false)) throw keys.unsupported(key, 'true is not supported');
  return decoder(keys, 'neox', {causal: false, denseLength: readDenseLength(keys), ...parts});
}

/** Of the matrices that embeddings pass in the end. */
function readDenseLength(keys: Hyperparameters): number {
  if (!keys.hasTensor('dense_2.weight')) return 0;
  const embeddingLength = keys.positive('embedding_length');
  keys.require('dense_2_feat_in', embeddingLength);
  keys.require('dense_3_feat_out', embeddingLength);
  const length = keys.positive('dense_2_feat_out');
  keys.require('dense_3_feat_in', length);
  return length;
}

/** A window that reaches half of `length` tokens in both directions, as `AttentionSpec` counts it. */
export const symmetricWindow = (length: number): number => (length > 0 ? Math.floor(length / 2) + 1 : 0);

/** Of the first layer that has attention. */
export function firstHeadLength(layers: readonly LayerSpec[]): number {
  const attention = layers.map(({mixer}) => attentionOf(mixer)).find((spec) => spec !== null);
  return attention?.headLength ?? 0;
}

/** The network of one matrix, GELU, and another. */
export const geluNetwork = (): Partial<FeedForwardSpec> => ({activation: 'gelu', gated: false});

/** A norm before the first block only: both take its result. */
export const sharedNorm: LayerNorms = {...preNorms, feedForward: null};

/** Factor of a key in which 0 stands for none. */
export function factorOrOne(keys: Hyperparameters, name: string): number {
  return keys.real(name, 0) || 1;
}

/**
 * Which layers have a sliding window, where all but each `period`-th have: the last of each group, or the first, has none.
 * A period of 0 gives all of them one.
 */
export function windowPattern(layers: number, period: number, fullFirst = false): boolean[] {
  return Array.from({length: layers}, (_, layer) => {
    if (period === 0) return true;
    return fullFirst ? layer % period !== 0 : layer % period < period - 1;
  });
}

/** The same as the file has it: it may list its layers (OLMo 3), give their period, or leave it at `period`. */
export function windowedLayers(keys: Hyperparameters, period: number): readonly boolean[] {
  const pattern = 'attention.sliding_window_pattern';
  return keys.flagPerLayer(pattern) ?? windowPattern(keys.layerCount, keys.count(pattern, period));
}
