/**
 * Products of F32, F16 and BF16 weights with f32 activations. Layout of the weights: formats/floats.ts.
 *
 * Every result is one chain `sum = sum + weight * activation`, columns ascending, in all kernels. Activations are the row itself for
 * one token, (columns, 4 tokens) for a tile. For tiles, a group of 16-bit weights is first widened to f32, once for all tokens.
 */
import {Format, F16, F32} from '../formats/format';
import {loadBF16x4, loadF16x4} from '../formats/f16';

/** Four weights of type `T`: f32 as it is, f16 for u16, bf16 for i16. */
// @ts-ignore: decorator
@inline
function load4<T>(pointer: usize): v128 {
  if (isFloat<T>()) return v128.load(pointer);
  return isSigned<T>() ? loadBF16x4(pointer) : loadF16x4(pointer);
}

// @ts-ignore: decorator
@inline
function vector<T>(weights: usize, x: usize, y: usize, columns: i32): void {
  let f0 = f32x4.splat(0), f1 = f0, f2 = f0, f3 = f0;
  const end = x + (<usize>columns << 2);
  while (x < end) {
    const k = v128.load32_splat(x);
    f0 = f32x4.add(f0, f32x4.mul(load4<T>(weights), k));
    f1 = f32x4.add(f1, f32x4.mul(load4<T>(weights + 4 * sizeof<T>()), k));
    f2 = f32x4.add(f2, f32x4.mul(load4<T>(weights + 8 * sizeof<T>()), k));
    f3 = f32x4.add(f3, f32x4.mul(load4<T>(weights + 12 * sizeof<T>()), k));
    weights += 16 * sizeof<T>();
    x += 4;
  }
  v128.store(y, f0);
  v128.store(y, f1, 16);
  v128.store(y, f2, 32);
  v128.store(y, f3, 48);
}

/** One group of 16 rows with one token: 16 f32 at `y`. */
export function floatsVector(format: Format, weights: usize, x: usize, y: usize, columns: i32): void {
  if (format == F32) vector<f32>(weights, x, y, columns);
  else if (format == F16) vector<u16>(weights, x, y, columns);
  else vector<i16>(weights, x, y, columns);
}

/** A group of F16 or BF16 weights, (columns, 16), as f32 at `out`. */
export function widenGroup(format: Format, weights: usize, columns: i32, out: usize): void {
  const end = out + (<usize>columns << 6);
  while (out < end) {
    v128.store(out, format == F16 ? loadF16x4(weights) : loadBF16x4(weights));
    weights += 8;
    out += 16;
  }
}

/** 8 rows of a group of f32 weights with a tile of 4 tokens. */
export function floatsTile(weights: usize, x: usize, y: usize, columns: i32, yStride: usize): void {
  let f0 = f32x4.splat(0), f1 = f0, f2 = f0, f3 = f0, g0 = f0, g1 = f0, g2 = f0, g3 = f0;
  const end = x + (<usize>columns << 4);
  while (x < end) {
    const u = v128.load(weights), v = v128.load(weights, 16);
    let k = v128.load32_splat(x);
    f0 = f32x4.add(f0, f32x4.mul(u, k));
    g0 = f32x4.add(g0, f32x4.mul(v, k));
    k = v128.load32_splat(x, 4);
    f1 = f32x4.add(f1, f32x4.mul(u, k));
    g1 = f32x4.add(g1, f32x4.mul(v, k));
    k = v128.load32_splat(x, 8);
    f2 = f32x4.add(f2, f32x4.mul(u, k));
    g2 = f32x4.add(g2, f32x4.mul(v, k));
    k = v128.load32_splat(x, 12);
    f3 = f32x4.add(f3, f32x4.mul(u, k));
    g3 = f32x4.add(g3, f32x4.mul(v, k));
    weights += 64;
    x += 16;
  }
  v128.store(y, f0);
  v128.store(y, g0, 16);
  v128.store(y + yStride, f1);
  v128.store(y + yStride, g1, 16);
  v128.store(y + 2 * yStride, f2);
  v128.store(y + 2 * yStride, g2, 16);
  v128.store(y + 3 * yStride, f3);
  v128.store(y + 3 * yStride, g3, 16);
}
