import type {DecoderSpec, MixerSpec} from '../decoder-spec.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {hasExperts, readExperts, sharedNetwork, withExperts} from './experts.ts';
import {decoder, denseLayers, factorOrOne} from './parts.ts';

/** Granite 3 and 4: a llama, with experts or without, and factors of embeddings, residuals, scores and logits. @param mixer of layers without attention */
export function granite(
  keys: Hyperparameters,
  mixer?: (layer: number) => MixerSpec | undefined,
): DecoderSpec {
  const scale = keys.real('attention.scale', 0);
  const rope = keys.flag('rope.scaling.finetuned', true) ? 0 : null;
  const layers = denseLayers(keys, {
    attention: () => ({rope, ...(scale === 0 ? {} : {scale})}),
    ...(mixer && {mixer}),
  });
  const shared = keys.count('expert_shared_feed_forward_length', 0);
  return decoder(keys, 'normal', {
    layers: hasExperts(keys) ? withExperts(layers, readExperts(keys, sharedNetwork(shared))) : layers,
    embeddingScale: factorOrOne(keys, 'embedding_scale'),
    residualScale: factorOrOne(keys, 'residual_scale'),
    logitScale: 1 / (keys.real('logit_scale') || 1),
  });
}

/** MiniCPM: the same factors, with others where the file has none; 0 stands for 1. */
export function minicpm(keys: Hyperparameters): DecoderSpec {
  const embeddingLength = keys.positive('embedding_length');
  return decoder(keys, 'normal', {
    layers: denseLayers(keys),
    embeddingScale: keys.real('embedding_scale', 12) || 1,
    residualScale: keys.real('residual_scale', 1.4 / Math.sqrt(keys.layerCount)) || 1,
    logitScale: 1 / keys.positiveReal('logit_scale', 256 / embeddingLength),
  });
}
