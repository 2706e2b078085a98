import type {ReferenceOptions} from './attention.ts';
import type {ReferenceFile} from './file.ts';
import {dot, rmsNorm, softmax, split} from './math.ts';
import type {Vector} from './math.ts';
import {headNorm, norm} from './norms.ts';
import {rotate} from './rope.ts';
import {isWindowed, windowLength} from './windows.ts';

/** Keys and values of all tokens, by head. */
export interface Memory {
  readonly keys: readonly (readonly Vector[])[];
  readonly values: readonly (readonly Vector[])[];
}

/**
 * What attention adds, from the normed states of all tokens.
 *
 * @param memories of the layers before; this one adds its own, if it has one
 */
export function gemma3nAttention(
  file: ReferenceFile,
  layer: number,
  inputs: readonly Vector[],
  memories: Memory[],
  options: ReferenceOptions,
): Vector[] {
  const name = `blk.${layer}`;
  const headLength = file.number('attention.key_length');
  const contextLength = options.contextLength ?? file.number('context_length');
  const placed = (part: 'q' | 'k', x: Vector, position: number): Vector[] => {
    const row = headNorm(
      file,
      `${name}.attn_${part}_norm`,
      file.linear(`${name}.attn_${part}`, x),
      headLength,
    );
    return split(rotate(file, row, {headLength, layer, position, contextLength}), headLength);
  };
  const source = sourceOf(file, layer);
  if (source === layer) {
    const epsilon = file.number('attention.layer_norm_rms_epsilon');
    memories[layer] = {
      keys: inputs.map((x, position) => placed('k', x, position)),
      values: inputs.map((x) =>
        split(file.linear(`${name}.attn_v`, x), headLength).map((head) => rmsNorm(head, epsilon)),
      ),
    };
  }
  const {keys, values} = memories[source]!;
  const window = isWindowed(file, layer) ? windowLength(file) : Infinity;
  return inputs.map((x, position) => {
    const first = Math.max(0, position - window + 1);
    const queries = placed('q', x, position);
    const attended = queries.flatMap((query, index) => {
      const shared = Math.floor((index * keys[0]!.length) / queries.length);
      const seen = (rows: Memory['keys']): Vector[] =>
        rows.slice(first, position + 1).map((row) => row[shared]!);
      const weights = softmax(seen(keys).map((key) => dot(query, key)));
      const rows = seen(values);
      return query.map((_, d) => rows.reduce((sum, row, i) => sum + weights[i]! * row[d]!, 0));
    });
    return norm(file, `${name}.post_attention_norm`, file.linear(`${name}.attn_output`, attended));
  });
}

/** The layer whose keys and values a layer sees: the last ones see those of the last of their kind that has its own. */
function sourceOf(file: ReferenceFile, layer: number): number {
  const layers = file.number('block_count');
  const owners = layers - file.number('attention.shared_kv_layers', Math.max(0, layers - 20));
  if (layer < owners) return layer;
  const kind = isWindowed(file, layer);
  for (let source = owners - 1; source >= 0; source--) if (isWindowed(file, source) === kind) return source;
  throw new Error(`layer ${layer} has no keys and values`);
}
