/**
 * What the generic decoder needs to know of an architecture. A file under `architectures/` makes it from the metadata
 * of a GGUF file; nothing else in the project knows architectures by name.
 */
import type {Pooling} from '../protocol.ts';

/** How positions enter queries and keys. */
export interface RopeSpec {
  /** `normal` turns adjacent pairs (2i, 2i+1); `neox` turns (i, i + pairs). */
  readonly style: 'normal' | 'neox';
  /** Turned dimensions of a head: twice the number of pairs. */
  readonly dimensions: number;
  /** Base of the geometric series of frequencies. */
  readonly base: number;
  readonly scaling: RopeScaling;
  /** Factor of cosine and sine. */
  readonly attentionFactor: number;
  /** Tensor of per-pair divisors of the frequencies (Llama 3.x, LongRoPE); `null` where the file has none. */
  readonly factorsTensor: string | null;
}

export type RopeScaling =
  | {readonly kind: 'none'}
  | {readonly kind: 'linear'; readonly factor: number}
  | {
      readonly kind: 'yarn';
      readonly factor: number;
      readonly originalContextLength: number;
      readonly extrapolationFactor: number;
      readonly betaFast: number;
      readonly betaSlow: number;
    };

export interface NormSpec {
  /** `rms` divides by the root of the mean square; `layer` subtracts the mean first. */
  readonly kind: 'rms' | 'layer';
  readonly epsilon: number;
  /** Whether there is no weight to multiply with. */
  readonly plain?: boolean;
}

/** Softmax attention with grouped heads. */
export interface AttentionSpec {
  readonly kind: 'attention';
  readonly headCount: number;
  readonly headCountKv: number;
  /** Length of one head of queries, keys and values. */
  readonly headLength: number;
  /**
   * How many positions a token sees, its own included; 0: all. A layer with a window keeps the keys and values of that
   * window only. In an encoder it sees as many behind its own.
   */
  readonly window: number;
  /** Factor of the scores. */
  readonly scale: number;
  /** Where > 0, scores s become cap · tanh(s / cap). */
  readonly softCap?: number;
  /** Whether each head has a learnt score that takes part in the softmax without a value. */
  readonly sinks?: boolean;
  /** Which of `ropes` turns queries and keys; `null`: none does. */
  readonly rope: number | null;
  /**
   * Where > 0, scores fall with the distance of the positions, by a slope for each head of which this is the largest
   * exponent: ALiBi (https://arxiv.org/abs/2108.12409).
   */
  readonly alibi?: number;
  readonly queryKeyNorm?: QueryKeyNorm;
  /** Norm of each head of values, without weight. Where the file has no matrix of values, they are the keys before their norm. */
  readonly valueNorm?: NormSpec;
  /** The layer whose keys and values this one attends to, instead of having its own. */
  readonly sharesCacheOf?: number;
  /** Norm of what the heads give, before its projection. */
  readonly outputNorm?: NormSpec;
  /** Whether the matrix of queries also gives, head by head, a gate for what the heads give. */
  readonly gated?: boolean;
  /** Where > 0, queries, keys and values are kept within ± this. */
  readonly clamp?: number;
  /** Where queries, keys and values come from shorter vectors. */
  readonly latent?: LatentSpec;
}

/** Multi-head latent attention, every head with a key of its own. */
export interface LatentSpec {
  /** Length of the vector that all queries come from. */
  readonly queryRank: number;
  /** Length of the vector that all keys and values come from. */
  readonly keyValueRank: number;
  /** Dimensions at the end of each head that the rope turns; those of the keys are the same for all heads. */
  readonly turnedLength: number;
  /** Length of one head of values: at most that of keys. */
  readonly valueLength: number;
  /** Of the two shorter vectors. */
  readonly norm: NormSpec;
}

/**
 * Norm of queries and keys: of each head with one weight for all (`head`), of each head with its own (`each-head`), or
 * of all heads together (`whole`).
 */
export interface QueryKeyNorm extends NormSpec {
  readonly over: 'head' | 'each-head' | 'whole';
  /** Whether it follows the rope instead of preceding it. */
  readonly afterRope?: boolean;
}

/** `clamped-silu` is gpt-oss's gate, within limits and with 1 added to what it opens for. */
export type ActivationKind = 'silu' | 'gelu' | 'relu' | 'relu-squared' | 'clamped-silu';

/** xIELU (https://arxiv.org/abs/2411.13010) with the parameters as they were learnt, before softplus. */
export interface Xielu {
  readonly alphaN: number;
  readonly alphaP: number;
  readonly beta: number;
  readonly epsilon: number;
}

/** One hidden layer: down(activation(gate(x)) ∘ up(x)) where `gated`, else down(activation(up(x))). */
export interface FeedForwardSpec {
  readonly kind: 'dense';
  readonly length: number;
  readonly activation: ActivationKind | Xielu;
  readonly gated: boolean;
  /** Whether `ffn_up` holds the rows of the gate, then those of up. */
  readonly fusedGate?: boolean;
  /**
   * Where > 0, what opens the gate is only what lies above the gate's mean by so many of its standard deviations, less that
   * cutoff.
   */
  readonly gateCutoff?: number;
  /** Norm of the hidden layer, before `down`. */
  readonly innerNorm?: NormSpec;
  /** Tensors, without `.weight`, where they are not `ffn_up` and `ffn_down`. */
  readonly tensors?: {readonly up: string; readonly down: string};
}

/** RWKV's channel mixing: a network whose inputs are mixed with those of the token before. */
export interface ChannelMixSpec {
  readonly kind: 'channel-mix';
  readonly network: FeedForwardSpec;
}

/** Of `count` networks a router chooses `used` for each token, and weighs what they give. */
export interface ExpertsSpec {
  readonly kind: 'experts';
  readonly count: number;
  readonly used: number;
  /** Length of the hidden layer of each. */
  readonly length: number;
  readonly activation: ActivationKind;
  /**
   * What makes probabilities of the router's scores: of all experts, of each by itself, or of those only that have the
   * highest scores.
   */
  readonly routing: 'softmax' | 'sigmoid' | 'softmax-of-chosen';
  /** Whether the chosen probabilities are divided by their sum. */
  readonly normalised: boolean;
  /** Factor of the weights. */
  readonly scale: number;
  /** Where experts are in groups, only those of the `used` best groups can be chosen. */
  readonly groups?: {readonly count: number; readonly used: number};
  /** A network that every token passes, beside the chosen ones. */
  readonly shared?: FeedForwardSpec;
}

/** LFM2's gated short convolution: out · (C ∘ convolution(B ∘ x)), where B, C and x are one product of the input. */
export interface ShortConvolutionSpec {
  readonly kind: 'short-convolution';
  /** Length of the kernel: a token sees itself and those before it. */
  readonly kernelLength: number;
  /** As many as the embedding is long. */
  readonly channels: number;
}

/** Mamba: a state for each channel, steps and projections that depend on the token. */
export interface MambaSpec {
  readonly kind: 'mamba';
  readonly channels: number;
  readonly kernelLength: number;
  readonly stateLength: number;
  /** Length of what the steps are projected from. */
  readonly stepRank: number;
  /** Norm of steps, B and C, without weights. */
  readonly stepNorm?: NormSpec;
}

/** Mamba-2: a state for each head, decays that are one number a head. */
export interface Mamba2Spec {
  readonly kind: 'mamba2';
  readonly headCount: number;
  readonly headLength: number;
  readonly kernelLength: number;
  readonly stateLength: number;
  /** Groups of heads that share B and C. */
  readonly groupCount: number;
  /** Norm of each group behind the gate; `null`: none. */
  readonly norm: NormSpec | null;
}

/** The gated delta rule of Qwen 3 Next and 3.5: a memory of values by keys for each head. */
export interface DeltaRuleSpec {
  readonly kind: 'delta-rule';
  readonly headCount: number;
  /** Heads of keys and queries; head h of the values takes h mod this. */
  readonly keyHeadCount: number;
  /**
   * Whether the heads of values that share a head of keys follow one another instead. Decays and strengths are then one
   * matrix: of each head of keys the strengths, then the decays.
   */
  readonly grouped?: boolean;
  readonly keyLength: number;
  readonly valueLength: number;
  readonly kernelLength: number;
  readonly norm: NormSpec;
}

/**
 * RWKV-7's time mixing (https://arxiv.org/abs/2503.14456): for each head a memory of values by keys, of which each token
 * removes something and adds something. Its inputs are mixed with those of the token before.
 */
export interface TimeMixSpec {
  readonly kind: 'time-mix';
  readonly headCount: number;
  /** Of keys and values. */
  readonly headLength: number;
  /** Lengths of the vectors that decays, removal rates, shares of the first layer's values, and gates come from. */
  readonly ranks: {
    readonly decay: number;
    readonly rate: number;
    /** 0: the layer gives the values that those behind it mix with their own. */
    readonly value: number;
    readonly gate: number;
  };
  /** Of what each head recalls. */
  readonly norm: NormSpec;
}

/** Attention and Mamba-2 of the same input, added. */
export interface ParallelMixerSpec {
  readonly kind: 'parallel';
  readonly attention: AttentionSpec;
  readonly mamba2: Mamba2Spec;
}

export type MixerSpec =
  | AttentionSpec
  | ShortConvolutionSpec
  | MambaSpec
  | Mamba2Spec
  | DeltaRuleSpec
  | TimeMixSpec
  | ParallelMixerSpec;

export type NetworkSpec = FeedForwardSpec | ChannelMixSpec | ExpertsSpec;

/** Tensors of the norms of a layer, without `.weight`; `null` where there is none. */
export interface LayerNorms {
  readonly mixer: string | null;
  /** Of what the mixer gives, before it is added to the residual stream. */
  readonly mixerOutput: string | null;
  /** `null` where the two run in parallel: the input of the mixer. */
  readonly feedForward: string | null;
  readonly feedForwardOutput: string | null;
  /** Of the residual stream when the mixer has been added to it; left out where there is none. */
  readonly mixerSum?: string;
  /** The same behind the feed-forward network. */
  readonly feedForwardSum?: string;
}

export interface LayerSpec {
  readonly mixer: MixerSpec;
  /** `null` where the mixer is all. */
  readonly feedForward: NetworkSpec | null;
  readonly norms: LayerNorms;
  /** Whether mixer and feed-forward take the same residual stream and are added to it together. */
  readonly parallel: boolean;
  /** Whether the layer adds what its own embedding of the token opens (`perLayerLength` > 0). */
  readonly perLayerInput?: boolean;
  /** Length between the two matrices of a path beside the mixer (LAuReL); left out where there is none. */
  readonly laurelRank?: number;
}

/** Alternating updates: several residual streams, of which layers compute the first and predict the others. */
export interface AltUpSpec {
  /** At least 2. */
  readonly streams: number;
}

export interface DecoderSpec {
  readonly architecture: string;
  readonly embeddingLength: number;
  readonly vocabularySize: number;
  readonly trainingContextLength: number;
  /** Whether a token sees no token behind it. What is not causal is an encoder: it sees whole texts and has no logits. */
  readonly causal: boolean;
  /** How the states of a text's tokens become its embedding; `null` where the file does not say. */
  readonly pooling: Exclude<Pooling, 'none'> | null;
  /** Length between two matrices that embeddings pass in the end (`dense_2`, `dense_3`); 0: there are none. */
  readonly denseLength: number;
  readonly layers: readonly LayerSpec[];
  readonly norm: NormSpec;
  readonly ropes: readonly RopeSpec[];
  /** Factor of the token embeddings. */
  readonly embeddingScale: number;
  /** Whether learnt positions (`position_embd`) are added to the embeddings. */
  readonly learntPositions: boolean;
  /** Rows of `token_types`, of which the first is added to the embeddings; 0: there is none. */
  readonly tokenTypes: number;
  /** Tensor of the norm behind the last layer, without `.weight`. */
  readonly outputNorm: string | null;
  /** Tensor of the norm of the embeddings, without `.weight`. */
  readonly embeddingNorm: string | null;
  /** Length of the embedding that each layer has of its own for a token; 0: none. */
  readonly perLayerLength: number;
  /** `null` where there is one residual stream. */
  readonly altUp: AltUpSpec | null;
  /** Factor of what a block adds to the residual stream. */
  readonly residualScale: number;
  readonly logitScale: number;
  /** Where > 0, logits x become cap · tanh(x / cap). */
  readonly logitSoftCap: number;
  /** Beginnings of names of tensors that the file has and the decoder has no use for. */
  readonly ignoredTensors: readonly string[];
}

/** The usual parts of a {@link DecoderSpec}: an architecture names what it has otherwise. */
export const plainDecoder = {
  causal: true,
  pooling: null,
  denseLength: 0,
  tokenTypes: 0,
  embeddingScale: 1,
  learntPositions: false,
  outputNorm: 'output_norm',
  embeddingNorm: null,
  perLayerLength: 0,
  altUp: null,
  residualScale: 1,
  logitScale: 1,
  logitSoftCap: 0,
  ignoredTensors: [],
} as const satisfies Partial<DecoderSpec>;

/** A norm before each of the two blocks. */
export const preNorms: LayerNorms = {
  mixer: 'attn_norm',
  mixerOutput: null,
  feedForward: 'ffn_norm',
  feedForwardOutput: null,
};

/** The part of a mixer that keeps keys and values. */
export function attentionOf(spec: MixerSpec): AttentionSpec | null {
  if (spec.kind === 'parallel') return spec.attention;
  return spec.kind === 'attention' ? spec : null;
}
