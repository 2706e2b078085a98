import {Random} from './random.ts';
import type {EncodableType} from './encode-tensor.ts';
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

/** Letters, digits, marks, and some longer pieces, so that merging has something to do. */
export const tinyVocabulary: readonly string[] = [
  ...'▁abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?:;\'"-()',
  ...'th he in er an re on at en nd ti es or te of ed is it al ar st to ng'.split(' '),
  ...'▁a ▁t ▁th ▁the ▁s ▁w ▁o ▁an ▁and ▁in ▁to ▁of ▁is ▁it ing ▁he ▁hello hello'.split(' '),
];

/** Token types of `tokenizer.ggml.token_type`. */
const tokenType = {normal: 1, unknown: 2, control: 3, byte: 6} as const;

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

function spmVocabulary(pieces: readonly string[]) {
  const bytes = Array.from({length: 256}, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`);
  const tokens = ['<unk>', '<s>', '</s>', ...bytes, ...pieces];
  const types = tokens.map((_, id) =>
    id === 0 ? tokenType.unknown : id < 3 ? tokenType.control : id < 259 ? tokenType.byte : tokenType.normal,
  );
  return {
    'tokenizer.ggml.model': 'llama',
    'tokenizer.ggml.tokens': tokens,
    // Longer pieces merge first.
    'tokenizer.ggml.scores': Float32Array.from(tokens, (token, id) =>
      id < 259 ? 0 : token.length * 1000 - (id - 259) - 1e5,
    ),
    'tokenizer.ggml.token_type': Int32Array.from(types),
    'tokenizer.ggml.bos_token_id': 1,
    'tokenizer.ggml.eos_token_id': 2,
    'tokenizer.ggml.unknown_token_id': 0,
    'tokenizer.ggml.add_bos_token': true,
    'tokenizer.ggml.add_eos_token': false,
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
