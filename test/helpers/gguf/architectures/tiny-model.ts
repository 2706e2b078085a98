import {Random} from '../random.ts';
import {spmVocabulary, tinyVocabulary} from '../tiny-vocabulary.ts';
import {writeGguf} from '../write-gguf.ts';
import type {MetadataInput, TensorInput} from '../write-gguf.ts';

/** A small model of some architecture: what its files have, and what is special in them. Lengths are in elements. */
export interface TinyRecipe {
  /** As in `general.architecture`. */
  readonly architecture: string;
  readonly layers?: number;
  readonly embedding?: number;
  /** One number for all layers, or one for each: then the file has arrays. */
  readonly heads?: number | readonly number[];
  readonly headsKv?: number | readonly number[];
  /** By default that of a head's share of the embedding, and no key says it. */
  readonly headLength?: number;
  readonly feedForward?: number | readonly number[];
  readonly contextLength?: number;
  /** `plain` has neither weight nor bias. */
  readonly norm?: 'rms' | 'layer' | 'layer-with-bias' | 'plain';
  /** Norms of each layer, as long as the embedding. */
  readonly norms?: readonly string[];
  /** Whether queries, keys and values are in one tensor. */
  readonly fusedQkv?: boolean;
  /** Weights of the norms of queries and keys: for one head, for each, or for all as one vector. */
  readonly queryKeyNorm?: 'head' | 'each-head' | 'whole';
  /** `fused` has gate and up in `ffn_up`; `ungated` has no gate. */
  readonly network?: 'gated' | 'fused' | 'ungated';
  /** Matrices that have a bias. */
  readonly biases?: readonly string[];
  /** Matrices that have a `.scale`. */
  readonly scales?: readonly string[];
  /** Whether the output matrix is the embedding. */
  readonly tied?: boolean;
  /** About the standard deviation of the products with the output matrix. */
  readonly gain?: number;
  /** Keys, named without the architecture. */
  readonly keys?: Readonly<Record<string, MetadataInput>>;
  /** Keys that do not begin with the architecture. */
  readonly sharedKeys?: Readonly<Record<string, MetadataInput>>;
  /** Vectors of each layer beside its norms and biases, by name and length. */
  readonly vectors?: (layer: number) => Readonly<Record<string, number>>;
  /** Tensors that belong to no layer, and that need values of their own. */
  readonly tensors?: Readonly<Record<string, Omit<TensorInput, 'name' | 'type'>>>;
  /** Keys and tensors that the file lacks, by their whole names. */
  readonly without?: readonly string[];
}

export const f32 = (value: number): MetadataInput => ({type: 'f32', value});

const defaults = {
  layers: 3,
  embedding: 64,
  heads: 4,
  headsKv: 2,
  feedForward: 96,
  contextLength: 256,
  norm: 'rms',
  norms: ['attn_norm', 'ffn_norm'],
  fusedQkv: false,
  network: 'gated',
  biases: [],
  scales: [],
  tied: false,
  gain: 2,
} as const satisfies Partial<TinyRecipe>;

type Complete = TinyRecipe & Required<Pick<TinyRecipe, keyof typeof defaults>>;

/** The file. Its weights are random, the same for the same recipe. */
export function tinyModel(recipe: TinyRecipe): ArrayBuffer {
  const complete: Complete = {...defaults, ...recipe};
  const vocabulary = spmVocabulary(tinyVocabulary);
  const tensors = new Tensors(complete, vocabulary['tokenizer.ggml.tokens'].length).all();
  const metadata = Object.entries({...hyperparameters(complete), ...vocabulary});
  const isKept = (name: string): boolean => !recipe.without?.includes(name);
  return writeGguf({
    metadata: Object.fromEntries(metadata.filter(([key]) => isKept(key))),
    tensors: tensors.filter(({name}) => isKept(name)),
  });
}

function hyperparameters(recipe: Complete): Record<string, MetadataInput> {
  const {architecture, norm, headLength} = recipe;
  const epsilon = norm === 'rms' ? 'layer_norm_rms_epsilon' : 'layer_norm_epsilon';
  const keys: Record<string, MetadataInput> = {
    context_length: recipe.contextLength,
    embedding_length: recipe.embedding,
    block_count: recipe.layers,
    feed_forward_length: recipe.feedForward,
    'attention.head_count': recipe.heads,
    'attention.head_count_kv': recipe.headsKv,
    [`attention.${epsilon}`]: f32(1e-5),
    ...(headLength && {'attention.key_length': headLength, 'attention.value_length': headLength}),
    ...recipe.keys,
  };
  return {
    'general.architecture': architecture,
    ...Object.fromEntries(Object.entries(keys).map(([key, value]) => [`${architecture}.${key}`, value])),
    ...recipe.sharedKeys,
  };
}

/** Queries and keys are so long that attention prefers some positions clearly. */
const queryKeyGain = 1.4;

class Tensors {
  readonly #recipe: Complete;
  readonly #vocabularySize: number;
  readonly #random = new Random(7);

  constructor(recipe: Complete, vocabularySize: number) {
    this.#recipe = recipe;
    this.#vocabularySize = vocabularySize;
  }

  all(): TensorInput[] {
    const {embedding, tied, gain, layers, tensors = {}} = this.#recipe;
    return [
      // An embedding that is not the output matrix can be about as large as what the layers add to it.
      ...this.#matrix('token_embd', embedding, this.#vocabularySize, tied ? gain : Math.sqrt(embedding / 3)),
      ...Array.from({length: layers}, (_, layer) => this.#layer(layer)).flat(),
      ...this.#norm('output_norm', embedding),
      ...(tied ? [] : this.#matrix('output', embedding, this.#vocabularySize, gain)),
      ...Object.entries(tensors).map(([name, tensor]) => ({name, type: 'F32', ...tensor}) as const),
    ];
  }

  #layer(index: number): TensorInput[] {
    const {embedding, feedForward, network, norms, vectors} = this.#recipe;
    const name = `blk.${index}`;
    const length = at(feedForward, index);
    return [
      ...norms.flatMap((norm) => this.#norm(`${name}.${norm}`, embedding)),
      ...this.#attention(index),
      ...(network === 'gated' ? this.#matrix(`${name}.ffn_gate`, embedding, length) : []),
      ...this.#matrix(`${name}.ffn_up`, embedding, network === 'fused' ? 2 * length : length),
      ...this.#matrix(`${name}.ffn_down`, length, embedding),
      ...Object.entries(vectors?.(index) ?? {}).map(([vector, count]) =>
        this.#weight(`${name}.${vector}`, [count]),
      ),
    ];
  }

  #attention(index: number): TensorInput[] {
    const {embedding, fusedQkv, queryKeyNorm} = this.#recipe;
    const name = `blk.${index}`;
    const length = headLengthOf(this.#recipe);
    const [heads, headsKv] = [at(this.#recipe.heads, index), at(this.#recipe.headsKv, index)];
    const norm = (tensor: string, count: number): TensorInput[] => {
      if (!queryKeyNorm) return [];
      const shape = {head: [length], 'each-head': [length, count], whole: [length * count]}[queryKeyNorm];
      return [this.#weight(`${name}.${tensor}.weight`, shape)];
    };
    return [
      ...(fusedQkv
        ? this.#matrix(`${name}.attn_qkv`, embedding, (heads + 2 * headsKv) * length, queryKeyGain)
        : [
            ...this.#matrix(`${name}.attn_q`, embedding, heads * length, queryKeyGain),
            ...this.#matrix(`${name}.attn_k`, embedding, headsKv * length, queryKeyGain),
            ...this.#matrix(`${name}.attn_v`, embedding, headsKv * length),
          ]),
      ...norm('attn_q_norm', heads),
      ...norm('attn_k_norm', headsKv),
      ...this.#matrix(`${name}.attn_output`, heads * length, embedding),
    ];
  }

  /** A matrix and what else its product has. */
  #matrix(name: string, columns: number, rows: number, gain = 1): TensorInput[] {
    const {biases, scales} = this.#recipe;
    const kind = name.replace(/^blk\.\d+\./, '');
    // Inputs of variance one give outputs of variance gain².
    const data = this.#random.uniform(columns * rows, gain * Math.sqrt(3 / columns));
    return [
      {name: `${name}.weight`, type: 'F32', dimensions: [columns, rows], data},
      ...(biases.includes(kind) ? [this.#bias(name, rows)] : []),
      ...(scales.includes(kind) ? [this.#weight(`${name}.scale`, [1])] : []),
    ];
  }

  #norm(name: string, length: number): TensorInput[] {
    const {norm} = this.#recipe;
    if (norm === 'plain') return [];
    const weight = this.#weight(`${name}.weight`, [length]);
    return norm === 'layer-with-bias' ? [weight, this.#bias(name, length)] : [weight];
  }

  /** Factors about one. */
  #weight(name: string, dimensions: readonly number[]): TensorInput {
    const count = dimensions.reduce((product, dimension) => product * dimension, 1);
    return {name, type: 'F32', dimensions, data: this.#random.uniform(count, 0.3).map((value) => 1 + value)};
  }

  #bias(name: string, length: number): TensorInput {
    return {name: `${name}.bias`, type: 'F32', dimensions: [length], data: this.#random.uniform(length, 0.4)};
  }
}

function headLengthOf({headLength, embedding, heads}: Complete): number {
  return headLength ?? embedding / at(heads, 0);
}

function at(value: number | readonly number[], layer: number): number {
  return typeof value === 'number' ? value : (value[layer] ?? NaN);
}
