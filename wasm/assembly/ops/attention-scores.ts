/**
 * Scores of attention with a block of 32 positions: q · K * scale, for one row and for a tile of two to four. A
 * row's operations are the same in all, in the same order: a tile saves loading, because a vector of K serves
 * all its rows.
 *
 * K block: (headDim, 32), f32 (`T` = f32) or f16 without zeros and subnormals (`T` = u16), widened on the way;
 * that is exact, so both give the same bits. Scores: f32 (rows, 32).
 */
import {f16Exponent, f16Factor, load4} from './kv-load';
import {Row, rowAt} from './online-softmax';

/** Scores of one row. K block: (headDim, 32). */
export function scoreRow<T>(row: Row, k: usize, headDim: i32, scale: f32, scores: usize): void {
  const exponent = f16Exponent(), factor = f16Factor();
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  const step: usize = sizeof<T>() << 2;
  for (let q = row.q, end = q + (<usize>headDim << 2); q < end; q += 4, k += sizeof<T>() << 5) {
    const x = v128.load32_splat(q);
    s0 = f32x4.add(s0, f32x4.mul(x, load4<T>(k, exponent, factor)));
    s1 = f32x4.add(s1, f32x4.mul(x, load4<T>(k + step, exponent, factor)));
    s2 = f32x4.add(s2, f32x4.mul(x, load4<T>(k + 2 * step, exponent, factor)));
    s3 = f32x4.add(s3, f32x4.mul(x, load4<T>(k + 3 * step, exponent, factor)));
    s4 = f32x4.add(s4, f32x4.mul(x, load4<T>(k + 4 * step, exponent, factor)));
    s5 = f32x4.add(s5, f32x4.mul(x, load4<T>(k + 5 * step, exponent, factor)));
    s6 = f32x4.add(s6, f32x4.mul(x, load4<T>(k + 6 * step, exponent, factor)));
    s7 = f32x4.add(s7, f32x4.mul(x, load4<T>(k + 7 * step, exponent, factor)));
  }
  const scales = f32x4.splat(scale);
  v128.store(scores, f32x4.mul(s0, scales));
  v128.store(scores, f32x4.mul(s1, scales), 16);
  v128.store(scores, f32x4.mul(s2, scales), 32);
  v128.store(scores, f32x4.mul(s3, scales), 48);
  v128.store(scores, f32x4.mul(s4, scales), 64);
  v128.store(scores, f32x4.mul(s5, scales), 80);
  v128.store(scores, f32x4.mul(s6, scales), 96);
  v128.store(scores, f32x4.mul(s7, scales), 112);
}

/** Scores of `count` rows, 2 to 4, a constant: eight positions after eight, two vectors a row. */
// @ts-ignore: decorator
@inline
export function scoreTile<T>(
  count: i32,
  rows: usize,
  k: usize,
  headDim: i32,
  scale: f32,
  scores: usize,
): void {
  const exponent = f16Exponent(), factor = f16Factor();
  const bytes = <usize>headDim << 2;
  const qA = rowAt(rows, 0).q, qB = rowAt(rows, 1).q;
  const qC = count > 2 ? rowAt(rows, 2).q : 0, qD = count > 3 ? rowAt(rows, 3).q : 0;
  for (const end = scores + 128; scores < end; scores += 32, k += sizeof<T>() << 3) {
    let a0 = f32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
    for (let at: usize = 0, p = k; at < bytes; at += 4, p += sizeof<T>() << 5) {
      const k0 = load4<T>(p, exponent, factor), k1 = load4<T>(p + (sizeof<T>() << 2), exponent, factor);
      const a = v128.load32_splat(qA + at);
      a0 = f32x4.add(a0, f32x4.mul(a, k0));
      a1 = f32x4.add(a1, f32x4.mul(a, k1));
      const b = v128.load32_splat(qB + at);
      b0 = f32x4.add(b0, f32x4.mul(b, k0));
      b1 = f32x4.add(b1, f32x4.mul(b, k1));
      if (count > 2) {
        const c = v128.load32_splat(qC + at);
        c0 = f32x4.add(c0, f32x4.mul(c, k0));
        c1 = f32x4.add(c1, f32x4.mul(c, k1));
      }
      if (count > 3) {
        const d = v128.load32_splat(qD + at);
        d0 = f32x4.add(d0, f32x4.mul(d, k0));
        d1 = f32x4.add(d1, f32x4.mul(d, k1));
      }
    }
    storeScores(scores, a0, a1, scale);
    storeScores(scores + 128, b0, b1, scale);
    if (count > 2) storeScores(scores + 256, c0, c1, scale);
    if (count > 3) storeScores(scores + 384, d0, d1, scale);
  }
}

// @ts-ignore: decorator
@inline
function storeScores(to: usize, low: v128, high: v128, scale: f32): void {
  v128.store(to, f32x4.mul(low, f32x4.splat(scale)));
  v128.store(to, f32x4.mul(high, f32x4.splat(scale)), 16);
}
