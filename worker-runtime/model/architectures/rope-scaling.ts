import {GgufError} from '../../errors.ts';
import type {Metadata} from '../../gguf/metadata.ts';
import type {RopeScaling} from '../decoder-spec.ts';
import {positive, positiveReal} from './keys.ts';

/**
 * The `<architecture>.rope.scaling.*` keys, with the defaults that GGUF readers agree on.
 *
 * @throws {GgufError} `unsupported-feature` for a kind that the decoder does not have, `gguf-metadata` for a bad factor
 */
export function readRopeScaling(metadata: Metadata, architecture: string): RopeScaling {
  const prefix = `${architecture}.rope.scaling`;
  // Files from before GGUF 2's scaling keys have only the linear factor.
  const legacyKey = `${architecture}.rope.scale_linear`;
  const legacy = metadata.number(legacyKey, 1);
  const kind = metadata.string(`${prefix}.type`, legacy === 1 ? 'none' : 'linear');
  const factor = metadata.number(`${prefix}.factor`, legacy);
  switch (kind) {
    case 'none':
      return {kind};
    case 'linear':
      return factor === 1 ? {kind: 'none'} : {kind, factor: checkFactor(factor, `${prefix}.factor`)};
    case 'yarn':
      return {
        kind,
        factor: checkFactor(factor, `${prefix}.factor`),
        originalContextLength: positive(metadata, `${prefix}.original_context_length`, {
          fallback: metadata.number(`${architecture}.context_length`),
          largest: 2 ** 32 - 1,
        }),
        extrapolationFactor: metadata.number(`${prefix}.yarn_ext_factor`, 1),
        attentionFactor: metadata.number(
          `${prefix}.yarn_attn_factor`,
          metadata.number(`${prefix}.attn_factor`, 1),
        ),
        betaFast: positiveReal(metadata, `${prefix}.yarn_beta_fast`, 32),
        betaSlow: positiveReal(metadata, `${prefix}.yarn_beta_slow`, 1),
      };
    default:
      throw new GgufError('unsupported-feature', `${prefix}.type "${kind}" is not supported`, {
        field: `${prefix}.type`,
      });
  }
}

function checkFactor(factor: number, key: string): number {
  if (Number.isFinite(factor) && factor > 0) return factor;
  throw new GgufError('gguf-metadata', `${key} must be finite and positive, not ${factor}`, {field: key});
}
