import {preNorms} from '../decoder-spec.ts';
import type {DecoderSpec} from '../decoder-spec.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {denseLayers, encoder, firstHeadLength, layerNorm, symmetricWindow, windowPattern} from './parts.ts';
import {readRope} from './rope.ts';

/**
 * ModernBERT: norms before the blocks, GeGLU, two layers with a window in both directions and a rope of their own to one
 * without. The first layer takes the normed embeddings as they are.
 */
export function modernBert(keys: Hyperparameters): DecoderSpec {
  const window = symmetricWindow(keys.count('attention.sliding_window', 0));
  const pattern = 'attention.sliding_window_pattern';
  const windowed = keys.flagPerLayer(pattern) ?? windowPattern(keys.layerCount, keys.count(pattern, 3), true);
  const isWindowed = (layer: number): boolean => window > 0 && windowed[layer] === true;
  const layers = denseLayers(keys, {
    attention: (layer) => (isWindowed(layer) ? {window, rope: 1} : {}),
    feedForward: () => ({activation: readActivation(keys), fusedGate: true}),
  });
  const norms = keys.hasTensor('blk.0.attn_norm.weight') ? preNorms : {...preNorms, mixer: null};
  const rope = readRope(keys, 'neox', firstHeadLength(layers));
  const base = keys.positiveReal('rope.freq_base_swa', 10000);
  return encoder(keys, {
    norm: layerNorm(keys),
    layers: layers.map((layer, index) => (index === 0 ? {...layer, norms} : layer)),
    ropes: [rope, {...rope, base, scaling: {kind: 'none'}, factorsTensor: null}],
    embeddingNorm: 'token_embd_norm',
  });
}

function readActivation(keys: Hyperparameters): 'gelu' | 'silu' {
  const name = keys.text('hidden_act', 'gelu');
  if (name === 'gelu' || name === 'silu') return name;
  throw keys.unsupported('hidden_act', `"${name}" is not supported`);
}
