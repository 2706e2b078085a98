import type {DecoderSpec, FeedForwardSpec, LayerNorms} from '../decoder-spec.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {denseLayers, encoder, geluNetwork, layerNorm} from './parts.ts';

/** A norm of the residual stream behind each of the two blocks. */
const sumNorms: LayerNorms = {
  mixer: null,
  mixerOutput: null,
  mixerSum: 'attn_output_norm',
  feedForward: null,
  feedForwardOutput: null,
  feedForwardSum: 'layer_output_norm',
};

/** BERT and what has its shape: MiniLM, BGE, E5, GTE, mxbai, Arctic. Learnt positions, norms behind the sums. */
export function bert(keys: Hyperparameters): DecoderSpec {
  const layers = denseLayers(keys, {
    norms: sumNorms,
    attention: () => ({rope: null}),
    feedForward: geluNetwork,
  });
  return bertLike(keys, {layers, ropes: [], learntPositions: true});
}

/** Nomic Embed: a BERT with rope and SwiGLU. */
export function nomicBert(keys: Hyperparameters): DecoderSpec {
  return bertLike(keys, {layers: denseLayers(keys, {norms: sumNorms})});
}

/** Jina Embeddings 2: a BERT with ALiBi and GeGLU. Not its variant for code. */
export function jinaBert2(keys: Hyperparameters): DecoderSpec {
  const fusedGate = !keys.hasTensor('blk.0.ffn_gate.weight');
  const layers = denseLayers(keys, {
    norms: sumNorms,
    attention: () => ({rope: null, alibi: 8}),
    feedForward: (): Partial<FeedForwardSpec> => ({activation: 'gelu', fusedGate}),
  });
  return bertLike(keys, {layers, ropes: []});
}

/** Jina Embeddings 3, without its adapters: a BERT with rope. */
export function jinaBert3(keys: Hyperparameters): DecoderSpec {
  return bertLike(keys, {layers: denseLayers(keys, {norms: sumNorms, feedForward: geluNetwork})});
}

function bertLike(
  keys: Hyperparameters,
  parts: Partial<DecoderSpec> & Pick<DecoderSpec, 'layers'>,
): DecoderSpec {
  return encoder(keys, {
    norm: layerNorm(keys),
    tokenTypes: keys.rowsOf('token_types.weight'),
    embeddingNorm: 'token_embd_norm',
    outputNorm: null,
    ...parts,
  });
}
