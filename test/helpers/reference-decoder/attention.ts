import type {ReferenceFile} from './file.ts';
import {dot, sigmoid, softCap, softmax, split} from './math.ts';
import type {Vector} from './math.ts';
import {headNorm, norm} from './norms.ts';
import {hasRope, rotate} from './rope.ts';
import {latentProjections} from './latent.ts';
import {isWindowed, windowLength} from './windows.ts';

export interface ReferenceOptions {
  /** Positions that the model runs with; by default those of the file. */
  readonly contextLength?: number;
  /** How many positions each layer's attention sees, its own included, instead of what the file says; 0: all. */
  readonly windows?: readonly number[];
}

interface Heads {
  readonly count: number;
  readonly countKv: number;
  readonly length: number;
}

function headsOf(file: ReferenceFile, layer: number): Heads {
  const count = file.perLayer('attention.head_count', layer);
  const share = file.number('embedding_length') / file.perLayer('attention.head_count', 0);
  return {
    count,
    countKv: file.hasKey('attention.head_count_kv') ? file.perLayer('attention.head_count_kv', layer) : count,
    length: file.number('attention.key_length', share),
  };
}

interface Projections {
  readonly query: Vector;
  readonly key: Vector;
  readonly value: Vector;
  /** How far what the heads give is let through. */
  readonly gate?: Vector | undefined;
}

/** What attention adds to the residual stream of each token, from the normed states of all. */
export function attention(
  file: ReferenceFile,
  layer: number,
  inputs: readonly Vector[],
  options: ReferenceOptions,
): Vector[] {
  const name = `blk.${layer}`;
  const heads = headsOf(file, layer);
  const all = inputs.map((x, position) => projections(file, layer, heads, x, position, options));
  const keys = all.map(({key}) => split(key, heads.length));
  const values = all.map(({value}) => split(value, file.number('attention.value_length', heads.length)));
  const window = options.windows?.[layer] ?? (isWindowed(file, layer) ? windowLength(file) : 0);
  const slopes = alibiSlopes(file, heads.count);
  return all.map(({query, gate}, position) => {
    const first = window === 0 ? 0 : Math.max(0, position - window + 1);
    const attended = split(query, heads.length).flatMap((head, index) => {
      const shared = Math.floor((index * heads.countKv) / heads.count);
      const seen = (rows: readonly Vector[][]): Vector[] =>
        rows.slice(first, position + 1).map((row) => row[shared]!);
      const scores = seen(keys).map((key, i) => {
        const score = softCap(dot(head, key) * scoreScale(file, heads.length), scoreCap(file));
        return score - (slopes?.[index] ?? 0) * (position - first - i);
      });
      // A sink takes a share of the weights, and has no value.
      const sink = file.optional(`${name}.attn_sinks.weight`);
      return weightedSum(softmax(sink ? [...scores, sink[index]!] : scores), seen(values));
    });
    const gated = gate ? attended.map((value, i) => value * sigmoid(gate[i]!)) : attended;
    const joined = file.is('bitnet') ? norm(file, `${name}.attn_sub_norm`, gated) : gated;
    return file.linear(`${name}.attn_output`, joined);
  });
}

function projections(
  file: ReferenceFile,
  layer: number,
  heads: Heads,
  x: Vector,
  position: number,
  options: ReferenceOptions,
): Projections {
  const name = `blk.${layer}`;
  const contextLength = options.contextLength ?? file.number('context_length');
  const limit = file.is('olmo', 'mpt') ? file.number('attention.clamp_kqv', 0) || Infinity : Infinity;
  const clamp = (row: Vector): Vector => row.map((value) => Math.min(limit, Math.max(-limit, value)));
  const normed = (tensor: string, row: Vector): Vector =>
    file.hasTensor(`${name}.${tensor}.weight`) ? headNorm(file, `${name}.${tensor}`, row, heads.length) : row;
  if (file.is('minicpm3')) return latentProjections(file, layer, heads.count, x, {position, contextLength});
  const turned = (row: Vector): Vector =>
    hasRope(file, layer)
      ? rotate(file, row, {headLength: heads.length, layer, position, contextLength})
      : row;
  // Hunyuan alone normalises what is turned already.
  const placed = (tensor: string, row: Vector): Vector =>
    file.is('hunyuan-dense') ? normed(tensor, turned(row)) : turned(normed(tensor, row));
  const {query, key, value, gate} = rawProjections(file, name, heads, x);
  return {
    query: placed('attn_q_norm', clamp(query)),
    key: placed('attn_k_norm', clamp(key)),
    value: clamp(value),
    gate,
  };
}

/** Of three matrices, or of one: the rows of all queries, then of all keys, then of all values. */
function rawProjections(file: ReferenceFile, name: string, heads: Heads, x: Vector): Projections {
  if (!file.hasTensor(`${name}.attn_qkv.weight`)) {
    const project = (part: string): Vector => file.linear(`${name}.attn_${part}`, x);
    const [query, key, value] = [project('q'), project('k'), project('v')];
    if (!file.is('qwen35', 'qwen35moe', 'qwen3next')) return {query, key, value};
    // The query of each head is followed by the head's gate.
    const pairs = split(query, 2 * heads.length);
    return {
      query: pairs.flatMap((pair) => pair.slice(0, heads.length)),
      gate: pairs.flatMap((pair) => pair.slice(heads.length)),
      key,
      value,
    };
  }
  const all = file.linear(`${name}.attn_qkv`, x);
  const [keys, values] = [heads.count * heads.length, (heads.count + heads.countKv) * heads.length];
  return {query: all.slice(0, keys), key: all.slice(keys, values), value: all.slice(values)};
}

/** Factor of q · k. */
function scoreScale(file: ReferenceFile, headLength: number): number {
  const layers = file.number('block_count');
  switch (file.architecture) {
    case 'gemma2':
    case 'gemma3': {
      // The 27B models.
      const isLargest = layers === (file.architecture === 'gemma2' ? 46 : 62);
      const share = Math.floor(file.number('embedding_length') / file.number('attention.head_count'));
      return 1 / Math.sqrt(isLargest ? share : headLength);
    }
    case 'granite':
    case 'granitemoe':
    case 'granitehybrid':
      return file.number('attention.scale', 0) || 1 / Math.sqrt(headLength);
    case 'jais':
      return 1 / headLength;
    default:
      return 1 / Math.sqrt(headLength);
  }
}

function scoreCap(file: ReferenceFile): number {
  return file.is('gemma2') ? file.number('attn_logit_softcapping', 50) : 0;
}

/** https://arxiv.org/abs/2108.12409, section 3: what the score of each head falls by at every position of distance. */
function alibiSlopes(file: ReferenceFile, heads: number): number[] | undefined {
  const largest = largestBias(file);
  if (largest === 0) return undefined;
  const power = 2 ** Math.floor(Math.log2(heads));
  const series = (count: number): number[] =>
    Array.from({length: count}, (_, i) => 2 ** ((-largest * (i + 1)) / count));
  // Of the series for twice as many heads, every other one.
  const between = series(2 * power).filter((_, i) => i % 2 === 0);
  return [...series(power), ...between].slice(0, heads);
}

function largestBias(file: ReferenceFile): number {
  switch (file.architecture) {
    case 'bloom':
      return 8;
    case 'baichuan':
      return file.number('block_count') === 40 ? 8 : 0;
    case 'mpt':
    case 'jais':
      return file.number('attention.max_alibi_bias', 0);
    default:
      return 0;
  }
}

function weightedSum(weights: Vector, rows: readonly Vector[]): number[] {
  return Array.from(rows[0] ?? [], (_, d) => rows.reduce((sum, row, i) => sum + weights[i]! * row[d]!, 0));
}
