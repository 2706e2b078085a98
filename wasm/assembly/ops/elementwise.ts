import {exp4} from './exp';

/** y = a + b, `n` f32 each; y may be a or b. */
export function add(y: usize, a: usize, b: usize, n: i32): void {
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 16) {
    v128.store(y + i, f32x4.add(v128.load(a + i), v128.load(b + i)));
  }
}

/** y = silu(gate) * up = gate / (1 + e^-gate) * up, `n` f32 each; y may be gate. */
export function swiGlu(gate: usize, up: usize, y: usize, n: i32): void {
  for (let i: usize = 0, end = <usize>n << 2; i < end; i += 16) {
    const g = v128.load(gate + i);
    const silu = f32x4.div(g, f32x4.add(f32x4.splat(1), exp4(f32x4.neg(g))));
    v128.store(y + i, f32x4.mul(silu, v128.load(up + i)));
  }
}
