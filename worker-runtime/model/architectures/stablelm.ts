import type {DecoderSpec} from '../decoder-spec.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {decoder, denseLayers, layerNorm, sharedNorm} from './parts.ts';

/** StableLM 2 and 3B: layer norms, rope over a part of each head. The 12B runs both blocks in parallel. */
export function stablelm(keys: Hyperparameters): DecoderSpec {
  const norm = layerNorm(keys);
  const parallel = !keys.hasTensor('blk.0.ffn_norm.weight');
  const normalised = keys.hasTensor('blk.0.attn_q_norm.weight');
  const queryKeyNorm = {...norm, over: 'each-head'} as const;
  return decoder(keys, 'neox', {
    norm,
    layers: denseLayers(keys, {
      attention: () => (normalised ? {queryKeyNorm} : {}),
      ...(parallel && {parallel, norms: sharedNorm}),
    }),
  });
}
