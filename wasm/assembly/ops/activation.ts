/** Activation functions of feed-forward layers. */
import {exp4} from './exp';

/** Numbers of the functions in the core's ABI. */
type Activation = i32;
/** x / (1 + e^-x) */
const SILU: Activation = 0;
/** The tanh form: x / (1 + e^(-2 u)), u = sqrt(2 / pi) (x + 0.044715 x³). */
const GELU: Activation = 1;
/** max(x, 0); NaN stays. */
const RELU: Activation = 2;
/** max(x, 0)² */
const RELU_SQUARED: Activation = 3;

/** y = activation(x), `n` f32; y may be x. */
export function activate(kind: Activation, x: usize, y: usize, n: i32): void {
  if (kind == SILU) activateAll(SILU, x, y, n);
  else if (kind == GELU) activateAll(GELU, x, y, n);
  else if (kind == RELU) activateAll(RELU, x, y, n);
  else activateAll(RELU_SQUARED, x, y, n);
}

/** y = activation(gate) * up, `n` f32; y may be gate. */
export function activateGate(kind: Activation, gate: usize, up: usize, y: usize, n: i32): void {
  if (kind == SILU) gateAll(SILU, gate, up, y, n);
  else if (kind == GELU) gateAll(GELU, gate, up, y, n);
  else if (kind == RELU) gateAll(RELU, gate, up, y, n);
  else gateAll(RELU_SQUARED, gate, up, y, n);
}

/** y = x / (1 + e^-gate), `n` f32; y may be x or gate. */
export function sigmoidGate(gate: usize, x: usize, y: usize, n: i32): void {
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 16) {
    v128.store(y + i, timesSigmoid(v128.load(x + i), f32x4.neg(v128.load(gate + i))));
  }
}

/**
 * y = g / (1 + e^(-alpha g)) * (u + 1), where g = min(gate, limit) and u = up within [-limit, limit]: the gate of
 * gpt-oss. `n` f32; y may be gate.
 */
export function clampedSwiGlu(gate: usize, up: usize, y: usize, alpha: f32, limit: f32, n: i32): void {
  const high = f32x4.splat(limit), low = f32x4.splat(-limit);
  const one = f32x4.splat(1), slope = f32x4.splat(-alpha);
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 16) {
    const g = f32x4.min(v128.load(gate + i), high);
    const u = f32x4.min(f32x4.max(v128.load(up + i), low), high);
    const activated = f32x4.div(g, f32x4.add(one, exp4(f32x4.mul(g, slope))));
    v128.store(y + i, f32x4.mul(activated, f32x4.add(u, one)));
  }
}

/**
 * xIELU (https://arxiv.org/abs/2411.13010): alphaP x² + beta x where x > 0, else (e^min(x, epsilon) - 1 - x) alphaN
 * + beta x. `n` f32; y may be x.
 */
export function xielu(
  x: usize,
  y: usize,
  n: i32,
  alphaN: f32,
  alphaP: f32,
  beta: f32,
  epsilon: f32,
): void {
  const positive = f32x4.splat(alphaP), negative = f32x4.splat(alphaN);
  const slope = f32x4.splat(beta), most = f32x4.splat(epsilon);
  const one = f32x4.splat(1), zero = f32x4.splat(0);
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 16) {
    const v = v128.load(x + i);
    const above = f32x4.mul(f32x4.mul(v, v), positive);
    const decay = f32x4.sub(f32x4.sub(exp4(f32x4.min(v, most)), one), v);
    const curve = v128.bitselect(above, f32x4.mul(decay, negative), f32x4.gt(v, zero));
    v128.store(y + i, f32x4.add(curve, f32x4.mul(v, slope)));
  }
}

// @ts-ignore: decorator
@inline
function activateAll(kind: Activation, x: usize, y: usize, n: i32): void {
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 16) {
    v128.store(y + i, activated(kind, v128.load(x + i)));
  }
}

// @ts-ignore: decorator
@inline
function gateAll(kind: Activation, gate: usize, up: usize, y: usize, n: i32): void {
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 16) {
    v128.store(y + i, f32x4.mul(activated(kind, v128.load(gate + i)), v128.load(up + i)));
  }
}

/** `kind` is a constant. */
// @ts-ignore: decorator
@inline
function activated(kind: Activation, x: v128): v128 {
  if (kind == SILU) return timesSigmoid(x, f32x4.neg(x));
  if (kind == GELU) {
    const cubic = f32x4.add(f32x4.splat(1), f32x4.mul(f32x4.mul(x, x), f32x4.splat(0.044715)));
    return timesSigmoid(x, f32x4.mul(f32x4.mul(x, cubic), f32x4.splat(-1.5957691216)));
  }
  const positive = f32x4.max(x, f32x4.splat(0));
  return kind == RELU ? positive : f32x4.mul(positive, positive);
}

/** x / (1 + e^exponent) */
// @ts-ignore: decorator
@inline
function timesSigmoid(x: v128, exponent: v128): v128 {
  return f32x4.div(x, f32x4.add(f32x4.splat(1), exp4(exponent)));
}
