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
  readonly norm?: 'rms' | 'rms-with-bias' | 'layer' | 'layer-with-bias' | 'plain';
  /** Norms of each layer, as long as the embedding. */
  readonly norms?: readonly string[];
  /** Whether queries, keys and values are in one tensor. */
  readonly fusedQkv?: boolean;
  /** Weights of the norms of queries and keys: for one head, for each, or for all as one vector. */
  readonly queryKeyNorm?: 'head' | 'each-head' | 'whole';
  /** Where queries, keys and values come from shorter vectors. */
  readonly latent?: TinyLatent;
  /** Where there are several residual streams, embeddings for each layer, and paths beside attention. */
  readonly streams?: TinyStreams;
  /** Whether each head of queries is followed by a gate. */
  readonly gatedHeads?: boolean;
  /** What layers have in place of attention, or beside it; their keys are among `keys`. */
  readonly mixer?: (layer: number) => TinyMixer | undefined;
  /** `fused` has gate and up in `ffn_up`; `ungated` has no gate. */
  readonly network?: 'gated' | 'fused' | 'ungated' | 'none';
  /** In place of the networks of some layers. */
  readonly experts?: TinyExperts;
  /** Matrices that have a bias. */
  readonly biases?: readonly string[];
  /** Matrices that have a `.scale`. */
  readonly scales?: readonly string[];
  /** What the weights of a norm are about, by the name of the norm, where that is not one. */
  readonly normSizes?: Readonly<Record<string, number>>;
  /** By default `output_norm`. */
  readonly outputNorm?: string;
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

/** `turned` dimensions of each head are what the rope turns; `value` is the length of a head of values. */
export interface TinyLatent {
  readonly queryRank: number;
  readonly keyValueRank: number;
  readonly turned: number;
  readonly value: number;
}

export interface TinyStreams {
  readonly count: number;
  /** Length of the embedding that a layer has of its own. */
  readonly perLayer: number;
  readonly laurelRank: number;
}

export interface TinyExperts {
  readonly count: number;
  readonly used: number;
  readonly length: number;
  /** Layers that have them; by default all. */
  readonly layers?: readonly number[];
  /** Whether gate and up of an expert are in one tensor. */
  readonly merged?: boolean;
  /** Whether there are biases for the choice. */
  readonly choiceBias?: boolean;
  /** Length of the network for all tokens. */
  readonly shared?: number;
  /** Whether that network has a gate. */
  readonly sharedGate?: boolean;
}

/** A mixer with a state. `inner` is the length of what it mixes, `state` what is kept of each element of it. */
export type TinyMixer = TinyConvolution | TinyMamba | TinyMamba2 | TinyDeltaRule | TinyTimeMix;

export interface TinyConvolution {
  readonly kind: 'short-convolution';
  readonly taps: number;
}

export interface TinyMamba {
  readonly kind: 'mamba';
  readonly inner: number;
  readonly state: number;
  readonly rank: number;
  readonly taps: number;
}

interface Headed {
  readonly inner: number;
  readonly state: number;
  readonly heads: number;
  /** Of B and C, or of keys. */
  readonly groups: number;
  readonly taps: number;
}

export interface TinyMamba2 extends Headed {
  readonly kind: 'mamba2';
  /** Whether attention stands beside it. */
  readonly besideAttention?: boolean;
}

export interface TinyDeltaRule extends Headed {
  readonly kind: 'delta-rule';
  /** Whether what decays and strengths come from is one matrix. */
  readonly joined?: boolean;
}

/** RWKV's, and the network that goes with it. */
export interface TinyTimeMix {
  readonly kind: 'time-mix';
  /** Of decays, rates, values and gates. */
  readonly ranks: readonly [w: number, a: number, v: number, g: number];
  /** Length of the network. */
  readonly hidden: number;
}

export const f32 = (value: number): MetadataInput => ({type: 'f32', value});

export const defaults = {
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
  normSizes: {},
  tied: false,
  gain: 2,
  outputNorm: 'output_norm',
} as const satisfies Partial<TinyRecipe>;

/** A recipe with all that it leaves open. */
export type Complete = TinyRecipe & Required<Pick<TinyRecipe, keyof typeof defaults>>;

export function headLengthOf({headLength, embedding, heads}: Complete): number {
  return headLength ?? embedding / at(heads, 0);
}

/** Of one number for all layers, or of one for each. */
export function at(value: number | readonly number[], layer: number): number {
  return typeof value === 'number' ? value : (value[layer] ?? NaN);
}
