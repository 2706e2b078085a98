import type {TensorInput} from '../write-gguf.ts';
import type {Complete, TinyStreams} from './recipe.ts';
import type {TensorMaker} from './tensor-maker.ts';

/** What a model of several residual streams has beside its layers. */
export function streamTensors(
  {embedding, layers}: Complete,
  {count, perLayer}: TinyStreams,
  vocabularySize: number,
  make: TensorMaker,
): TensorInput[] {
  return [
    ...make.matrix('altup_proj', embedding, embedding, 1, count - 1),
    ...make.matrix('altup_unembd_proj', embedding, embedding, 1, count - 1),
    // Times the root of their length, each layer's own embedding is about as large as one.
    ...make.matrix('per_layer_token_embd', perLayer * layers, vocabularySize, Math.sqrt(layers)),
    ...make.matrix('per_layer_model_proj', embedding, perLayer * layers),
    ...make.norm('per_layer_proj_norm', perLayer),
  ];
}

/** How much streams are mixed: enough to show, and not so much that rounding grows with every layer. */
const mixtureGain = 0.1;

/** @param name prefix of the layer's tensors */
export function layerStreamTensors(
  {embedding}: Complete,
  {count, perLayer, laurelRank}: TinyStreams,
  name: string,
  make: TensorMaker,
): TensorInput[] {
  return [
    ...make.matrix(`${name}.inp_gate`, embedding, perLayer),
    ...make.matrix(`${name}.proj`, perLayer, embedding),
    ...make.norm(`${name}.post_norm`, embedding),
    // What it is multiplied with has been divided by the length of the embedding.
    ...make.matrix(`${name}.altup_router`, embedding, count, embedding),
    ...make.norm(`${name}.altup_router_norm`, embedding),
    ...make.matrix(`${name}.altup_predict_coef`, count, count ** 2, mixtureGain),
    ...make.matrix(`${name}.altup_correct_coef`, count, count, mixtureGain),
    make.weight(`${name}.altup_correct_scale.weight`, [embedding]),
    ...make.matrix(`${name}.laurel_l`, embedding, laurelRank),
    ...make.matrix(`${name}.laurel_r`, laurelRank, embedding),
    ...make.norm(`${name}.laurel_post_norm`, embedding),
  ];
}
