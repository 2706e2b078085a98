import {Random} from './random.ts';
import type {EncodableType} from './encode-tensor.ts';
import {spmVocabulary, tinyVocabulary} from './tiny-vocabulary.ts';
import {writeGguf} from './write-gguf.ts';
import type {MetadataInput, TensorInput} from './write-gguf.ts';

export interface TinyLlamaOptions {
  /** Pieces beside `<unk>`, `<s>`, `</s>` and the 256 byte tokens; `▁` stands for a space. */
  readonly vocabulary?: readonly string[];
  readonly chatTemplate?: string;
  /** Type of all matrices; norms are F32. */
  readonly weightType?: EncodableType;
  readonly layerCount?: number;
  /** With Q8_0 and Q4_0, both lengths must be multiples of 32. */
  readonly embeddingLength?: number;
  readonly feedForwardLength?: number;
  readonly headCount?: number;
  readonly headCountKv?: number;
  readonly contextLength?: number;
  /** Whether the output matrix is the embedding. */
  readonly tiedEmbedding?: boolean;
  readonly seed?: number;
  /** Replaces or adds keys; `null` leaves a key out. */
  readonly metadata?: Readonly<Record<string, MetadataInput | null>>;
  /** Replaces or adds tensors; `null` leaves one out. */
  readonly tensors?: Readonly<Record<string, Omit<TensorInput, 'name'> | null>>;
}

/**
 * A complete llama with random weights, the same for the same options: it loads, tokenizes and generates (noise) like
 * a real file, in a few hundred kilobytes.
 */
export function tinyLlama(options: TinyLlamaOptions = {}): ArrayBuffer {
  const vocabulary = spmVocabulary(options.vocabulary ?? tinyVocabulary);
  const metadata: Record<string, MetadataInput | null> = {
    ...hyperparameters(options),
    ...vocabulary,
    ...(options.chatTemplate === undefined ? {} : {'tokenizer.chat_template': options.chatTemplate}),
    ...options.metadata,
  };
  const kept = Object.entries(metadata).filter(
    (entry): entry is [string, MetadataInput] => entry[1] !== null,
  );
  return writeGguf({
    metadata: Object.fromEntries(kept),
    tensors: edited(tensors(options, vocabulary['tokenizer.ggml.tokens'].length), options.tensors ?? {}),
  });
}

function edited(
  tensors: readonly TensorInput[],
  edits: Readonly<Record<string, Omit<TensorInput, 'name'> | null>>,
): TensorInput[] {
  const kept = tensors.filter(({name}) => !Object.hasOwn(edits, name));
  const added = Object.entries(edits).flatMap(([name, tensor]) => (tensor ? [{name, ...tensor}] : []));
  return [...kept, ...added];
}

function shape({
  layerCount = 2,
  embeddingLength = 64,
  feedForwardLength = 96,
  headCount = 4,
  headCountKv = 2,
  contextLength = 256,
}: TinyLlamaOptions): Required<
  Pick<
    TinyLlamaOptions,
    'layerCount' | 'embeddingLength' | 'feedForwardLength' | 'headCount' | 'headCountKv' | 'contextLength'
  >
> {
  return {layerCount, embeddingLength, feedForwardLength, headCount, headCountKv, contextLength};
}

function hyperparameters(options: TinyLlamaOptions): Record<string, MetadataInput> {
  const {layerCount, embeddingLength, feedForwardLength, headCount, headCountKv, contextLength} =
    shape(options);
  return {
    'general.architecture': 'llama',
    'general.name': 'tiny llama',
    'llama.context_length': contextLength,
    'llama.embedding_length': embeddingLength,
    'llama.block_count': layerCount,
    'llama.feed_forward_length': feedForwardLength,
    'llama.attention.head_count': headCount,
    'llama.attention.head_count_kv': headCountKv,
    'llama.attention.layer_norm_rms_epsilon': {type: 'f32', value: 1e-5},
    'llama.rope.dimension_count': embeddingLength / headCount,
    'llama.rope.freq_base': {type: 'f32', value: 10000},
  };
}

function tensors(options: TinyLlamaOptions, vocabularySize: number): TensorInput[] {
  const {layerCount, embeddingLength, feedForwardLength, headCount, headCountKv} = shape(options);
  const {weightType = 'F32', tiedEmbedding = false, seed = 1} = options;
  const keyLength = (embeddingLength / headCount) * headCountKv;
  const random = new Random(seed);
  const matrix = (name: string, columns: number, rows: number): TensorInput => ({
    name: `${name}.weight`,
    type: weightType,
    dimensions: [columns, rows],
    // Keeps the variance of activations about one.
    data: random.uniform(columns * rows, Math.sqrt(3 / columns)),
  });
  const norm = (name: string): TensorInput => ({
    name: `${name}.weight`,
    type: 'F32',
    dimensions: [embeddingLength],
    data: random.uniform(embeddingLength, 0.2).map((value) => 1 + value),
  });
  const layers = Array.from({length: layerCount}, (_, i) => [
    norm(`blk.${i}.attn_norm`),
    matrix(`blk.${i}.attn_q`, embeddingLength, embeddingLength),
    matrix(`blk.${i}.attn_k`, embeddingLength, keyLength),
    matrix(`blk.${i}.attn_v`, embeddingLength, keyLength),
    matrix(`blk.${i}.attn_output`, embeddingLength, embeddingLength),
    norm(`blk.${i}.ffn_norm`),
    matrix(`blk.${i}.ffn_gate`, embeddingLength, feedForwardLength),
    matrix(`blk.${i}.ffn_up`, embeddingLength, feedForwardLength),
    matrix(`blk.${i}.ffn_down`, feedForwardLength, embeddingLength),
  ]);
  return [
    matrix('token_embd', embeddingLength, vocabularySize),
    ...layers.flat(),
    norm('output_norm'),
    ...(tiedEmbedding ? [] : [matrix('output', embeddingLength, vocabularySize)]),
  ];
}
