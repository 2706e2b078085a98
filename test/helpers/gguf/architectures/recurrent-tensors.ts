import type {TensorInput} from '../write-gguf.ts';
import type {TinyDeltaRule, TinyMamba, TinyMamba2, TinyMixer, TinyTimeMix} from './recipe.ts';
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
    case 'time-mix':
      return [
        ...timeMixTensors(mixer, embedding, `${name}.time_mix`, make),
        ...channelMixTensors(mixer, embedding, `${name}.channel_mix`, make),
      ];
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

/** The first layer has what mixes values, too, as converters write it: it is of no use there. */
function timeMixTensors(
  {ranks}: TinyTimeMix,
  embedding: number,
  name: string,
  make: TensorMaker,
): TensorInput[] {
  return [
    make.vector(`${name}_lerp_fused.weight`, [embedding, 1, 1, 6], 0.5, 0.4),
    ...['receptance', 'key', 'value', 'output'].flatMap((part) =>
      make.matrix(`${name}_${part}`, embedding, embedding),
    ),
    ...['w', 'a', 'v', 'g'].flatMap((letter, index) => [
      // Gates have no summand.
      ...(letter === 'g' ? [] : [make.vector(`${name}_${letter}0.weight`, [embedding], 0, 1.5)]),
      ...make.matrix(`${name}_${letter}1`, embedding, ranks[index]!),
      ...make.matrix(`${name}_${letter}2`, ranks[index]!, embedding, letter === 'g' ? 1.5 : 1),
    ]),
    ...['k_k', 'k_a', 'r_k'].map((part) => make.weight(`${name}_${part}.weight`, [embedding])),
    make.weight(`${name}_ln.weight`, [embedding]),
    make.bias(`${name}_ln`, [embedding]),
  ];
}

function channelMixTensors(
  {hidden}: TinyTimeMix,
  embedding: number,
  name: string,
  make: TensorMaker,
): TensorInput[] {
  return [
    make.vector(`${name}_lerp_k.weight`, [embedding], 0.5, 0.4),
    ...make.matrix(`${name}_key`, embedding, hidden),
    ...make.matrix(`${name}_value`, hidden, embedding),
  ];
}
