import type {DecoderSpec, FeedForwardSpec} from '../decoder-spec.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {readExperts, readRouting, sharedNetwork, withExperts} from './experts.ts';
import {preNorms} from '../decoder-spec.ts';
import {decoder, denseLayers, firstHeadLength, layerNorm, rmsNorm, sharedNorm} from './parts.ts';
import {readRope} from './rope.ts';

const reluSquared = (): Partial<FeedForwardSpec> => ({activation: 'relu-squared', gated: false});

/** What is a llama but for its name: InternLM 2, Xverse, ERNIE 4.5. */
export function plain(keys: Hyperparameters): DecoderSpec {
  return decoder(keys, 'normal', {layers: denseLayers(keys)});
}

/** Baichuan 7B has rope, the 13B has ALiBi instead; they are told by their number of layers. */
export function baichuan(keys: Hyperparameters): DecoderSpec {
  const {layerCount} = keys;
  if (layerCount === 32) return plain(keys);
  if (layerCount !== 40) throw keys.unsupported('block_count', `${layerCount}: only 32 and 40 are known`);
  const layers = denseLayers(keys, {attention: () => ({rope: null, alibi: 8})});
  return decoder(keys, 'normal', {layers, ropes: []});
}

/** Seed-OSS: the norm of the network has the name of one behind attention. */
export function seedOss(keys: Hyperparameters): DecoderSpec {
  const norms = {...preNorms, feedForward: 'post_attention_norm'};
  return decoder(keys, 'neox', {layers: denseLayers(keys, {norms})});
}

/** Arcee: the square of ReLU, without a gate. */
export function arcee(keys: Hyperparameters): DecoderSpec {
  return decoder(keys, 'normal', {layers: denseLayers(keys, {feedForward: reluSquared})});
}

/** Nemotron and Minitron: the square of ReLU, layer norms, rope over a part of each head. */
export function nemotron(keys: Hyperparameters): DecoderSpec {
  return decoder(keys, 'neox', {
    norm: layerNorm(keys),
    layers: denseLayers(keys, {feedForward: reluSquared}),
  });
}

/** Orion: layer norms. */
export function orion(keys: Hyperparameters): DecoderSpec {
  return decoder(keys, 'neox', {norm: layerNorm(keys), layers: denseLayers(keys)});
}

/** Apertus: xIELU without a gate, norms of heads. */
export function apertus(keys: Hyperparameters): DecoderSpec {
  const queryKeyNorm = {...rmsNorm(keys), over: 'head'} as const;
  const [alphaN, alphaP, beta, epsilon] = ['alpha_n', 'alpha_p', 'beta', 'eps'].map((name) =>
    keys.sharedRealPerLayer(`xielu.${name}`),
  );
  return decoder(keys, 'neox', {
    layers: denseLayers(keys, {
      attention: () => ({queryKeyNorm}),
      feedForward: (layer) => ({
        gated: false,
        activation: {
          alphaN: alphaN?.[layer] ?? NaN,
          alphaP: alphaP?.[layer] ?? NaN,
          beta: beta?.[layer] ?? NaN,
          epsilon: epsilon?.[layer] ?? NaN,
        },
      }),
    }),
  });
}

/** BitNet b1.58: norms also inside of both blocks. */
export function bitnet(keys: Hyperparameters): DecoderSpec {
  const norm = rmsNorm(keys);
  return decoder(keys, 'neox', {
    layers: denseLayers(keys, {
      attention: () => ({outputNorm: norm}),
      feedForward: () => ({innerNorm: norm}),
    }),
  });
}

/** Hunyuan dense: heads are normalised behind the rope, whose base the file may give as a stretch of another one. */
export function hunyuan(keys: Hyperparameters): DecoderSpec {
  if (keys.count('expert_count', 0) > 1) throw keys.unsupported('expert_count', 'is not supported');
  const queryKeyNorm = {...rmsNorm(keys), over: 'head', afterRope: true} as const;
  const layers = denseLayers(keys, {attention: () => ({queryKeyNorm})});
  const headLength = firstHeadLength(layers);
  const rope = readRope(keys, 'neox', headLength);
  const alpha = keys.real('rope.scaling.alpha', 0);
  // As in NTK scaling; 0 stands for none. Rounded, as the last bits of a power are the engine's choice.
  const stretch = alpha > 0 ? alpha ** (headLength / (headLength - 2)) : 1;
  return decoder(keys, 'neox', {layers, ropes: [{...rope, base: Math.fround(rope.base * stretch)}]});
}

/** PLaMo 13B: both blocks in parallel. */
export function plamo(keys: Hyperparameters): DecoderSpec {
  return decoder(keys, 'neox', {layers: denseLayers(keys, {parallel: true, norms: sharedNorm})});
}

/** OpenELM: numbers of heads and lengths of networks that grow with the layers, norms of heads. */
export function openelm(keys: Hyperparameters): DecoderSpec {
  const queryKeyNorm = {...rmsNorm(keys), over: 'head'} as const;
  return decoder(keys, 'neox', {layers: denseLayers(keys, {attention: () => ({queryKeyNorm})})});
}

/** ERNIE 4.5 with experts in some layers. */
export function ernieMoe(keys: Hyperparameters): DecoderSpec {
  const leading = keys.count('leading_dense_block_count', 0);
  const step = keys.positive('interleave_moe_layer_step', {fallback: 1});
  const shared = keys.count('expert_shared_feed_forward_length', 0);
  const experts = readExperts(keys, sharedNetwork(shared));
  const isDense = (layer: number): boolean => layer < leading || (layer + 1) % step !== 0;
  return decoder(keys, 'normal', {layers: withExperts(denseLayers(keys), experts, isDense)});
}

/** DeepSeek MoE 16B, the first of the family. */
export function deepseek(keys: Hyperparameters): DecoderSpec {
  const leading = keys.count('leading_dense_block_count');
  const length = keys.positive('expert_feed_forward_length');
  const experts = readExperts(keys, {
    normalised: false,
    scale: keys.real('expert_weights_scale') || 1,
    ...sharedNetwork(length * keys.count('expert_shared_count', 0)),
  });
  const layers = withExperts(denseLayers(keys), experts, (layer) => layer < leading);
  return decoder(keys, 'normal', {layers});
}

/** GLM 4.5 and what followed: heads may be normalised, the network's norm has the name of one behind attention. */
export function glm4moe(keys: Hyperparameters): DecoderSpec {
  const leading = keys.count('leading_dense_block_count', 0);
  const count = keys.layerCount - keys.count('nextn_predict_layers', 0);
  const queryKeyNorm = {...rmsNorm(keys), over: 'head'} as const;
  const isNormalised = keys.hasTensor('blk.0.attn_q_norm.weight');
  const experts = readExperts(keys, {
    ...readRouting(keys, 'sigmoid'),
    ...sharedNetwork(keys.positive('expert_feed_forward_length') * keys.count('expert_shared_count', 0)),
  });
  const layers = denseLayers(keys, {
    norms: {...preNorms, feedForward: 'post_attention_norm'},
    attention: () => (isNormalised ? {queryKeyNorm} : {}),
  });
  return decoder(keys, 'neox', {
    layers: withExperts(layers.slice(0, count), experts, (layer) => layer < leading),
    ignoredTensors: layers.slice(count).map((_, index) => `blk.${count + index}.`),
  });
}
