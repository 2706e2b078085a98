import type {ReferenceFile} from './file.ts';
import {layerNorm, rmsNorm, split} from './math.ts';
import type {Vector} from './math.ts';

/** Which of the two norms an architecture has, all of one kind, is seen in its epsilon. */
function normalise(file: ReferenceFile, x: Vector): number[] {
  return file.hasKey('attention.layer_norm_epsilon')
    ? layerNorm(x, file.number('attention.layer_norm_epsilon'))
    : rmsNorm(x, file.number('attention.layer_norm_rms_epsilon'));
}

/** Norm with the weight and the bias of that name, as far as the file has them. */
export function norm(file: ReferenceFile, name: string, x: Vector): Vector {
  // Falcon H1's name of one has no ending.
  const weight = file.optional(`${name}.weight`) ?? file.optional(name);
  const bias = file.optional(`${name}.bias`);
  return normalise(file, x).map((value, i) => value * (weight?.[i] ?? 1) + (bias?.[i] ?? 0));
}

/**
 * Norm of queries or keys, whose weight is as long as a head, shared by all heads; or as long as all heads: then
 * StableLM and Command R normalise each head, and OLMo 2 and MPT all of them as one vector.
 */
export function headNorm(file: ReferenceFile, name: string, x: Vector, headLength: number): Vector {
  if (file.is('olmo2', 'olmoe', 'mpt')) return norm(file, name, x);
  const weight = file.tensor(`${name}.weight`);
  return split(x, headLength).flatMap((head, index) => {
    const own = file.is('stablelm', 'command-r') ? index * headLength : 0;
    return normalise(file, head).map((value, i) => value * weight[own + i]!);
  });
}
