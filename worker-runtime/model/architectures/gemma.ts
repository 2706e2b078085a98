import type {DecoderSpec, FeedForwardSpec} from '../decoder-spec.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {
  decoder,
  denseLayers,
  encoder,
  firstHeadLength,
  rmsNorm,
  sandwichNorms,
  symmetricWindow,
  windowedLayers,
} from './parts.ts';
import {readRope} from './rope.ts';

const feedForward = (): Partial<FeedForwardSpec> => ({activation: 'gelu'});

/** Gemma: GeGLU, embeddings times √length. */
export function gemma(keys: Hyperparameters): DecoderSpec {
  return decoder(keys, 'neox', {
    layers: denseLayers(keys, {feedForward}),
    embeddingScale: embeddingScale(keys),
  });
}

/** Gemma 2: norms around both blocks, soft caps, every other layer with a window. */
export function gemma2(keys: Hyperparameters): DecoderSpec {
  const window = keys.positive('attention.sliding_window', {fallback: 4096});
  const windowed = windowedLayers(keys, 2);
  const softCap = keys.positiveReal('attn_logit_softcapping', 50);
  const scale = ownScale(keys, 46);
  return decoder(keys, 'neox', {
    layers: denseLayers(keys, {
      feedForward,
      norms: sandwichNorms,
      attention: (layer) => ({softCap, window: windowed[layer] ? window : 0, ...scale}),
    }),
    embeddingScale: embeddingScale(keys),
    logitSoftCap: keys.positiveReal('final_logit_softcapping', 30),
  });
}

/** Gemma 3: norms around both blocks and of heads, five layers with a window and a rope of their own to one without. */
export function gemma3(keys: Hyperparameters): DecoderSpec {
  return decoder(keys, 'neox', gemma3Parts(keys, keys.count('attention.sliding_window', 0)));
}

/** EmbeddingGemma: a Gemma 3 whose tokens see the whole text, or a window in both directions. */
export function gemmaEmbedding(keys: Hyperparameters): DecoderSpec {
  return encoder(keys, gemma3Parts(keys, symmetricWindow(keys.positive('attention.sliding_window'))));
}

function gemma3Parts(
  keys: Hyperparameters,
  window: number,
): Partial<DecoderSpec> & Pick<DecoderSpec, 'layers'> {
  const windowed = windowedLayers(keys, 6).map((has) => has && window > 0);
  const queryKeyNorm = {...rmsNorm(keys), over: 'head'} as const;
  const scale = ownScale(keys, 62);
  const layers = denseLayers(keys, {
    feedForward,
    norms: sandwichNorms,
    attention: (layer) => ({
      queryKeyNorm,
      window: windowed[layer] ? window : 0,
      rope: windowed[layer] ? 1 : 0,
      ...scale,
    }),
  });
  const rope = readRope(keys, 'neox', firstHeadLength(layers));
  const base = keys.positiveReal('rope.freq_base_swa', 10000);
  return {
    layers,
    ropes: [rope, {...rope, base, scaling: {kind: 'none'}, factorsTensor: null}],
    embeddingScale: embeddingScale(keys),
    logitSoftCap: keys.real('final_logit_softcapping', 0),
  };
}

export function embeddingScale(keys: Hyperparameters): number {
  return Math.fround(Math.sqrt(keys.positive('embedding_length')));
}

/** The 27B models, told by their number of layers, divide by the share of a head instead of by its length. */
function ownScale(keys: Hyperparameters, layersOf27b: number): {readonly scale?: number} {
  if (keys.layerCount !== layersOf27b) return {};
  const share = Math.floor(keys.positive('embedding_length') / keys.positive('attention.head_count'));
  return {scale: 1 / Math.sqrt(share)};
}
