/** The activation functions of feed-forward layers in f64, from their formulas. */

/** Numbers of the functions in the core's ABI, with what they compute. */
export const activations = {
  silu: {kind: 0, of: (x: number): number => x * sigmoid(x)},
  gelu: {kind: 1, of: (x: number): number => x * sigmoid(geluExponent(x))},
  relu: {kind: 2, of: (x: number): number => Math.max(x, 0)},
  'relu squared': {kind: 3, of: (x: number): number => Math.max(x, 0) ** 2},
} as const;

export type ActivationName = keyof typeof activations;

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/**
 * GELU's tanh form 0.5 x (1 + tanh u) is x · sigmoid(2 u), u = √(2 / π) (x + 0.044715 x³)
 * (https://arxiv.org/abs/1606.08415).
 */
export function geluExponent(x: number): number {
  return 2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
}

/** g · sigmoid(alpha g) · (u + 1), g = min(gate, limit), u within ± limit */
export function clampedSwiGlu(gate: number, up: number, alpha: number, limit: number): number {
  const g = Math.min(gate, limit);
  return g * sigmoid(alpha * g) * (Math.min(limit, Math.max(-limit, up)) + 1);
}

export interface XieluParameters {
  readonly alphaN: number;
  readonly alphaP: number;
  readonly beta: number;
  readonly epsilon: number;
}

/** https://arxiv.org/abs/2411.13010 */
export function xielu(x: number, {alphaN, alphaP, beta, epsilon}: XieluParameters): number {
  if (x > 0) return alphaP * x ** 2 + beta * x;
  return (Math.expm1(Math.min(x, epsilon)) - x) * alphaN + beta * x;
}
