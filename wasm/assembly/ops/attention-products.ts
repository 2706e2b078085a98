/**
 * The two products of attention with a block of 32 positions: of q with K, of weights with V, each for one row
 * and for a tile of four. A row's operations are the same in both, in the same order: what a tile saves are
 * loads, because a vector of K or V serves four rows.
 */

/** Rows of a tile. */
export const ROW_TILE: usize = 4;

/** Scores of one row: 32 f32. K block: f32 (headDim, 32). */
export function scoreRow(q: usize, k: usize, headDim: i32, scale: f32, scores: usize): void {
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  const end = q + (<usize>headDim << 2);
  for (; q < end; q += 4, k += 128) {
    const x = v128.load32_splat(q);
    s0 = f32x4.add(s0, f32x4.mul(x, v128.load(k)));
    s1 = f32x4.add(s1, f32x4.mul(x, v128.load(k, 16)));
    s2 = f32x4.add(s2, f32x4.mul(x, v128.load(k, 32)));
    s3 = f32x4.add(s3, f32x4.mul(x, v128.load(k, 48)));
    s4 = f32x4.add(s4, f32x4.mul(x, v128.load(k, 64)));
    s5 = f32x4.add(s5, f32x4.mul(x, v128.load(k, 80)));
    s6 = f32x4.add(s6, f32x4.mul(x, v128.load(k, 96)));
    s7 = f32x4.add(s7, f32x4.mul(x, v128.load(k, 112)));
  }
  const factor = f32x4.splat(scale);
  v128.store(scores, f32x4.mul(s0, factor));
  v128.store(scores, f32x4.mul(s1, factor), 16);
  v128.store(scores, f32x4.mul(s2, factor), 32);
  v128.store(scores, f32x4.mul(s3, factor), 48);
  v128.store(scores, f32x4.mul(s4, factor), 64);
  v128.store(scores, f32x4.mul(s5, factor), 80);
  v128.store(scores, f32x4.mul(s6, factor), 96);
  v128.store(scores, f32x4.mul(s7, factor), 112);
}

/** Scores of four rows: f32 (4, 32). */
export function scoreTile(
  qA: usize,
  qB: usize,
  qC: usize,
  qD: usize,
  k: usize,
  headDim: i32,
  scale: f32,
  scores: usize,
): void {
  const bytes = <usize>headDim << 2;
  const factor = f32x4.splat(scale);
  // Eight positions after eight: two vectors of four rows each.
  for (const end = k + 128; k < end; k += 32, scores += 32) {
    let a0 = f32x4.splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, d0 = a0, d1 = a0;
    for (let at: usize = 0, p = k; at < bytes; at += 4, p += 128) {
      const k0 = v128.load(p), k1 = v128.load(p, 16);
      const a = v128.load32_splat(qA + at);
      a0 = f32x4.add(a0, f32x4.mul(a, k0));
      a1 = f32x4.add(a1, f32x4.mul(a, k1));
      const b = v128.load32_splat(qB + at);
      b0 = f32x4.add(b0, f32x4.mul(b, k0));
      b1 = f32x4.add(b1, f32x4.mul(b, k1));
      const c = v128.load32_splat(qC + at);
      c0 = f32x4.add(c0, f32x4.mul(c, k0));
      c1 = f32x4.add(c1, f32x4.mul(c, k1));
      const d = v128.load32_splat(qD + at);
      d0 = f32x4.add(d0, f32x4.mul(d, k0));
      d1 = f32x4.add(d1, f32x4.mul(d, k1));
    }
    v128.store(scores, f32x4.mul(a0, factor));
    v128.store(scores, f32x4.mul(a1, factor), 16);
    v128.store(scores, f32x4.mul(b0, factor), 128);
    v128.store(scores, f32x4.mul(b1, factor), 144);
    v128.store(scores, f32x4.mul(c0, factor), 256);
    v128.store(scores, f32x4.mul(c1, factor), 272);
    v128.store(scores, f32x4.mul(d0, factor), 384);
    v128.store(scores, f32x4.mul(d1, factor), 400);
  }
}

/** out = out * shrink + sum over [from, to) of weight * V, positions ascending. V block: f32 (32, headDim). */
export function addRow(
  out: usize,
  shrink: f32,
  weights: usize,
  v: usize,
  headDim: i32,
  from: i32,
  to: i32,
): void {
  const rowBytes = <usize>headDim << 2;
  const first = weights + (<usize>from << 2), end = weights + (<usize>to << 2);
  const outEnd = out + rowBytes;
  const factor = f32x4.splat(shrink);
  v += <usize>from * rowBytes;
  for (; out + 128 <= outEnd; out += 128, v += 128) {
    let a = f32x4.mul(v128.load(out), factor), b = f32x4.mul(v128.load(out, 16), factor);
    let c = f32x4.mul(v128.load(out, 32), factor), d = f32x4.mul(v128.load(out, 48), factor);
    let e = f32x4.mul(v128.load(out, 64), factor), f = f32x4.mul(v128.load(out, 80), factor);
    let g = f32x4.mul(v128.load(out, 96), factor), h = f32x4.mul(v128.load(out, 112), factor);
    for (let w = first, row = v; w < end; w += 4, row += rowBytes) {
      const k = v128.load32_splat(w);
      a = f32x4.add(a, f32x4.mul(k, v128.load(row)));
      b = f32x4.add(b, f32x4.mul(k, v128.load(row, 16)));
      c = f32x4.add(c, f32x4.mul(k, v128.load(row, 32)));
      d = f32x4.add(d, f32x4.mul(k, v128.load(row, 48)));
      e = f32x4.add(e, f32x4.mul(k, v128.load(row, 64)));
      f = f32x4.add(f, f32x4.mul(k, v128.load(row, 80)));
      g = f32x4.add(g, f32x4.mul(k, v128.load(row, 96)));
      h = f32x4.add(h, f32x4.mul(k, v128.load(row, 112)));
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
  for (; out < outEnd; out += 16, v += 16) addVector(out, factor, first, end, v, rowBytes);
}

/** The same for four values of `out`. */
function addVector(out: usize, factor: v128, first: usize, end: usize, v: usize, rowBytes: usize): void {
  let a = f32x4.mul(v128.load(out), factor);
  for (let w = first; w < end; w += 4, v += rowBytes) {
    a = f32x4.add(a, f32x4.mul(v128.load32_splat(w), v128.load(v)));
  }
  v128.store(out, a);
}

/** The same as `addRow` for four rows. Weights: f32 (4, 32). */
export function addTile(
  outA: usize,
  outB: usize,
  outC: usize,
  outD: usize,
  shrinkA: f32,
  shrinkB: f32,
  shrinkC: f32,
  shrinkD: f32,
  weights: usize,
  v: usize,
  headDim: i32,
  from: i32,
  to: i32,
): void {
  const rowBytes = <usize>headDim << 2;
  const first = weights + (<usize>from << 2), end = weights + (<usize>to << 2);
  const factorA = f32x4.splat(shrinkA), factorB = f32x4.splat(shrinkB);
  const factorC = f32x4.splat(shrinkC), factorD = f32x4.splat(shrinkD);
  v += <usize>from * rowBytes;
  let at: usize = 0;
  for (; at + 32 <= rowBytes; at += 32) {
    let a0 = f32x4.mul(v128.load(outA + at), factorA), a1 = f32x4.mul(v128.load(outA + at, 16), factorA);
    let b0 = f32x4.mul(v128.load(outB + at), factorB), b1 = f32x4.mul(v128.load(outB + at, 16), factorB);
    let c0 = f32x4.mul(v128.load(outC + at), factorC), c1 = f32x4.mul(v128.load(outC + at, 16), factorC);
    let d0 = f32x4.mul(v128.load(outD + at), factorD), d1 = f32x4.mul(v128.load(outD + at, 16), factorD);
    for (let w = first, row = v + at; w < end; w += 4, row += rowBytes) {
      const v0 = v128.load(row), v1 = v128.load(row, 16);
      const a = v128.load32_splat(w);
      a0 = f32x4.add(a0, f32x4.mul(a, v0));
      a1 = f32x4.add(a1, f32x4.mul(a, v1));
      const b = v128.load32_splat(w, 128);
      b0 = f32x4.add(b0, f32x4.mul(b, v0));
      b1 = f32x4.add(b1, f32x4.mul(b, v1));
      const c = v128.load32_splat(w, 256);
      c0 = f32x4.add(c0, f32x4.mul(c, v0));
      c1 = f32x4.add(c1, f32x4.mul(c, v1));
      const d = v128.load32_splat(w, 384);
      d0 = f32x4.add(d0, f32x4.mul(d, v0));
      d1 = f32x4.add(d1, f32x4.mul(d, v1));
    }
    v128.store(outA + at, a0);
    v128.store(outA + at, a1, 16);
    v128.store(outB + at, b0);
    v128.store(outB + at, b1, 16);
    v128.store(outC + at, c0);
    v128.store(outC + at, c1, 16);
    v128.store(outD + at, d0);
    v128.store(outD + at, d1, 16);
  }
  if (at < rowBytes) {
    addVector(outA + at, factorA, first, end, v + at, rowBytes);
    addVector(outB + at, factorB, first + 128, end + 128, v + at, rowBytes);
    addVector(outC + at, factorC, first + 256, end + 256, v + at, rowBytes);
    addVector(outD + at, factorD, first + 384, end + 384, v + at, rowBytes);
  }
}
