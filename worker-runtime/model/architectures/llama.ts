import {GgufError} from '../../errors.ts';
import type {Metadata} from '../../gguf/metadata.ts';
import type {DecoderSpec} from '../decoder-spec.ts';
import {positive, positiveReal, refuseFeature} from './keys.ts';
import {readRopeScaling} from './rope-scaling.ts';

/** The attention kernels work on vectors of 4 floats. */
const headLengthStep = 4;

/** Llama, and what comes in its name: TinyLlama, SmolLM2, Mistral, Yi, DeepSeek distillates, Falcon 3. */
export function llama(metadata: Metadata, vocabularySize: number): DecoderSpec {
  refuseFeature(metadata, 'llama.expert_used_count', 0);
  refuseFeature(metadata, 'llama.expert_count', 0);
  const embeddingLength = positive(metadata, 'llama.embedding_length');
  const heads = readHeads(metadata, embeddingLength);
  const {headLength} = heads;
  const dimensions = positive(metadata, 'llama.rope.dimension_count', {fallback: headLength});
  if (dimensions > headLength || dimensions % 2 !== 0) {
    throw new GgufError(
      'gguf-metadata',
      `llama.rope.dimension_count ${dimensions} does not fit heads of ${headLength}`,
      {field: 'llama.rope.dimension_count'},
    );
  }
  const layerCount = positive(metadata, 'llama.block_count', {largest: 65536});
  return {
    architecture: 'llama',
    layerCount,
    embeddingLength,
    feedForwardLength: positive(metadata, 'llama.feed_forward_length'),
    vocabularySize,
    trainingContextLength: positive(metadata, 'llama.context_length', {largest: 2 ** 32 - 1}),
    ...heads,
    attentionWindows: new Array<number>(layerCount).fill(0),
    attentionScale: 1 / Math.sqrt(headLength),
    normEpsilon: positiveReal(metadata, 'llama.attention.layer_norm_rms_epsilon'),
    rope: {
      style: 'normal',
      dimensions,
      base: positiveReal(metadata, 'llama.rope.freq_base', 10000),
      scaling: readRopeScaling(metadata, 'llama'),
      factorsTensor: 'rope_freqs.weight',
    },
  };
}

/** @throws {GgufError} where the numbers of heads and their length do not fit together */
function readHeads(
  metadata: Metadata,
  embeddingLength: number,
): Pick<DecoderSpec, 'headCount' | 'headCountKv' | 'headLength'> {
  const countKey = 'llama.attention.head_count';
  const countKvKey = 'llama.attention.head_count_kv';
  const lengthKey = 'llama.attention.key_length';
  const headCount = positive(metadata, countKey);
  const headCountKv = positive(metadata, countKvKey, {fallback: headCount});
  if (headCount % headCountKv !== 0) {
    throw new GgufError(
      'gguf-metadata',
      `${countKey} ${headCount} is not a multiple of ${countKvKey} ${headCountKv}`,
      {field: countKvKey},
    );
  }
  if (!metadata.has(lengthKey) && embeddingLength % headCount !== 0) {
    throw new GgufError(
      'gguf-metadata',
      `${countKey} ${headCount} does not divide llama.embedding_length ${embeddingLength}`,
      {field: countKey},
    );
  }
  const headLength = positive(metadata, lengthKey, {fallback: embeddingLength / headCount});
  refuseFeature(metadata, 'llama.attention.value_length', headLength);
  if (headLength % headLengthStep === 0) return {headCount, headCountKv, headLength};
  const field = metadata.has(lengthKey) ? lengthKey : countKey;
  throw new GgufError(
    'unsupported-feature',
    `Heads of length ${headLength} (${field}) are not supported, only multiples of ${headLengthStep}`,
    {field},
  );
}
