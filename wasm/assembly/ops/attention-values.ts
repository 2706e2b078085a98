/**
 * What a block of 32 positions adds to the values of attention, for one row and for a tile of two to four:
 *
 *   out = out * shrink + sum over positions [from, to) of weight * V, positions ascending
 *
 * V block: (32, headDim), of types as in attention-scores.ts. Weights: f32 (rows, 32).
 */
import {f16Exponent, f16Factor, load4} from './kv-load';
import {Row, rowAt} from './online-softmax';

/** One row. */
export function addRow<T>(row: Row, weights: usize, v: usize, headDim: i32, from: i32, to: i32): void {
  const exponent = f16Exponent(), factor = f16Factor();
  const step: usize = sizeof<T>() << 2, stride = <usize>headDim * sizeof<T>();
  const first = weights + (<usize>from << 2), end = weights + (<usize>to << 2);
  const shrink = f32x4.splat(row.shrink);
  let out = row.out;
  const outEnd = out + (<usize>headDim << 2);
  v += <usize>from * stride;
  for (; out + 128 <= outEnd; out += 128, v += sizeof<T>() << 5) {
    let a = f32x4.mul(v128.load(out), shrink), b = f32x4.mul(v128.load(out, 16), shrink);
    let c = f32x4.mul(v128.load(out, 32), shrink), d = f32x4.mul(v128.load(out, 48), shrink);
    let e = f32x4.mul(v128.load(out, 64), shrink), f = f32x4.mul(v128.load(out, 80), shrink);
    let g = f32x4.mul(v128.load(out, 96), shrink), h = f32x4.mul(v128.load(out, 112), shrink);
    for (let w = first, p = v; w < end; w += 4, p += stride) {
      const x = v128.load32_splat(w);
      a = f32x4.add(a, f32x4.mul(x, load4<T>(p, exponent, factor)));
      b = f32x4.add(b, f32x4.mul(x, load4<T>(p + step, exponent, factor)));
      c = f32x4.add(c, f32x4.mul(x, load4<T>(p + 2 * step, exponent, factor)));
      d = f32x4.add(d, f32x4.mul(x, load4<T>(p + 3 * step, exponent, factor)));
      e = f32x4.add(e, f32x4.mul(x, load4<T>(p + 4 * step, exponent, factor)));
      f = f32x4.add(f, f32x4.mul(x, load4<T>(p + 5 * step, exponent, factor)));
      g = f32x4.add(g, f32x4.mul(x, load4<T>(p + 6 * step, exponent, factor)));
      h = f32x4.add(h, f32x4.mul(x, load4<T>(p + 7 * step, exponent, factor)));
    }
    v128.store(out, a);
    v128.store(out, b, 16);
    v128.store(out, c, 32);
    v128.store(out, d, 48);
    v128.store(out, e, 64);
    v128.store(out, f, 80);
    v128.store(out, g, 96);
    v128.store(out, h, 112);
  }
  for (; out < outEnd; out += 16, v += step) addVector<T>(out, shrink, first, end, v, stride);
}

/** The same for four values of `out`. */
function addVector<T>(out: usize, shrink: v128, weight: usize, end: usize, v: usize, stride: usize): void {
  const exponent = f16Exponent(), factor = f16Factor();
  let a = f32x4.mul(v128.load(out), shrink);
  for (; weight < end; weight += 4, v += stride) {
    a = f32x4.add(a, f32x4.mul(v128.load32_splat(weight), load4<T>(v, exponent, factor)));
  }
  v128.store(out, a);
}

/** `count` rows, 2 to 4, a constant. */
// @ts-ignore: decorator
@inline
export function addTile<T>(
  count: i32,
  rows: usize,
  weights: usize,
  v: usize,
  headDim: i32,
  from: i32,
  to: i32,
): void {
  const exponent = f16Exponent(), factor = f16Factor();
  const stride = <usize>headDim * sizeof<T>(), bytes = <usize>headDim << 2;
  const rowA = rowAt(rows, 0), rowB = rowAt(rows, 1);
  const rowC = rowAt(rows, 2), rowD = rowAt(rows, 3);
  const outA = rowA.out, outB = rowB.out;
  const outC = count > 2 ? rowC.out : 0, outD = count > 3 ? rowD.out : 0;
  const first = weights + (<usize>from << 2), end = weights + (<usize>to << 2);
  v += <usize>from * stride;
  let at: usize = 0;
  for (; at + 32 <= bytes; at += 32, v += sizeof<T>() << 3) {
    let a0 = f32x4.mul(v128.load(outA + at), f32x4.splat(rowA.shrink));
    let a1 = f32x4.mul(v128.load(outA + at, 16), f32x4.splat(rowA.shrink));
    let b0 = f32x4.mul(v128.load(outB + at), f32x4.splat(rowB.shrink));
    let b1 = f32x4.mul(v128.load(outB + at, 16), f32x4.splat(rowB.shrink));
    let c0 = a0, c1 = a0, d0 = a0, d1 = a0;
    if (count > 2) {
      c0 = f32x4.mul(v128.load(outC + at), f32x4.splat(rowC.shrink));
      c1 = f32x4.mul(v128.load(outC + at, 16), f32x4.splat(rowC.shrink));
    }
    if (count > 3) {
      d0 = f32x4.mul(v128.load(outD + at), f32x4.splat(rowD.shrink));
      d1 = f32x4.mul(v128.load(outD + at, 16), f32x4.splat(rowD.shrink));
    }
    for (let w = first, p = v; w < end; w += 4, p += stride) {
      const v0 = load4<T>(p, exponent, factor), v1 = load4<T>(p + (sizeof<T>() << 2), exponent, factor);
      const a = v128.load32_splat(w);
      a0 = f32x4.add(a0, f32x4.mul(a, v0));
      a1 = f32x4.add(a1, f32x4.mul(a, v1));
      const b = v128.load32_splat(w, 128);
      b0 = f32x4.add(b0, f32x4.mul(b, v0));
      b1 = f32x4.add(b1, f32x4.mul(b, v1));
      if (count > 2) {
        const c = v128.load32_splat(w, 256);
        c0 = f32x4.add(c0, f32x4.mul(c, v0));
        c1 = f32x4.add(c1, f32x4.mul(c, v1));
      }
      if (count > 3) {
        const d = v128.load32_splat(w, 384);
        d0 = f32x4.add(d0, f32x4.mul(d, v0));
        d1 = f32x4.add(d1, f32x4.mul(d, v1));
      }
    }
    storePair(outA + at, a0, a1);
    storePair(outB + at, b0, b1);
    if (count > 2) storePair(outC + at, c0, c1);
    if (count > 3) storePair(outD + at, d0, d1);
  }
  if (at == bytes) return;
  for (let index: i32 = 0; index < count; index++) {
    const row = rowAt(rows, index), skip = <usize>index << 7;
    addVector<T>(row.out + at, f32x4.splat(row.shrink), first + skip, end + skip, v, stride);
  }
}

// @ts-ignore: decorator
@inline
function storePair(to: usize, low: v128, high: v128): void {
  v128.store(to, low);
  v128.store(to, high, 16);
}
