/**
 * The forward pass of an encoder in plain f64, written from the papers and the published descriptions, and slow on purpose:
 * nothing here is shared with what it checks.
 */
import {ReferenceFile} from './reference-decoder/file.ts';
import {add, dot, gelu, silu, softmax, split} from './reference-decoder/math.ts';
import type {Vector} from './reference-decoder/math.ts';
import {headNorm, norm} from './reference-decoder/norms.ts';

export interface ReferenceStates {
  /** (tokens, embeddingLength), behind the last layer and its norm */
  readonly states: readonly Vector[];
  /** What an embedding passes in the end. */
  readonly dense: (embedding: Vector) => Vector;
}

export async function referenceStates(
  bytes: ArrayBuffer,
  tokens: readonly number[],
): Promise<ReferenceStates> {
  const file = await ReferenceFile.read(bytes);
  let hidden = tokens.map((token, position) => embed(file, token, position));
  for (let layer = 0; layer < file.number('block_count'); layer++) hidden = runLayer(file, layer, hidden);
  const states = hidden.map((x) => normed(file, 'output_norm', x));
  const dense = (x: Vector): Vector =>
    file.hasTensor('dense_2.weight') ? file.linear('dense_3', file.linear('dense_2', x)) : x;
  return {states, dense};
}

/** Norm where the file has its weight, else what it is given. */
function normed(file: ReferenceFile, name: string, x: Vector): Vector {
  return file.hasTensor(`${name}.weight`) ? norm(file, name, x) : x;
}

function embed(file: ReferenceFile, token: number, position: number): Vector {
  const length = file.number('embedding_length');
  const factor = file.is('gemma-embedding') ? Math.sqrt(length) : 1;
  let x: Vector = file.row('token_embd.weight', token, length).map((value) => value * factor);
  if (file.hasTensor('position_embd.weight')) x = add(x, file.row('position_embd.weight', position, length));
  if (file.hasTensor('token_types.weight')) x = add(x, file.row('token_types.weight', 0, length));
  return normed(file, 'token_embd_norm', x);
}

function runLayer(file: ReferenceFile, layer: number, hidden: readonly Vector[]): Vector[] {
  const name = `blk.${layer}`;
  const attended = attention(
    file,
    layer,
    hidden.map((x) => normed(file, `${name}.attn_norm`, x)),
  );
  return hidden.map((x, position) => {
    const mixed = normed(file, `${name}.post_attention_norm`, attended[position]!);
    const between = normed(file, `${name}.attn_output_norm`, add(x, mixed));
    const fed = feedForward(file, name, normed(file, `${name}.ffn_norm`, between));
    return normed(
      file,
      `${name}.layer_output_norm`,
      add(between, normed(file, `${name}.post_ffw_norm`, fed)),
    );
  });
}

function attention(file: ReferenceFile, layer: number, inputs: readonly Vector[]): Vector[] {
  const name = `blk.${layer}`;
  const heads = file.number('attention.head_count');
  const group = heads / file.number('attention.head_count_kv', heads);
  const length = file.number('attention.key_length', file.number('embedding_length') / heads);
  const windowed = isWindowed(file, layer);
  const rows = inputs.map((x, position) => {
    const [query, key, value] = projections(file, name, x, [heads * length, (heads / group) * length]);
    const place = (tensor: string, row: Vector): Vector[] => {
      const full = `${name}.${tensor}`;
      const even = file.hasTensor(`${full}.weight`) ? headNorm(file, full, row, length) : row;
      return split(even, length).map((head) => rotate(file, head, position, windowed));
    };
    return {
      query: place('attn_q_norm', query),
      key: place('attn_k_norm', key),
      value: split(value, length),
    };
  });
  return rows.map(({query}, position) => {
    const joined = query.flatMap((head, index) => {
      const seen = rows.flatMap((row, other) => {
        const distance = Math.abs(position - other);
        if (windowed && distance > Math.floor(file.number('attention.sliding_window') / 2)) return [];
        return [{row, distance}];
      });
      const shared = Math.floor(index / group);
      const weights = softmax(
        seen.map(
          ({row, distance}) =>
            dot(head, row.key[shared]!) / Math.sqrt(length) - alibiSlope(file, index) * distance,
        ),
      );
      return head.map((_, d) =>
        seen.reduce((sum, {row}, i) => sum + weights[i]! * row.value[shared]![d]!, 0),
      );
    });
    return file.linear(`${name}.attn_output`, joined);
  });
}

function projections(
  file: ReferenceFile,
  name: string,
  x: Vector,
  [queries, keys]: readonly [number, number],
): readonly [Vector, Vector, Vector] {
  if (file.hasTensor(`${name}.attn_qkv.weight`)) {
    const all = file.linear(`${name}.attn_qkv`, x);
    return [all.slice(0, queries), all.slice(queries, queries + keys), all.slice(queries + keys)];
  }
  const project = (part: string): Vector => file.linear(`${name}.attn_${part}`, x);
  return [project('q'), project('k'), project('v')];
}

/** ModernBERT sees everything in every third layer from the first on, EmbeddingGemma in every sixth, the last of six. */
function isWindowed(file: ReferenceFile, layer: number): boolean {
  if (file.is('modern-bert')) return layer % 3 !== 0;
  return file.is('gemma-embedding') && layer % 6 !== 5;
}

/** Of the four heads that there are: https://arxiv.org/abs/2108.12409, section 3, with the largest exponent 8. */
function alibiSlope(file: ReferenceFile, head: number): number {
  return file.is('jina-bert-v2') ? 2 ** (-2 * (head + 1)) : 0;
}

/** Turns the pairs (i, i + half). */
function rotate(file: ReferenceFile, head: Vector, position: number, windowed: boolean): Vector {
  if (file.is('bert', 'jina-bert-v2')) return head;
  const base = windowed ? file.number('rope.freq_base_swa', 10000) : file.number('rope.freq_base', 10000);
  const half = head.length / 2;
  return head.map((value, i) => {
    const angle = position * base ** (-(i % half) / half);
    const other = i < half ? -head[i + half]! : head[i - half]!;
    return value * Math.cos(angle) + other * Math.sin(angle);
  });
}

function feedForward(file: ReferenceFile, name: string, x: Vector): Vector {
  const activate = file.is('nomic-bert') ? silu : gelu;
  const up = file.linear(`${name}.ffn_up`, x);
  const down = (hidden: Vector): Vector => file.linear(`${name}.ffn_down`, hidden);
  if (file.hasTensor(`${name}.ffn_gate.weight`)) {
    return down(file.linear(`${name}.ffn_gate`, x).map((value, i) => activate(value) * up[i]!));
  }
  if (!file.is('modern-bert', 'jina-bert-v2')) return down(up.map(activate));
  // The first half is the gate.
  const [gate, rest] = split(up, up.length / 2);
  return down(gate!.map((value, i) => activate(value) * rest![i]!));
}
