import {spmVocabulary, tinyVocabulary} from '../tiny-vocabulary.ts';
import {writeGguf} from '../write-gguf.ts';
import type {MetadataInput} from '../write-gguf.ts';
import {defaults, f32} from './recipe.ts';
import type {Complete, TinyExperts, TinyLatent, TinyRecipe, TinyStreams} from './recipe.ts';
import {tensorsOf} from './tensors.ts';

/** The file. Its weights are random, the same for the same recipe. */
export function tinyModel(recipe: TinyRecipe): ArrayBuffer {
  const complete: Complete = {...defaults, ...recipe};
  const vocabulary = spmVocabulary(tinyVocabulary);
  const tensors = tensorsOf(complete, vocabulary['tokenizer.ggml.tokens'].length);
  const metadata = Object.entries({...hyperparameters(complete), ...vocabulary});
  const isKept = (name: string): boolean => !recipe.without?.includes(name);
  return writeGguf({
    metadata: Object.fromEntries(metadata.filter(([key]) => isKept(key))),
    tensors: tensors.filter(({name}) => isKept(name)),
  });
}

function hyperparameters(recipe: Complete): Record<string, MetadataInput> {
  const {architecture, norm, headLength} = recipe;
  const epsilon = norm.startsWith('rms') ? 'layer_norm_rms_epsilon' : 'layer_norm_epsilon';
  const keys: Record<string, MetadataInput> = {
    context_length: recipe.contextLength,
    embedding_length: recipe.embedding,
    block_count: recipe.layers,
    feed_forward_length: recipe.feedForward,
    'attention.head_count': recipe.heads,
    'attention.head_count_kv': recipe.headsKv,
    [`attention.${epsilon}`]: f32(1e-5),
    ...(headLength && {'attention.key_length': headLength, 'attention.value_length': headLength}),
    ...(recipe.latent && latentKeys(recipe.latent)),
    ...(recipe.experts && expertKeys(recipe.experts)),
    ...(recipe.streams && streamKeys(recipe.streams)),
    ...recipe.keys,
  };
  return {
    'general.architecture': architecture,
    ...Object.fromEntries(Object.entries(keys).map(([key, value]) => [`${architecture}.${key}`, value])),
    ...recipe.sharedKeys,
  };
}

function latentKeys({queryRank, keyValueRank, turned, value}: TinyLatent): Record<string, MetadataInput> {
  return {
    'attention.q_lora_rank': queryRank,
    'attention.kv_lora_rank': keyValueRank,
    'attention.value_length': value,
    'rope.dimension_count': turned,
  };
}

function streamKeys({count, perLayer}: TinyStreams): Record<string, MetadataInput> {
  return {
    'altup.num_inputs': count,
    'altup.active_idx': 0,
    embedding_length_per_layer_input: perLayer,
  };
}

function expertKeys({count, used, length, shared}: TinyExperts): Record<string, MetadataInput> {
  return {
    expert_count: count,
    expert_used_count: used,
    expert_feed_forward_length: length,
    ...(shared && {expert_shared_feed_forward_length: shared}),
  };
}
