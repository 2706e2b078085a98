import type {TensorInput} from '../write-gguf.ts';
import type {TinyDeltaRule, TinyMamba, TinyMamba2, TinyMixer} from './recipe.ts';
import type {TensorMaker} from './tensor-maker.ts';

/** @param name prefix of the layer's tensors */
export function recurrentTensors(
  mixer: TinyMixer,
  embedding: number,
  name: string,
  make: TensorMaker,
): TensorInput[] {
  switch (mixer.kind) {
    case 'short-convolution':
      return [
        ...make.matrix(`${name}.shortconv.in_proj`, embedding, 3 * embedding),
        ...make.matrix(`${name}.shortconv.conv`, mixer.taps, embedding),
        ...make.matrix(`${name}.shortconv.out_proj`, embedding, embedding),
      ];
    case 'mamba':
      return mambaTensors(mixer, embedding, name, make);
    case 'mamba2':
      return mamba2Tensors(mixer, embedding, name, make);
    case 'delta-rule':
      return deltaRuleTensors(mixer, embedding, name, make);
  }
}

function mambaTensors(
  {inner, state, rank, taps}: TinyMamba,
  embedding: number,
  name: string,
  make: TensorMaker,
): TensorInput[] {
  return [
    ...make.matrix(`${name}.ssm_in`, embedding, 2 * inner),
    ...make.matrix(`${name}.ssm_conv1d`, taps, inner),
    make.bias(`${name}.ssm_conv1d`, [inner]),
    ...make.matrix(`${name}.ssm_x`, inner, rank + 2 * state, 2),
    ...make.matrix(`${name}.ssm_dt`, rank, inner),
    make.bias(`${name}.ssm_dt`, [inner]),
    make.rates(`${name}.ssm_a`, [state, inner]),
    make.weight(`${name}.ssm_d`, [inner]),
    ...make.matrix(`${name}.ssm_out`, inner, embedding),
  ];
}

function mamba2Tensors(
  {inner, state, heads, groups, taps}: TinyMamba2,
  embedding: number,
  name: string,
  make: TensorMaker,
): TensorInput[] {
  const mixed = inner + 2 * groups * state;
  return [
    ...make.matrix(`${name}.ssm_in`, embedding, inner + mixed + heads),
    ...make.matrix(`${name}.ssm_conv1d`, taps, mixed),
    make.bias(`${name}.ssm_conv1d`, [mixed]),
    make.bias(`${name}.ssm_dt`, [heads]),
    make.rates(`${name}.ssm_a`, [1, heads]),
    make.weight(`${name}.ssm_d`, [1, heads]),
    make.weight(`${name}.ssm_norm.weight`, [inner / groups, groups]),
    ...make.matrix(`${name}.ssm_out`, inner, embedding),
  ];
}

function deltaRuleTensors(
  {inner, state, heads, groups, taps, joined = false}: TinyDeltaRule,
  embedding: number,
  name: string,
  make: TensorMaker,
): TensorInput[] {
  const mixed = 2 * groups * state + inner;
  return [
    ...make.matrix(`${name}.attn_qkv`, embedding, mixed),
    ...make.matrix(`${name}.attn_gate`, embedding, inner),
    ...make.matrix(`${name}.ssm_conv1d`, taps, mixed),
    make.bias(`${name}.ssm_dt`, [heads]),
    make.rates(`${name}.ssm_a`, [heads]),
    ...(joined
      ? make.matrix(`${name}.ssm_ba`, embedding, 2 * heads)
      : ['ssm_beta', 'ssm_alpha'].flatMap((part) => make.matrix(`${name}.${part}`, embedding, heads))),
    make.weight(`${name}.ssm_norm.weight`, [inner / heads]),
    ...make.matrix(`${name}.ssm_out`, inner, embedding),
  ];
}
