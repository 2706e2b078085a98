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
 * The heads of a layer that has attention, from `attention.head_count`, `.head_count_kv`, `.key_length` and
 * `.value_length`.
 *
 * @returns what throws a {@link GgufError} where a layer's numbers of heads and their length do not fit together
 */
export function readHeads(keys: Hyperparameters, embeddingLength: number): (layer: number) => Heads {
  const [countKey, countKvKey] = ['attention.head_count', 'attention.head_count_kv'] as const;
  const counts = keys.countPerLayer(countKey);
  const countsKv = keys.has(countKvKey) ? keys.countPerLayer(countKvKey) : counts;
  return (layer) => {
    const [headCount = 0, headCountKv = 0] = [counts[layer], countsKv[layer]];
    if (headCount === 0) throw keys.refusal(countKey, 'must be positive, not 0');
    const headLength = readHeadLength(keys, embeddingLength, headCount);
    if (headCountKv > 0 && headCount % headCountKv === 0) return {headCount, headCountKv, headLength};
    throw keys.refusal(countKvKey, `${headCountKv} does not divide ${keys.key(countKey)} ${headCount}`);
  };
}

function readHeadLength(keys: Hyperparameters, embeddingLength: number, headCount: number): number {
  const [count, length] = ['attention.head_count', 'attention.key_length'] as const;
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
