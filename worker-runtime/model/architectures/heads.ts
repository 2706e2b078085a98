import type {Hyperparameters} from './hyperparameters.ts';

/** The attention kernels work on vectors of 4 floats. */
const headLengthStep = 4;

export interface Heads {
  readonly headCount: number;
  readonly headCountKv: number;
  /** Of queries, keys and values. */
  readonly headLength: number;
}

/**
 * The heads of each layer, from `attention.head_count`, `.head_count_kv`, `.key_length` and `.value_length`.
 *
 * @throws {GgufError} where the numbers of heads and their length do not fit together
 */
export function readHeads(keys: Hyperparameters, embeddingLength: number): readonly Heads[] {
  const counts = keys.countPerLayer('attention.head_count');
  const headLength = readHeadLength(keys, embeddingLength, counts[0] ?? 0);
  const countsKv = keys.has('attention.head_count_kv')
    ? keys.countPerLayer('attention.head_count_kv')
    : counts;
  return counts.map((headCount, layer) => {
    const headCountKv = countsKv[layer] ?? 0;
    if (headCount === 0) throw keys.refusal('attention.head_count', 'must be positive, not 0');
    if (headCountKv > 0 && headCount % headCountKv === 0) return {headCount, headCountKv, headLength};
    throw keys.refusal(
      'attention.head_count_kv',
      `${headCountKv} does not divide ${keys.key('attention.head_count')} ${headCount}`,
    );
  });
}

function readHeadLength(keys: Hyperparameters, embeddingLength: number, headCount: number): number {
  const [count, length] = ['attention.head_count', 'attention.key_length'] as const;
  if (headCount === 0) throw keys.refusal(count, 'must be positive, not 0');
  if (!keys.has(length) && embeddingLength % headCount !== 0) {
    throw keys.refusal(
      count,
      `${headCount} does not divide ${keys.key('embedding_length')} ${embeddingLength}`,
    );
  }
  const headLength = keys.positive(length, {fallback: embeddingLength / headCount});
  keys.require('attention.value_length', headLength);
  if (headLength % headLengthStep === 0) return headLength;
  throw keys.unsupported(
    keys.has(length) ? length : count,
    `makes heads of length ${headLength}; only multiples of ${headLengthStep} are supported`,
  );
}
