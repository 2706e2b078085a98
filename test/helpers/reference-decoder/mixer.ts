import {attention} from './attention.ts';
import type {ReferenceOptions} from './attention.ts';
import type {ReferenceFile} from './file.ts';
import {add} from './math.ts';
import type {Vector} from './math.ts';
import {deltaRule, mamba, mamba2, shortConvolution} from './recurrent.ts';

/** What a layer's mixer adds to the residual stream of each token, from the normed states of all. */
export function mix(
  file: ReferenceFile,
  layer: number,
  inputs: readonly Vector[],
  options: ReferenceOptions,
): Vector[] {
  const has = (tensor: string): boolean => file.hasTensor(`blk.${layer}.${tensor}`);
  if (has('shortconv.conv.weight')) return shortConvolution(file, layer, inputs);
  if (has('ssm_beta.weight') || has('ssm_ba.weight')) return deltaRule(file, layer, inputs);
  if (has('ssm_x.weight')) return mamba(file, layer, inputs);
  if (!has('ssm_in.weight')) return attention(file, layer, inputs, options);
  const scanned = mamba2(file, layer, inputs);
  if (!has('attn_output.weight')) return scanned;
  return attention(file, layer, inputs, options).map((row, position) => add(row, scanned[position]!));
}
