import type {DecoderSpec} from '../decoder-spec.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {decoder, denseLayers, postNorms, rmsNorm, windowedLayers} from './parts.ts';

/** EXAONE 3: a llama with another order of rope. */
export function exaone(keys: Hyperparameters): DecoderSpec {
  return decoder(keys, 'neox', {layers: denseLayers(keys)});
}

/** EXAONE 4: norms behind both blocks and of heads; the 32B has windows, and rope only there. */
export function exaone4(keys: Hyperparameters): DecoderSpec {
  const queryKeyNorm = {...rmsNorm(keys), over: 'head'} as const;
  const predicted = keys.count('nextn_predict_layers', 0);
  const count = keys.layerCount - predicted;
  const hasWindows = count === 64;
  const window = hasWindows ? keys.positive('attention.sliding_window', {fallback: 4096}) : 0;
  const windowed = hasWindows ? windowedLayers(keys, 4) : [];
  const layers = denseLayers(keys, {
    norms: postNorms,
    attention: (layer) => {
      if (!hasWindows) return {queryKeyNorm};
      return windowed[layer] ? {queryKeyNorm, window} : {queryKeyNorm, rope: null};
    },
  });
  return decoder(keys, 'neox', {
    layers: layers.slice(0, count),
    // They predict more tokens at once.
    ignoredTensors: layers.slice(count).map((_, index) => `blk.${count + index}.`),
  });
}
