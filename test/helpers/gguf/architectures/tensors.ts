import type {TensorInput} from '../write-gguf.ts';
import {at, headLengthOf} from './recipe.ts';
import type {Complete, TinyExperts, TinyLatent} from './recipe.ts';
import {recurrentTensors} from './recurrent-tensors.ts';
import {layerStreamTensors, streamTensors} from './stream-tensors.ts';
import {TensorMaker} from './tensor-maker.ts';

/** All tensors of a file. */
export function tensorsOf(recipe: Complete, vocabularySize: number): TensorInput[] {
  const {embedding, tied, gain, layers, streams, tensors = {}} = recipe;
  const make = new TensorMaker(recipe);
  // An embedding that is not the output matrix can be about as large as what the layers add to it.
  const embeddingGain = tied ? gain : Math.sqrt(embedding / 3);
  return [
    ...make.matrix('token_embd', embedding, vocabularySize, embeddingGain),
    ...Array.from({length: layers}, (_, layer) => layerTensors(recipe, layer, make)).flat(),
    ...(streams ? streamTensors(recipe, streams, vocabularySize, make) : []),
    ...make.norm(recipe.outputNorm, embedding),
    ...(tied ? [] : make.matrix('output', embedding, vocabularySize, gain)),
    ...Object.entries(tensors).map(([name, tensor]) => ({name, type: 'F32', ...tensor}) as const),
  ];
}

function layerTensors(recipe: Complete, index: number, make: TensorMaker): TensorInput[] {
  const {embedding, norms, vectors, experts, streams} = recipe;
  const name = `blk.${index}`;
  const hasExperts = experts !== undefined && (experts.layers?.includes(index) ?? true);
  return [
    ...norms.flatMap((norm) => make.norm(`${name}.${norm}`, embedding)),
    ...mixerTensors(recipe, index, make),
    ...(hasExperts ? expertTensors(experts, embedding, name, make) : networkTensors(recipe, index, make)),
    ...(streams ? layerStreamTensors(recipe, streams, name, make) : []),
    ...Object.entries(vectors?.(index) ?? {}).map(([vector, length]) =>
      make.weight(`${name}.${vector}`, [length]),
    ),
  ];
}

function mixerTensors(recipe: Complete, index: number, make: TensorMaker): TensorInput[] {
  const mixer = recipe.mixer?.(index);
  if (!mixer) return attentionTensors(recipe, index, make);
  const own = recurrentTensors(mixer, recipe.embedding, `blk.${index}`, make);
  const isBeside = mixer.kind === 'mamba2' && mixer.besideAttention;
  return isBeside ? [...own, ...attentionTensors(recipe, index, make)] : own;
}

/** Queries and keys are so long that attention prefers some positions clearly. */
const queryKeyGain = 1.4;

function attentionTensors(recipe: Complete, index: number, make: TensorMaker): TensorInput[] {
  const {embedding, fusedQkv, queryKeyNorm, gatedHeads, latent} = recipe;
  const name = `blk.${index}`;
  if (latent) return latentTensors(recipe, latent, index, make);
  const length = headLengthOf(recipe);
  const [heads, headsKv] = [at(recipe.heads, index), at(recipe.headsKv, index)];
  const norm = (tensor: string, count: number): TensorInput[] => {
    if (!queryKeyNorm) return [];
    const shape = {head: [length], 'each-head': [length, count], whole: [length * count]}[queryKeyNorm];
    return [make.weight(`${name}.${tensor}.weight`, shape)];
  };
  return [
    ...(fusedQkv
      ? make.matrix(`${name}.attn_qkv`, embedding, (heads + 2 * headsKv) * length, queryKeyGain)
      : [
          ...make.matrix(`${name}.attn_q`, embedding, heads * length * (gatedHeads ? 2 : 1), queryKeyGain),
          ...make.matrix(`${name}.attn_k`, embedding, headsKv * length, queryKeyGain),
          ...make.matrix(`${name}.attn_v`, embedding, headsKv * length),
        ]),
    ...norm('attn_q_norm', heads),
    ...norm('attn_k_norm', headsKv),
    ...make.matrix(`${name}.attn_output`, heads * length, embedding),
  ];
}

function latentTensors(
  recipe: Complete,
  {queryRank, keyValueRank, turned, value}: TinyLatent,
  index: number,
  make: TensorMaker,
): TensorInput[] {
  const {embedding} = recipe;
  const name = `blk.${index}`;
  const [heads, length] = [at(recipe.heads, index), headLengthOf(recipe)];
  return [
    ...make.matrix(`${name}.attn_q_a`, embedding, queryRank),
    ...make.norm(`${name}.attn_q_a_norm`, queryRank),
    ...make.matrix(`${name}.attn_q_b`, queryRank, heads * length, queryKeyGain),
    ...make.matrix(`${name}.attn_kv_a_mqa`, embedding, keyValueRank + turned, queryKeyGain),
    ...make.norm(`${name}.attn_kv_a_norm`, keyValueRank),
    ...make.matrix(`${name}.attn_kv_b`, keyValueRank, heads * (length - turned + value)),
    ...make.matrix(`${name}.attn_output`, heads * value, embedding),
  ];
}

function networkTensors(recipe: Complete, index: number, make: TensorMaker): TensorInput[] {
  const {embedding, network} = recipe;
  const name = `blk.${index}`;
  const length = at(recipe.feedForward, index);
  if (network === 'none') return [];
  return [
    ...(network === 'gated' ? make.matrix(`${name}.ffn_gate`, embedding, length) : []),
    ...make.matrix(`${name}.ffn_up`, embedding, network === 'fused' ? 2 * length : length),
    ...make.matrix(`${name}.ffn_down`, length, embedding),
  ];
}

function expertTensors(
  {count, length, merged, choiceBias, shared, sharedGate}: TinyExperts,
  embedding: number,
  name: string,
  make: TensorMaker,
): TensorInput[] {
  return [
    ...make.matrix(`${name}.ffn_gate_inp`, embedding, count),
    ...(choiceBias ? [make.bias(`${name}.exp_probs_b`, [count])] : []),
    ...(merged
      ? make.matrix(`${name}.ffn_gate_up_exps`, embedding, 2 * length, 1, count)
      : [
          ...make.matrix(`${name}.ffn_gate_exps`, embedding, length, 1, count),
          ...make.matrix(`${name}.ffn_up_exps`, embedding, length, 1, count),
        ]),
    ...make.matrix(`${name}.ffn_down_exps`, length, embedding, 1, count),
    ...(shared
      ? [
          ...make.matrix(`${name}.ffn_gate_shexp`, embedding, shared),
          ...make.matrix(`${name}.ffn_up_shexp`, embedding, shared),
          ...make.matrix(`${name}.ffn_down_shexp`, shared, embedding),
        ]
      : []),
    ...(sharedGate ? make.matrix(`${name}.ffn_gate_inp_shexp`, embedding, 1) : []),
  ];
}
