import type {DecoderSpec, FeedForwardSpec} from '../decoder-spec.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {decoder, denseLayers, sandwichNorms} from './parts.ts';

const feedForward = (): Partial<FeedForwardSpec> => ({fusedGate: true});

/** ChatGLM 2 to GLM 4 9B: rope over half of each head. */
export function chatglm(keys: Hyperparameters): DecoderSpec {
  return decoder(keys, 'normal', {layers: denseLayers(keys, {feedForward})});
}

/** GLM 4 0414: the same with norms around both blocks. */
export function glm4(keys: Hyperparameters): DecoderSpec {
  const sections = keys.realList('rope.dimension_sections');
  if (sections.some((section) => section !== 0)) {
    throw keys.unsupported('rope.dimension_sections', 'for pictures are not supported');
  }
  const layers = denseLayers(keys, {feedForward, norms: sandwichNorms});
  const count = keys.layerCount - keys.count('nextn_predict_layers', 0);
  return decoder(keys, 'normal', {
    layers: layers.slice(0, count),
    // They predict more tokens at once.
    ignoredTensors: layers.slice(count).map((_, index) => `blk.${count + index}.`),
  });
}
