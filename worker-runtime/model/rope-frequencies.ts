import type {RopeScaling, RopeSpec} from './decoder-spec.ts';

/** Engine-independent maths: the core's own (`Math.pow` and `Math.log` may differ between engines). */
interface PortableMath {
  pow(x: number, y: number): number;
  log(x: number): number;
}

export interface RopeFrequencies {
  /** Radians a position for each pair: `(dimensions / 2)`. */
  readonly frequencies: Float64Array;
  /** Factor of cosine and sine (YaRN's attention temperature). */
  readonly scale: number;
}

/**
 * Frequencies `base^(-2i/d)`, divided by `factors` where the file has them, then scaled. Linear and YaRN scaling act
 * on the frequency alone, so the angle stays `position · frequency`.
 *
 * @param factors `(dimensions / 2)`: Llama 3.x divisors
 */
export function ropeFrequencies(
  {dimensions, base, scaling, attentionFactor}: RopeSpec,
  factors: Float32Array | null,
  math: PortableMath,
): RopeFrequencies {
  const frequencies = new Float64Array(dimensions / 2);
  const ramp = scaling.kind === 'yarn' ? yarnRamp(scaling, dimensions, base, math) : null;
  for (let pair = 0; pair < frequencies.length; pair++) {
    const frequency = math.pow(base, (-2 * pair) / dimensions) / (factors?.[pair] ?? 1);
    const share = ramp ? ramp(pair) : 0;
    const interpolated = scaling.kind === 'none' ? frequency : frequency / scaling.factor;
    frequencies[pair] = interpolated * (1 - share) + frequency * share;
  }
  return {frequencies, scale: attentionFactor * ropeScale(scaling, math)};
}

/** 0.1 · ln(factor) + 1 keeps the entropy of attention over a context that is stretched; YaRN, section 3.4. */
function ropeScale(scaling: RopeScaling, math: PortableMath): number {
  if (scaling.kind !== 'yarn' || scaling.extrapolationFactor === 0) return 1;
  return 1 + 0.1 * math.log(Math.max(1, scaling.factor));
}

/**
 * YaRN's "NTK by parts": the share of the unscaled frequency for each pair; 1 where a pair turns more than `betaFast`
 * times within the original context, 0 where it turns less than `betaSlow` times, linear between.
 */
function yarnRamp(
  scaling: Extract<RopeScaling, {kind: 'yarn'}>,
  dimensions: number,
  base: number,
  math: PortableMath,
): (pair: number) => number {
  const {originalContextLength, betaFast, betaSlow, extrapolationFactor} = scaling;
  const pairTurning = (turns: number): number =>
    (dimensions * math.log(originalContextLength / (turns * 2 * Math.PI))) / (2 * math.log(base));
  const low = Math.max(0, Math.floor(pairTurning(betaFast)));
  const high = Math.min(dimensions - 1, Math.ceil(pairTurning(betaSlow)));
  return (pair) => {
    const position = (pair - low) / Math.max(0.001, high - low);
    return (1 - Math.min(1, Math.max(0, position))) * extrapolationFactor;
  };
}
