/** Mixers that carry a state from token to token instead of looking back. */
import type {ReferenceFile} from './file.ts';
import {add, dot, multiply, rmsNorm, sigmoid, silu, softplus, split} from './math.ts';
import type {Vector} from './math.ts';

/** Every channel's own sum over the last inputs, the current one last; before the first token there are zeros. */
function convolve(file: ReferenceFile, name: string, inputs: readonly Vector[]): Vector[] {
  const weights = file.tensor(`${name}.weight`);
  const bias = file.optional(`${name}.bias`);
  return inputs.map((current, position) => {
    const length = weights.length / current.length;
    return current.map((_, channel) => {
      let sum = bias?.[channel] ?? 0;
      for (let tap = 0; tap < length; tap++) {
        const input = inputs[position - (length - 1 - tap)];
        sum += weights[channel * length + tap]! * (input?.[channel] ?? 0);
      }
      return sum;
    });
  });
}

/** The short convolutions of LFM2, of inputs that one gate lets in and another lets out. */
export function shortConvolution(file: ReferenceFile, layer: number, inputs: readonly Vector[]): Vector[] {
  const name = `blk.${layer}.shortconv`;
  const parts = inputs.map((x) => split(file.linear(`${name}.in_proj`, x), x.length));
  const entering = parts.map(([into, , x]) => x!.map((value, i) => value * into![i]!));
  return convolve(file, `${name}.conv`, entering).map((row, position) => {
    const out = parts[position]![1]!;
    return file.linear(
      `${name}.out_proj`,
      row.map((value, i) => value * out[i]!),
    );
  });
}

/** https://arxiv.org/abs/2312.00752, section 3 */
export function mamba(file: ReferenceFile, layer: number, inputs: readonly Vector[]): Vector[] {
  const name = `blk.${layer}`;
  const channels = file.number('ssm.inner_size');
  const length = file.number('ssm.state_size');
  const rank = file.number('ssm.time_step_rank');
  const epsilon = file.number('attention.layer_norm_rms_epsilon');
  const isNormed = file.flag('ssm.dt_b_c_rms', false);
  const normed = (x: Vector): Vector => (isNormed ? rmsNorm(x, epsilon) : x);
  const [rates, skip] = [file.tensor(`${name}.ssm_a`), file.tensor(`${name}.ssm_d`)];
  const parts = inputs.map((x) => split(file.linear(`${name}.ssm_in`, x), channels));
  const convolved = convolve(
    file,
    `${name}.ssm_conv1d`,
    parts.map(([x]) => x!),
  ).map((row) => row.map(silu));
  const states = Array.from({length: channels}, () => new Array<number>(length).fill(0));
  return convolved.map((x, position) => {
    const selection = multiply(file.tensor(`${name}.ssm_x.weight`), x);
    const steps = file.linear(`${name}.ssm_dt`, normed(selection.slice(0, rank))).map(softplus);
    const b = normed(selection.slice(rank, rank + length));
    const c = normed(selection.slice(rank + length));
    const scanned = x.map((value, channel) => {
      const step = steps[channel]!;
      const state = states[channel]!.map(
        (old, i) => old * Math.exp(step * rates[channel * length + i]!) + step * b[i]! * value,
      );
      states[channel] = state;
      return dot(c, state) + skip[channel]! * value;
    });
    const gate = parts[position]![1]!;
    return file.linear(
      `${name}.ssm_out`,
      scanned.map((value, i) => value * silu(gate[i]!)),
    );
  });
}

/** https://arxiv.org/abs/2405.21060, section 7: a rate for each head, B and C for groups of heads. */
export function mamba2(file: ReferenceFile, layer: number, inputs: readonly Vector[]): Vector[] {
  const name = `blk.${layer}`;
  const inner = file.number('ssm.inner_size');
  const length = file.number('ssm.state_size');
  const heads = file.number('ssm.time_step_rank');
  const groups = file.number('ssm.group_count');
  const [rates, skip] = [file.tensor(`${name}.ssm_a`), file.tensor(`${name}.ssm_d`)];
  const projected = inputs.map((x) => file.linear(`${name}.ssm_in`, x));
  const mixed = inner + 2 * groups * length;
  const convolved = convolve(
    file,
    `${name}.ssm_conv1d`,
    projected.map((x) => x.slice(inner, inner + mixed)),
  ).map((row) => row.map(silu));
  const states = Array.from({length: inner}, () => new Array<number>(length).fill(0));
  return convolved.map((row, position) => {
    const bs = split(row.slice(inner, inner + groups * length), length);
    const cs = split(row.slice(inner + groups * length), length);
    const steps = add(projected[position]!.slice(inner + mixed), file.tensor(`${name}.ssm_dt.bias`)).map(
      softplus,
    );
    const scanned = row.slice(0, inner).map((value, channel) => {
      const head = Math.floor((channel * heads) / inner);
      const group = Math.floor((head * groups) / heads);
      const [step, b] = [steps[head]!, bs[group]!];
      const state = states[channel]!.map(
        (old, i) => old * Math.exp(step * rates[head]!) + step * b[i]! * value,
      );
      states[channel] = state;
      return dot(cs[group]!, state) + skip[head]! * value;
    });
    const gated = scanned.map((value, i) => value * silu(projected[position]![i]!));
    return file.linear(`${name}.ssm_out`, groupNorm(file, `${name}.ssm_norm.weight`, gated, groups));
  });
}

/** Norm of each group of channels by itself, where the file has one. */
function groupNorm(file: ReferenceFile, name: string, x: Vector, groups: number): Vector {
  const weight = file.optional(name);
  if (!weight) return x;
  const epsilon = file.number('attention.layer_norm_rms_epsilon');
  return split(x, x.length / groups)
    .flatMap((part) => rmsNorm(part, epsilon))
    .map((value, i) => value * weight[i]!);
}

/** Qwen 3 Next has both in one matrix: for each head of keys the strengths of its heads of values, then their decays. */
function decaysAndStrengths(
  file: ReferenceFile,
  name: string,
  group: number,
  x: Vector,
): {readonly alpha: Vector; readonly beta: Vector} {
  if (!file.is('qwen3next')) {
    const [alpha, beta] = ['ssm_alpha', 'ssm_beta'].map((part) =>
      multiply(file.tensor(`${name}.${part}.weight`), x),
    );
    return {alpha: alpha!, beta: beta!};
  }
  const pairs = split(multiply(file.tensor(`${name}.ssm_ba.weight`), x), 2 * group);
  return {
    alpha: pairs.flatMap((pair) => pair.slice(group)),
    beta: pairs.flatMap((pair) => pair.slice(0, group)),
  };
}

/** The gated delta rule (https://arxiv.org/abs/2412.06464): a matrix for each head, corrected where it gives a key another value. */
export function deltaRule(file: ReferenceFile, layer: number, inputs: readonly Vector[]): Vector[] {
  const name = `blk.${layer}`;
  const inner = file.number('ssm.inner_size');
  const heads = file.number('ssm.time_step_rank');
  const keyHeads = file.number('ssm.group_count');
  const keyLength = file.number('ssm.state_size');
  const epsilon = file.number('attention.layer_norm_rms_epsilon');
  const rates = file.tensor(`${name}.ssm_a`);
  const weight = file.tensor(`${name}.ssm_norm.weight`);
  const convolved = convolve(
    file,
    `${name}.ssm_conv1d`,
    inputs.map((x) => file.linear(`${name}.attn_qkv`, x)),
  ).map((row) => row.map(silu));
  const states = Array.from({length: heads}, () =>
    Array.from({length: inner / heads}, () => new Array<number>(keyLength).fill(0)),
  );
  return inputs.map((x, position) => {
    const row = convolved[position]!;
    const unit = (part: Vector): Vector => {
      const size = Math.max(Math.sqrt(dot(part, part)), epsilon);
      return part.map((value) => value / size);
    };
    const queries = split(row.slice(0, keyHeads * keyLength), keyLength).map(unit);
    const keys = split(row.slice(keyHeads * keyLength, 2 * keyHeads * keyLength), keyLength).map(unit);
    const values = split(row.slice(2 * keyHeads * keyLength), inner / heads);
    const {alpha, beta} = decaysAndStrengths(file, name, heads / keyHeads, x);
    const shares = beta.map(sigmoid);
    const steps = add(alpha, file.tensor(`${name}.ssm_dt.bias`));
    const gate = split(file.linear(`${name}.attn_gate`, x), inner / heads);
    const joined = values.flatMap((value, head) => {
      // Heads of values follow one another as often as there are heads of keys; those of Qwen 3 Next share side by side.
      const shared = file.is('qwen3next') ? Math.floor(head / (heads / keyHeads)) : head % keyHeads;
      const [query, key] = [queries[shared]!, keys[shared]!];
      const decay = Math.exp(rates[head]! * softplus(steps[head]!));
      const state = states[head]!.map((stored, i) => {
        const kept = stored.map((old) => old * decay);
        return add(kept, key, shares[head]! * (value[i]! - dot(kept, key)));
      });
      states[head] = state;
      const read = state.map((stored) => dot(stored, query) / Math.sqrt(keyLength));
      return rmsNorm(read, epsilon).map((y, i) => y * weight[i]! * silu(gate[head]![i]!));
    });
    return file.linear(`${name}.ssm_out`, joined);
  });
}
