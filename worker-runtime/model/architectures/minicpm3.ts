import type {AttentionSpec, DecoderSpec} from '../decoder-spec.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {decoder, denseLayers, rmsNorm} from './parts.ts';

/** MiniCPM 3: queries, keys and values from shorter vectors (latent attention), and the factors of MiniCPM. */
export function minicpm3(keys: Hyperparameters): DecoderSpec {
  const attention = latentAttention(keys);
  return decoder(keys, 'neox', {
    layers: denseLayers(keys, {mixer: () => attention}),
    embeddingScale: 12,
    residualScale: 1.4 / Math.sqrt(keys.layerCount),
    logitScale: 256 / keys.positive('embedding_length'),
  });
}

function latentAttention(keys: Hyperparameters): AttentionSpec {
  const headCount = keys.positive('attention.head_count');
  keys.require('attention.head_count_kv', headCount);
  const headLength = keys.positive('attention.key_length');
  const valueLength = keys.positive('attention.value_length');
  const turnedLength = keys.positive('rope.dimension_count');
  if (headLength % 4 !== 0 || valueLength > headLength) {
    const lengths = `${headLength} with values of ${valueLength}`;
    throw keys.unsupported(
      'attention.key_length',
      `${lengths}: only multiples of 4 that are no shorter are supported`,
    );
  }
  if (turnedLength >= headLength) {
    throw keys.refusal('rope.dimension_count', `${turnedLength} does not fit heads of ${headLength}`);
  }
  return {
    kind: 'attention',
    headCount,
    headCountKv: headCount,
    headLength,
    window: 0,
    scale: 1 / Math.sqrt(headLength),
    rope: 0,
    latent: {
      queryRank: keys.positive('attention.q_lora_rank'),
      keyValueRank: keys.positive('attention.kv_lora_rank'),
      turnedLength,
      valueLength,
      norm: rmsNorm(keys),
    },
  };
}
