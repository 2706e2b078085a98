import type {DecoderSpec} from '../decoder-spec.ts';
import {embeddingScale} from './gemma.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {decoder, denseLayers, firstHeadLength, rmsNorm, sandwichNorms, windowedLayers} from './parts.ts';
import {readRope} from './rope.ts';
import {sharedCaches} from './shared-caches.ts';

/** What the published models have, for files that do not say it. */
const usual = {
  streams: 4,
  perLayerLength: 256,
  /** Layers with keys and values of their own. */
  ownCaches: 20,
  cutLayers: 10,
  /** 95 % of a normal distribution lie below. */
  cutoff: Math.fround(1.6448533535),
} as const;

/**
 * Gemma 3n: four residual streams (AltUp), a learnt path beside attention (LAuReL), gates that are cut in the first layers,
 * last layers that use the keys and values of earlier ones, an embedding of each token for each layer.
 */
export function gemma3n(keys: Hyperparameters): DecoderSpec {
  keys.require('altup.active_idx', 0);
  const windowed = windowedLayers(keys, 5);
  const shared = sharedCaches(keys, windowed, readSharingLayers(keys));
  const cutoffs = readCutoffs(keys);
  const window = keys.positive('attention.sliding_window');
  const norm = rmsNorm(keys);
  const laurelRank = keys.rowsOf('blk.0.laurel_l.weight');
  const layers = denseLayers(keys, {
    feedForward: (layer) => ({activation: 'gelu', gateCutoff: cutoffs[layer] ?? 0}),
    norms: sandwichNorms,
    attention: (layer) => {
      const source = shared(layer);
      return {
        window: windowed[layer] ? window : 0,
        rope: windowed[layer] ? 1 : 0,
        scale: 1,
        queryKeyNorm: {...norm, over: 'head'},
        valueNorm: {...norm, plain: true},
        ...(source !== undefined && {sharesCacheOf: source}),
      };
    },
  }).map((layer) => ({...layer, perLayerInput: true, laurelRank}));
  const rope = readRope(keys, 'neox', firstHeadLength(layers));
  const base = keys.positiveReal('rope.freq_base_swa', 10000);
  return decoder(keys, 'neox', {
    norm,
    layers,
    ropes: [rope, {...rope, base, scaling: {kind: 'none'}, factorsTensor: null}],
    embeddingScale: embeddingScale(keys),
    perLayerLength: keys.positive('embedding_length_per_layer_input', {fallback: usual.perLayerLength}),
    altUp: {streams: readStreams(keys)},
    logitSoftCap: keys.positiveReal('final_logit_softcapping', 30),
    ignoredTensors: unusedTensors(keys.layerCount, shared),
  });
}

function readStreams(keys: Hyperparameters): number {
  const streams = keys.positive('altup.num_inputs', {fallback: usual.streams, largest: 16});
  if (streams > 1) return streams;
  throw keys.unsupported('altup.num_inputs', '= 1 is not supported (there must be more streams)');
}

/** How many of the last layers have no keys and values of their own. Published files have that as a float. */
function readSharingLayers(keys: Hyperparameters): number {
  const name = 'attention.shared_kv_layers';
  const {layerCount} = keys;
  const count = keys.real(name, Math.max(0, layerCount - usual.ownCaches));
  if (Number.isInteger(count) && count >= 0 && count < layerCount) return count;
  throw keys.refusal(name, `must be a whole number from 0 to ${layerCount - 1}, not ${count}`);
}

/** For each layer, above how many standard deviations its gate opens; 0 where it is not cut, for which files have -Infinity. */
function readCutoffs(keys: Hyperparameters): readonly number[] {
  const name = 'activation_sparsity_scale';
  const {layerCount} = keys;
  if (!keys.has(name)) {
    return Array.from({length: layerCount}, (_, layer) => (layer < usual.cutLayers ? usual.cutoff : 0));
  }
  const cutoffs = keys.realList(name);
  if (cutoffs.length >= layerCount && cutoffs.every((cutoff) => cutoff < Infinity)) {
    return cutoffs.map((cutoff) => Math.max(0, cutoff));
  }
  throw keys.refusal(name, `must have ${layerCount} values below infinity`);
}

/** Keys and values that layers would have, but do not use. */
function unusedTensors(layerCount: number, shared: (layer: number) => number | undefined): string[] {
  return Array.from({length: layerCount}, (_, layer) => layer)
    .filter((layer) => shared(layer) !== undefined)
    .flatMap((layer) => ['attn_k.', 'attn_v.', 'attn_k_norm.'].map((tensor) => `blk.${layer}.${tensor}`));
}
