import type {ReferenceFile} from './file.ts';
import {add, sigmoid, silu, softmax} from './math.ts';
import type {Vector} from './math.ts';

interface Choice {
  readonly expert: number;
  readonly weight: number;
}

/** Σ weight · expert(x) over the chosen experts, and what the network for all tokens gives. */
export function experts(file: ReferenceFile, layer: number, x: Vector): Vector {
  const name = `blk.${layer}`;
  const nothing: Vector = x.map(() => 0);
  const sum = choose(file, name, x).reduce(
    (total, {expert, weight}) => add(total, expertOutput(file, name, expert, x), weight),
    nothing,
  );
  if (!file.hasTensor(`${name}.ffn_up_shexp.weight`)) return sum;
  const up = file.linear(`${name}.ffn_up_shexp`, x);
  const hidden = file.linear(`${name}.ffn_gate_shexp`, x).map((value, i) => silu(value) * up[i]!);
  const gate = `${name}.ffn_gate_inp_shexp`;
  const open = file.hasTensor(`${gate}.weight`) ? sigmoid(file.linear(gate, x)[0]!) : 1;
  return add(sum, file.linear(`${name}.ffn_down_shexp`, hidden), open);
}

function choose(file: ReferenceFile, name: string, x: Vector): Choice[] {
  const scores = file.linear(`${name}.ffn_gate_inp`, x);
  const probabilities = probabilitiesOf(file, scores);
  const bias = file.optional(`${name}.exp_probs_b.bias`);
  const wanted = inBestGroups(
    file,
    probabilities.map((value, expert) => value + (bias?.[expert] ?? 0)),
  );
  const chosen = largest(wanted, file.number('expert_used_count'));
  const raw = chosen.map((expert) => probabilities[expert]!);
  const weights = file.is('gpt-oss') ? softmax(raw) : raw;
  const sum = isNormalised(file) ? weights.reduce((total, weight) => total + weight, 0) : 1;
  const scale = file.is('deepseek', 'glm4moe') ? file.number('expert_weights_scale', 0) || 1 : 1;
  return chosen.map((expert, rank) => ({expert, weight: (weights[rank]! / sum) * scale}));
}

function probabilitiesOf(file: ReferenceFile, scores: Vector): Vector {
  if (file.is('gpt-oss')) return scores;
  // 1: softmax, 2: sigmoid.
  const named = file.is('glm4moe', 'lfm2moe') ? file.number('expert_gating_func', 2) : 1;
  return named === 2 ? scores.map(sigmoid) : softmax(scores);
}

/** Whether the weights of the chosen add up to one. */
function isNormalised(file: ReferenceFile): boolean {
  if (file.is('glm4moe')) return file.flag('expert_weights_norm', false);
  return !file.is('qwen2moe', 'olmoe', 'deepseek', 'gpt-oss');
}

/** Where experts come in groups, those outside of the best groups are out; a group is as good as its two best together. */
function inBestGroups(file: ReferenceFile, scores: Vector): Vector {
  const count = file.number('expert_group_count', 0);
  if (count <= 1) return scores;
  const size = scores.length / count;
  const goodness = Array.from({length: count}, (_, group) => {
    const [first, second] = scores.slice(group * size, (group + 1) * size).sort((a, b) => b - a);
    return first! + second!;
  });
  const best = largest(goodness, file.number('expert_group_used_count'));
  return scores.map((score, expert) => (best.includes(Math.floor(expert / size)) ? score : -Infinity));
}

/** Indices of the largest values. */
function largest(values: Vector, count: number): number[] {
  return [...values.keys()].sort((a, b) => values[b]! - values[a]!).slice(0, count);
}

function expertOutput(file: ReferenceFile, name: string, expert: number, x: Vector): Vector {
  const product = (tensor: string, input: Vector): Vector =>
    file.linearOf(`${name}.${tensor}`, expert, file.number('expert_count'), input);
  const [gate, up] = file.hasTensor(`${name}.ffn_gate_up_exps.weight`)
    ? halves(product('ffn_gate_up_exps', x))
    : [product('ffn_gate_exps', x), product('ffn_up_exps', x)];
  const hidden = gate.map((value, i) =>
    file.is('gpt-oss') ? limitedSwiGlu(value, up[i]!) : silu(value) * up[i]!,
  );
  return product('ffn_down_exps', hidden);
}

function halves(x: Vector): [Vector, Vector] {
  return [x.slice(0, x.length / 2), x.slice(x.length / 2)];
}

/** That of gpt-oss. */
function limitedSwiGlu(gate: number, up: number): number {
  const g = Math.min(gate, 7);
  return g * sigmoid(1.702 * g) * (Math.min(7, Math.max(-7, up)) + 1);
}
