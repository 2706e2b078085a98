import {GgufError} from '../../errors.ts';
import type {Metadata} from '../../gguf/metadata.ts';
import type {DecoderSpec} from '../decoder-spec.ts';
import {positive, refuseFeature} from './keys.ts';
import {readRopeScaling} from './rope-scaling.ts';

/** Llama, and what comes in its name: TinyLlama, SmolLM2, Mistral, Yi, DeepSeek distillates, Falcon 3. */
export function llama(metadata: Metadata, vocabularySize: number): DecoderSpec {
  refuseFeature(metadata, 'llama.expert_count', 0);
  const embeddingLength = positive(metadata, 'llama.embedding_length');
  const headCount = positive(metadata, 'llama.attention.head_count');
  const headCountKv = positive(metadata, 'llama.attention.head_count_kv', headCount);
  const headLength = positive(metadata, 'llama.attention.key_length', embeddingLength / headCount);
  refuseFeature(metadata, 'llama.attention.value_length', headLength);
  if (headCount % headCountKv !== 0) {
    throw new GgufError(
      'gguf-metadata',
      `llama.attention.head_count ${headCount} is not a multiple of llama.attention.head_count_kv ${headCountKv}`,
      {field: 'llama.attention.head_count_kv'},
    );
  }
  const dimensions = positive(metadata, 'llama.rope.dimension_count', headLength);
  if (dimensions > headLength || dimensions % 2 !== 0) {
    throw new GgufError(
      'gguf-metadata',
      `llama.rope.dimension_count ${dimensions} does not fit heads of ${headLength}`,
      {
        field: 'llama.rope.dimension_count',
      },
    );
  }
  return {
    architecture: 'llama',
    layerCount: positive(metadata, 'llama.block_count'),
    embeddingLength,
    feedForwardLength: positive(metadata, 'llama.feed_forward_length'),
    vocabularySize,
    trainingContextLength: positive(metadata, 'llama.context_length'),
    headCount,
    headCountKv,
    headLength,
    attentionScale: 1 / Math.sqrt(headLength),
    normEpsilon: metadata.number('llama.attention.layer_norm_rms_epsilon'),
    rope: {
      style: 'normal',
      dimensions,
      base: metadata.number('llama.rope.freq_base', 10000),
      scaling: readRopeScaling(metadata, 'llama'),
      factorsTensor: 'rope_freqs.weight',
    },
  };
}
