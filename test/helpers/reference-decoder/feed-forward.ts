import {experts} from './experts.ts';
import type {ReferenceFile} from './file.ts';
import {gelu, silu, squaredRelu, xielu} from './math.ts';
import type {Vector} from './math.ts';
import {norm} from './norms.ts';

const withGelu = [
  'gemma',
  'gemma2',
  'gemma3',
  'phi2',
  'gpt2',
  'gptneox',
  'starcoder2',
  'falcon',
  'mpt',
  'bloom',
];

/** Those whose `ffn_up` begins with the rows of the gate. */
const withGateInUp = ['phi3', 'chatglm', 'glm4'];

/** What the network of a layer adds to the residual stream of a token, from its normed state. */
export function feedForward(file: ReferenceFile, layer: number, x: Vector): Vector {
  const name = `blk.${layer}`;
  if (file.hasTensor(`${name}.ffn_gate_inp.weight`)) return experts(file, layer, x);
  const activate = activation(file, layer);
  const up = file.linear(`${name}.ffn_up`, x);
  const hidden = hiddenLayer(file, name, x, up, activate);
  const inner = file.is('bitnet') ? norm(file, `${name}.ffn_sub_norm`, hidden) : hidden;
  return file.linear(`${name}.ffn_down`, inner);
}

function hiddenLayer(
  file: ReferenceFile,
  name: string,
  x: Vector,
  up: Vector,
  activate: (x: number) => number,
): Vector {
  if (file.hasTensor(`${name}.ffn_gate.weight`)) {
    return file.linear(`${name}.ffn_gate`, x).map((value, i) => activate(value) * up[i]!);
  }
  if (!withGateInUp.includes(file.architecture)) return up.map(activate);
  const length = up.length / 2;
  return up.slice(0, length).map((value, i) => activate(value) * up[length + i]!);
}

function activation(file: ReferenceFile, layer: number): (x: number) => number {
  if (file.is('apertus')) {
    const parameters = {
      alphaN: file.shared('xielu.alpha_n', layer),
      alphaP: file.shared('xielu.alpha_p', layer),
      beta: file.shared('xielu.beta', layer),
      epsilon: file.shared('xielu.eps', layer),
    };
    return (x) => xielu(x, parameters);
  }
  if (file.is('arcee', 'nemotron')) return squaredRelu;
  return withGelu.includes(file.architecture) ? gelu : silu;
}
