/**
 * What the generic decoder needs to know of an architecture. A file under `architectures/` makes it from the metadata
 * of a GGUF file; nothing else in the project knows architectures by name.
 */

/** How positions enter queries and keys. */
export interface RopeSpec {
  /** `normal` turns adjacent pairs (2i, 2i+1); `neox` turns (i, i + pairs). */
  readonly style: 'normal' | 'neox';
  /** Turned dimensions of a head: twice the number of pairs. */
  readonly dimensions: number;
  /** Base of the geometric series of frequencies. */
  readonly base: number;
  readonly scaling: RopeScaling;
  /** Tensor of per-pair divisors of the frequencies (Llama 3.x), where the file has it. */
  readonly factorsTensor: string;
}

export type RopeScaling =
  | {readonly kind: 'none'}
  | {readonly kind: 'linear'; readonly factor: number}
  | {
      readonly kind: 'yarn';
      readonly factor: number;
      readonly originalContextLength: number;
      readonly extrapolationFactor: number;
      readonly attentionFactor: number;
      readonly betaFast: number;
      readonly betaSlow: number;
    };

export interface DecoderSpec {
  readonly architecture: string;
  readonly layerCount: number;
  readonly embeddingLength: number;
  readonly feedForwardLength: number;
  readonly vocabularySize: number;
  readonly trainingContextLength: number;
  readonly headCount: number;
  readonly headCountKv: number;
  /** Length of one head of queries, keys and values. */
  readonly headLength: number;
  /**
   * How many positions the attention of each layer sees, the token's own included; 0: all. A layer with a window keeps
   * the keys and values of that window only. (layerCount)
   */
  readonly attentionWindows: readonly number[];
  /** Factor of the attention scores. */
  readonly attentionScale: number;
  readonly normEpsilon: number;
  readonly rope: RopeSpec;
}
