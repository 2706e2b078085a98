/** Formulas in plain f64. */

export type Vector = readonly number[];

/** y = W x, where W is row-major `(rows, x.length)`. */
export function multiply(weights: Float32Array, x: Vector): number[] {
  const columns = x.length;
  return Array.from({length: weights.length / columns}, (_, row) => {
    let sum = 0;
    for (let i = 0, at = row * columns; i < columns; i++, at++) sum += weights[at]! * x[i]!;
    return sum;
  });
}

export function dot(a: Vector, b: Vector): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}

/** a + b · factor */
export function add(a: Vector, b: ArrayLike<number>, factor = 1): number[] {
  return a.map((value, i) => value + b[i]! * factor);
}

/** x / √(mean(x²) + epsilon) */
export function rmsNorm(x: Vector, epsilon: number): number[] {
  const divisor = Math.sqrt(dot(x, x) / x.length + epsilon);
  return x.map((value) => value / divisor);
}

/** (x − mean) / √(variance + epsilon) */
export function layerNorm(x: Vector, epsilon: number): number[] {
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  return rmsNorm(
    x.map((value) => value - mean),
    epsilon,
  );
}

export function softmax(x: Vector): number[] {
  const largest = Math.max(...x);
  const powers = x.map((value) => Math.exp(value - largest));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/** cap · tanh(x / cap); `cap` 0: x. */
export function softCap(x: number, cap: number): number {
  return cap === 0 ? x : cap * Math.tanh(x / cap);
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

export function silu(x: number): number {
  return x / (1 + Math.exp(-x));
}

/** The tanh form. */
export function gelu(x: number): number {
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
}

export function squaredRelu(x: number): number {
  return Math.max(0, x) ** 2;
}

export function softplus(x: number): number {
  return Math.log1p(Math.exp(x));
}

/** https://arxiv.org/abs/2411.13010, with the parameters as they were learnt. */
export function xielu(
  x: number,
  {alphaN, alphaP, beta, epsilon}: Record<'alphaN' | 'alphaP' | 'beta' | 'epsilon', number>,
): number {
  if (x > 0) return softplus(alphaP) * x ** 2 + beta * x;
  return (Math.expm1(Math.min(x, epsilon)) - x) * (beta + softplus(alphaN)) + beta * x;
}

/** Parts of equal length, one after the other. */
export function split(x: Vector, length: number): Vector[] {
  return Array.from({length: x.length / length}, (_, i) => x.slice(i * length, (i + 1) * length));
}
