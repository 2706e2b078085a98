import type {RopeScaling, RopeSpec} from '../decoder-spec.ts';
import type {Hyperparameters} from './hyperparameters.ts';

/**
 * The `rope.*` keys, with the defaults that GGUF readers agree on.
 *
 * @throws {GgufError} `unsupported-feature` for a kind of scaling that the decoder does not have, `gguf-metadata` for a
 * bad number
 */
export function readRope(keys: Hyperparameters, style: RopeSpec['style'], headLength: number): RopeSpec {
  const dimensions = keys.positive('rope.dimension_count', {fallback: headLength});
  if (dimensions > headLength || dimensions % 2 !== 0) {
    throw keys.refusal('rope.dimension_count', `${dimensions} does not fit heads of ${headLength}`);
  }
  return {
    style,
    dimensions,
    base: keys.positiveReal('rope.freq_base', 10000),
    scaling: readRopeScaling(keys),
    attentionFactor: keys.positiveReal('rope.scaling.attn_factor', 1),
    factorsTensor: factorsTensors(keys).used,
  };
}

const tensors = {
  all: 'rope_freqs.weight',
  long: 'rope_factors_long.weight',
  short: 'rope_factors_short.weight',
} as const;

/**
 * Divisors of the frequencies. LongRoPE has some for contexts up to the original length, and others for longer ones: the
 * length of the context that the model runs with decides, not that of the prompt.
 */
export function factorsTensors(keys: Hyperparameters): {
  readonly used: string | null;
  readonly unused: readonly string[];
} {
  const {all, long, short} = tensors;
  const isLong = keys.hasTensor(long) && keys.contextLength > keys.originalContextLength;
  const used = [all, isLong ? long : short].find((tensor) => keys.hasTensor(tensor)) ?? null;
  return {used, unused: [long, short].filter((tensor) => tensor !== used)};
}

function readRopeScaling(keys: Hyperparameters): RopeScaling {
  // Files from before GGUF 2's scaling keys have only the linear factor.
  const legacy = keys.real('rope.scale_linear', 1);
  const kind = keys.text('rope.scaling.type', 'linear');
  // 0 stands for none.
  const factor = keys.real('rope.scaling.factor', legacy) || 1;
  if (factor < 0) throw keys.refusal('rope.scaling.factor', `must be finite and positive, not ${factor}`);
  switch (kind) {
    case 'none':
      return {kind};
    case 'linear':
    // Its factors are those of `factorsTensor`.
    case 'longrope':
      return factor === 1 ? {kind: 'none'} : {kind: 'linear', factor};
    case 'yarn':
      return {
        kind,
        factor,
        originalContextLength: keys.originalContextLength,
        extrapolationFactor: keys.real('rope.scaling.yarn_ext_factor', 1),
        betaFast: keys.positiveReal('rope.scaling.yarn_beta_fast', 32),
        betaSlow: keys.positiveReal('rope.scaling.yarn_beta_slow', 1),
      };
    default:
      throw keys.unsupported('rope.scaling.type', `"${kind}" is not supported`);
  }
}
