import type {ReferenceOptions} from './attention.ts';
import type {ReferenceFile} from './file.ts';
import {gemma3nAttention} from './gemma3n-attention.ts';
import type {Memory} from './gemma3n-attention.ts';
import {add, dot, gelu, split} from './math.ts';
import type {Vector} from './math.ts';
import {norm} from './norms.ts';

/** Of one token: the stream that layers compute, then those that they predict. */
type Streams = readonly Vector[];

/**
 * States of Gemma 3n behind the last layer. Its parts: AltUp (https://arxiv.org/abs/2301.13310), LAuReL
 * (https://arxiv.org/abs/2411.07501), Spark's cut of gates (https://arxiv.org/abs/2506.06644), embeddings for each layer,
 * and layers that attend to what earlier ones remember.
 */
export function gemma3nStates(
  file: ReferenceFile,
  tokens: readonly number[],
  options: ReferenceOptions,
): Vector[] {
  const length = file.number('embedding_length');
  const embedded = tokens.map((token) =>
    file.row('token_embd.weight', token, length).map((value) => value * Math.sqrt(length)),
  );
  const own = tokens.map((token, position) => ownEmbeddings(file, token, embedded[position]!));
  const memories: Memory[] = [];
  let streams = embedded.map((x) => begin(file, x));
  for (let layer = 0; layer < file.number('block_count'); layer++) {
    const name = `blk.${layer}`;
    const predicted = streams.map((old) => predict(file, name, old));
    const normed = predicted.map(([active]) => norm(file, `${name}.attn_norm`, active!));
    const attended = gemma3nAttention(file, layer, normed, memories, options);
    streams = predicted.map((prediction, position) => {
      const learnt = laurel(file, name, normed[position]!);
      const withAttention = add(prediction[0]!, attended[position]!);
      const between = add(withAttention, learnt).map((value) => value / Math.SQRT2);
      const changed = add(between, network(file, layer, norm(file, `${name}.ffn_norm`, between)));
      const corrected = correct(file, name, prediction, changed);
      return open(file, name, corrected, own[position]![layer]!);
    });
  }
  return streams.map((last) => end(file, last));
}

function streamCount(file: ReferenceFile): number {
  return file.number('altup.num_inputs', 4);
}

/** x, as long as `other` is. */
function asLongAs(other: Vector, x: Vector): Vector {
  const factor = Math.sqrt(dot(other, other) / dot(x, x));
  return x.map((value) => value * factor);
}

function begin(file: ReferenceFile, x: Vector): Streams {
  const others = streamCount(file) - 1;
  const projected = Array.from({length: others}, (_, i) => file.linearOf('altup_proj', i, others, x));
  return [x, ...projected.map((stream) => asLongAs(x, stream))];
}

function end(file: ReferenceFile, [active, ...others]: Streams): Vector {
  const projected = others.map((x, i) => file.linearOf('altup_unembd_proj', i, others.length, x));
  const all = projected.map((stream) => asLongAs(active!, stream));
  const sum = all.reduce((total, stream) => add(total, stream), active!);
  return sum.map((value) => value / (others.length + 1));
}

function modalities(file: ReferenceFile, name: string, x: Vector): Vector {
  const input = norm(file, `${name}.altup_router_norm`, x).map((value) => value / x.length);
  return file.linear(`${name}.altup_router`, input).map(Math.tanh);
}

/** Each stream plus a mixture of all. */
function predict(file: ReferenceFile, name: string, streams: Streams): Streams {
  const all = file.linear(`${name}.altup_predict_coef`, modalities(file, name, streams[0]!));
  const mixtures = split(all, streams.length);
  return streams.map((stream, i) =>
    streams.reduce((sum, other, j) => add(sum, other, mixtures[i]![j]!), stream),
  );
}

/** What the layer has changed of its stream changes all. */
function correct(file: ReferenceFile, name: string, predicted: Streams, changed: Vector): Streams {
  const coefficients = file.linear(`${name}.altup_correct_coef`, modalities(file, name, changed));
  const innovation = add(changed, predicted[0]!, -1);
  return predicted.map((stream, i) => add(stream, innovation, 1 + coefficients[i]!));
}

/** Adds what the first stream opens of the layer's own embedding to the others. */
function open(file: ReferenceFile, name: string, [active, ...others]: Streams, own: Vector): Streams {
  const scale = file.tensor(`${name}.altup_correct_scale.weight`);
  const input = active!.map((value, i) => value * scale[i]!);
  const opened = file.linear(`${name}.inp_gate`, input).map((value, i) => gelu(value) * own[i]!);
  const added = norm(file, `${name}.post_norm`, file.linear(`${name}.proj`, opened));
  return [active!, ...others.map((stream) => add(stream, added))];
}

function laurel(file: ReferenceFile, name: string, x: Vector): Vector {
  const low = file.linear(`${name}.laurel_l`, x);
  return add(x, norm(file, `${name}.laurel_post_norm`, file.linear(`${name}.laurel_r`, low)));
}

function network(file: ReferenceFile, layer: number, x: Vector): Vector {
  const name = `blk.${layer}`;
  const up = file.linear(`${name}.ffn_up`, x);
  const gate = cut(file, layer, file.linear(`${name}.ffn_gate`, x)).map((value, i) => gelu(value) * up[i]!);
  return norm(file, `${name}.post_ffw_norm`, file.linear(`${name}.ffn_down`, gate));
}

/** The first ten layers, or those that the file says, keep about the highest 5 % of a normal distribution. */
function cut(file: ReferenceFile, layer: number, gate: Vector): Vector {
  const quantile = file.hasKey('activation_sparsity_scale')
    ? file.perLayer('activation_sparsity_scale', layer)
    : [1.6448536269514722, -Infinity][layer < 10 ? 0 : 1]!;
  if (quantile === -Infinity) return gate;
  const mean = gate.reduce((sum, value) => sum + value, 0) / gate.length;
  const squares = gate.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const cutoff = mean + quantile * Math.sqrt(squares / (gate.length - 1));
  return gate.map((value) => Math.max(0, value - cutoff));
}

/** A token's embeddings for the layers, from a table of its own and from its embedding. */
function ownEmbeddings(file: ReferenceFile, token: number, embedded: Vector): Vector[] {
  const length = file.number('embedding_length_per_layer_input');
  const table = file.row('per_layer_token_embd.weight', token, length * file.number('block_count'));
  const projected = file
    .linear('per_layer_model_proj', embedded)
    .map((value) => value / Math.sqrt(embedded.length));
  const normed = split(projected, length).map((part) => norm(file, 'per_layer_proj_norm', part));
  return split(table, length).map((part, layer) =>
    add(normed[layer]!, part, Math.sqrt(length)).map((value) => value / Math.SQRT2),
  );
}
