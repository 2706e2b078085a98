/** RWKV-7 (https://arxiv.org/abs/2503.14456): layers whose blocks look one token back, and a memory for each head. */
import type {ReferenceFile} from './file.ts';
import {add, dot, layerNorm, multiply, sigmoid, split, squaredRelu} from './math.ts';
import type {Vector} from './math.ts';
import {norm} from './norms.ts';

/** All layers, from the embeddings of a text's tokens. */
export function rwkv7Layers(file: ReferenceFile, embedded: readonly Vector[]): Vector[] {
  let hidden = [...embedded];
  let firstValues: readonly Vector[] | undefined;
  for (let layer = 0; layer < file.number('block_count'); layer++) {
    const name = `blk.${layer}`;
    const mixed = timeMix(
      file,
      name,
      hidden.map((x) => norm(file, `${name}.attn_norm`, x)),
      firstValues,
    );
    firstValues ??= mixed.values;
    hidden = hidden.map((x, position) => add(x, mixed.outputs[position]!));
    const fed = channelMix(
      file,
      name,
      hidden.map((x) => norm(file, `${name}.attn_norm_2`, x)),
    );
    hidden = hidden.map((x, position) => add(x, fed[position]!));
  }
  return hidden;
}

/** Each row, by its shares mixed with the row before; before the first one there are zeros. */
function shifted(rows: readonly Vector[], shares: ArrayLike<number>): Vector[] {
  return rows.map((row, position) =>
    row.map((x, i) => (1 - shares[i]!) * x + shares[i]! * (rows[position - 1]?.[i] ?? 0)),
  );
}

interface TimeMixed {
  readonly outputs: readonly Vector[];
  /** Before they are mixed with those of the first layer. */
  readonly values: readonly Vector[];
}

function timeMix(
  file: ReferenceFile,
  name: string,
  inputs: readonly Vector[],
  firstValues: readonly Vector[] | undefined,
): TimeMixed {
  const tensor = (part: string): Float32Array => file.tensor(`${name}.time_mix_${part}`);
  const product = (part: string, x: Vector): number[] => multiply(tensor(`${part}.weight`), x);
  const [r, w, k, v, a, g] = split([...tensor('lerp_fused.weight')], inputs[0]!.length).map((shares) =>
    shifted(inputs, shares),
  );
  const values = v!.map((x) => product('value', x));
  const headLength = file.number('wkv.head_size');
  const perHead = (row: Vector): Vector[] => split(row, headLength);
  // For each head: rows are values, columns keys.
  const memories = perHead(inputs[0]!).map(() =>
    Array.from({length: headLength}, () => new Array<number>(headLength).fill(0)),
  );
  const outputs = inputs.map((_, position) => {
    const receptance = product('receptance', r![position]!);
    const key = product('key', k![position]!);
    const logDecay = add(product('w2', product('w1', w![position]!).map(Math.tanh)), tensor('w0.weight'));
    const decay = logDecay.map((x) => Math.exp(-0.606531 * sigmoid(x)));
    const rate = add(product('a2', product('a1', a![position]!)), tensor('a0.weight')).map(sigmoid);
    const gate = product('g2', product('g1', g![position]!).map(sigmoid));
    const value = firstValues
      ? mixedValues(firstValues[position]!, values[position]!, v![position]!)
      : values[position]!;
    const removed = perHead(key.map((x, i) => x * tensor('k_k.weight')[i]!)).flatMap(unit);
    const stored = key.map((x, i) => x * (1 - tensor('k_a.weight')[i]! * (1 - rate[i]!)));
    const heads = memories.map((memory, head) => {
      const own = (row: Vector): Vector => perHead(row)[head]!;
      memories[head] = memory.map((old, i) => {
        const recalled = dot(old, own(removed));
        return old.map(
          (x, j) =>
            x * own(decay)[j]! -
            recalled * own(removed)[j]! * own(rate)[j]! +
            own(value)[i]! * own(stored)[j]!,
        );
      });
      return memories[head].map((row) => dot(row, own(receptance)));
    });
    const normed = heads
      .flatMap((head) => layerNorm(head, 64e-5))
      .map((x, i) => x * tensor('ln.weight')[i]! + tensor('ln.bias')[i]!);
    const weighted = stored.map((x, i) => x * tensor('r_k.weight')[i]!);
    const bonus = perHead(weighted).flatMap((row, head) => {
      const factor = dot(row, perHead(receptance)[head]!);
      return perHead(value)[head]!.map((x) => x * factor);
    });
    return product(
      'output',
      add(normed, bonus).map((x, i) => x * gate[i]!),
    );
  });
  return {outputs, values};

  function mixedValues(first: Vector, own: Vector, input: Vector): Vector {
    const shares = add(product('v2', product('v1', input)), tensor('v0.weight')).map(sigmoid);
    return own.map((x, i) => (1 - shares[i]!) * x + shares[i]! * first[i]!);
  }
}

function unit(x: Vector): Vector {
  const length = Math.max(Math.sqrt(dot(x, x)), 1e-12);
  return x.map((value) => value / length);
}

function channelMix(file: ReferenceFile, name: string, inputs: readonly Vector[]): Vector[] {
  const shares = file.tensor(`${name}.channel_mix_lerp_k.weight`);
  return shifted(inputs, shares).map((x) => {
    const hidden = multiply(file.tensor(`${name}.channel_mix_key.weight`), x).map(squaredRelu);
    return multiply(file.tensor(`${name}.channel_mix_value.weight`), hidden);
  });
}
