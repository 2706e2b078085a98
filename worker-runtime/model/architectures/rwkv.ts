import type {DecoderSpec, LayerSpec, TimeMixSpec} from '../decoder-spec.ts';
import {preNorms} from '../decoder-spec.ts';
import type {Hyperparameters} from './hyperparameters.ts';
import {decoder, layerNorm} from './parts.ts';

/** Of a head, the kernels take 16 elements at once. */
const headLengthStep = 16;

/** Of what a head recalls; the published models have it as a constant. */
const headNorm = {kind: 'layer', epsilon: 64e-5} as const;

/** RWKV-7 (World, G1): a memory of values by keys for each head, and inputs mixed with those of the token before. */
export function rwkv7(keys: Hyperparameters): DecoderSpec {
  // Both blocks of a layer have a shift.
  keys.require('token_shift_count', 2);
  const lengths = keys.countPerLayer('feed_forward_length');
  const mixer = readTimeMix(keys);
  const layers = lengths.map((length, layer): LayerSpec => {
    if (length === 0) throw keys.refusal('feed_forward_length', 'must be positive, not 0');
    return {
      mixer: layer === 0 ? {...mixer, ranks: {...mixer.ranks, value: 0}} : mixer,
      feedForward: {
        kind: 'channel-mix',
        network: {
          kind: 'dense',
          length,
          activation: 'relu-squared',
          gated: false,
          tensors: {up: 'channel_mix_key', down: 'channel_mix_value'},
        },
      },
      norms: {...preNorms, feedForward: 'attn_norm_2'},
      parallel: false,
    };
  });
  return decoder(keys, 'neox', {
    norm: layerNorm(keys),
    layers,
    ropes: [],
    embeddingNorm: 'token_embd_norm',
    // The first layer has no values to mix its own with; converters write tensors for it all the same.
    ignoredTensors: [0, 1, 2].map((part) => `blk.0.time_mix_v${part}.`),
  });
}

function readTimeMix(keys: Hyperparameters): TimeMixSpec {
  const channels = keys.positive('embedding_length');
  const headLength = keys.positive('wkv.head_size');
  if (channels % headLength !== 0) {
    const what = `${headLength} does not divide ${keys.key('embedding_length')} ${channels}`;
    throw keys.refusal('wkv.head_size', what);
  }
  if (headLength % headLengthStep !== 0) {
    const what = `${headLength}: only multiples of ${headLengthStep} are supported`;
    throw keys.unsupported('wkv.head_size', what);
  }
  const rank = (name: string): number => keys.positive(`attention.${name}_lora_rank`);
  return {
    kind: 'time-mix',
    headCount: channels / headLength,
    headLength,
    ranks: {
      decay: rank('decay'),
      rate: rank('iclr'),
      value: rank('value_residual_mix'),
      gate: rank('gate'),
    },
    norm: headNorm,
  };
}
