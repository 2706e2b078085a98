/**
 * Causal attention with grouped heads and online softmax (https://arxiv.org/abs/2205.14135).
 *
 * For each KV head, positions pass in blocks of 32, at absolute multiples of 32. A block is widened to f32
 * once and serves all rows: the pairs of a token and a query head of the group. A row keeps its largest score
 * m, the sum l of e^(score - m) and, in `out`, the sum of e^(score - m) V; when a block raises m, both sums
 * are scaled down first. A row's operations depend on its position only, so the bits do not depend on how
 * tokens are cut into batches. Lanes that a row must not see are never added, not even as zeros: the memory
 * behind them may hold anything.
 */
import {exp1, exp4} from './exp';
import {BLOCK_POSITIONS, KV_F32, kvElementShift, KvType, paddedCapacity, widen} from './kv-cache';

/**
 * Scratch: K block (headDim, 32) · V block (32, headDim) · scores of a row (32) · m and l of every row. f32.
 */
export function attentionScratchBytes(headDim: i32, headsPerKv: i32, tokens: i32): usize {
  return <usize>(2 * headDim * BLOCK_POSITIONS + BLOCK_POSITIONS + 2 * headsPerKv * tokens) << 2;
}

/**
 * q, out: f32 (tokens, kvHeads * headsPerKv, headDim), strides in bytes. Token t is at `firstPosition + t`,
 * already in the cache, and sees positions 0 … its own, of these only the last `window` if window > 0. Scores
 * are q · k * scale.
 */
export function attention(
  kvType: KvType,
  q: usize,
  kCache: usize,
  vCache: usize,
  out: usize,
  scratch: usize,
  kvHeads: i32,
  headsPerKv: i32,
  headDim: i32,
  capacity: i32,
  firstPosition: i32,
  tokens: i32,
  scale: f32,
  window: i32,
  qStride: usize,
  outStride: usize,
): void {
  const headBytes = <usize>headDim << 2;
  const cacheHeadBytes = <usize>(paddedCapacity(capacity) * headDim) << kvElementShift(kvType);
  const blockBytes = <usize>(BLOCK_POSITIONS * headDim) << kvElementShift(kvType);
  const blockSize = BLOCK_POSITIONS * headDim;
  const wideK = scratch, wideV = wideK + (<usize>blockSize << 2);
  const scores = wideV + (<usize>blockSize << 2), states = scores + BLOCK_POSITIONS * 4;
  const firstBlock = window > 0 ? max(firstPosition - window + 1, 0) / BLOCK_POSITIONS : 0;
  const lastBlock = (firstPosition + tokens - 1) / BLOCK_POSITIONS;
  for (let kvHead: i32 = 0; kvHead < kvHeads; kvHead++) {
    startRows(states, out, headsPerKv, headDim, tokens, outStride);
    for (let block = firstBlock; block <= lastBlock; block++) {
      let kBlock = kCache + <usize>block * blockBytes, vBlock = vCache + <usize>block * blockBytes;
      if (kvType != KV_F32) {
        widen(kBlock, blockSize, wideK);
        widen(vBlock, blockSize, wideV);
        kBlock = wideK;
        vBlock = wideV;
      }
      const blockStart = block * BLOCK_POSITIONS;
      let state = states;
      for (let token: i32 = 0; token < tokens; token++) {
        const position = firstPosition + token;
        const from = window > 0 ? max(position - window + 1 - blockStart, 0) : 0;
        const to = min(position + 1 - blockStart, BLOCK_POSITIONS);
        for (let head: i32 = 0; head < headsPerKv; head++) {
          if (from < to) {
            const row = <usize>head * headBytes;
            scoreRow(q + <usize>token * qStride + row, kBlock, headDim, scale, scores, from, to);
            addRow(scores, vBlock, headDim, out + <usize>token * outStride + row, state, from, to);
          }
          state += 8;
        }
      }
    }
    finishRows(states, out, headsPerKv, headDim, tokens, outStride);
    q += <usize>headsPerKv * headBytes;
    out += <usize>headsPerKv * headBytes;
    kCache += cacheHeadBytes;
    vCache += cacheHeadBytes;
  }
}

function startRows(states: usize, out: usize, heads: i32, headDim: i32, tokens: i32, outStride: usize): void {
  for (let token: i32 = 0; token < tokens; token++) {
    memory.fill(out + <usize>token * outStride, 0, <usize>(heads * headDim) << 2);
    for (let head: i32 = 0; head < heads; head++) {
      store<f32>(states, -Infinity);
      store<f32>(states, 0, 4);
      states += 8;
    }
  }
}

/** Divides each row's sum by its l. */
function finishRows(states: usize, out: usize, heads: i32, headDim: i32, tokens: i32, outStride: usize): void {
  for (let token: i32 = 0; token < tokens; token++) {
    let p = out + <usize>token * outStride;
    for (let head: i32 = 0; head < heads; head++) {
      const factor = f32x4.splat(1 / load<f32>(states, 4));
      const end = p + (<usize>headDim << 2);
      for (; p < end; p += 16) v128.store(p, f32x4.mul(v128.load(p), factor));
      states += 8;
    }
  }
}

/** Scores of one row with a block of K, -Infinity outside of [from, to): 32 f32. */
function scoreRow(q: usize, k: usize, headDim: i32, scale: f32, scores: usize, from: i32, to: i32): void {
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  const end = q + (<usize>headDim << 2);
  while (q < end) {
    const x = v128.load32_splat(q);
    s0 = f32x4.add(s0, f32x4.mul(x, v128.load(k)));
    s1 = f32x4.add(s1, f32x4.mul(x, v128.load(k, 16)));
    s2 = f32x4.add(s2, f32x4.mul(x, v128.load(k, 32)));
    s3 = f32x4.add(s3, f32x4.mul(x, v128.load(k, 48)));
    s4 = f32x4.add(s4, f32x4.mul(x, v128.load(k, 64)));
    s5 = f32x4.add(s5, f32x4.mul(x, v128.load(k, 80)));
    s6 = f32x4.add(s6, f32x4.mul(x, v128.load(k, 96)));
    s7 = f32x4.add(s7, f32x4.mul(x, v128.load(k, 112)));
    k += 128;
    q += 4;
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
  for (let i: i32 = 0; i < from; i++) store<f32>(scores + (<usize>i << 2), -Infinity);
  for (let i: i32 = to; i < BLOCK_POSITIONS; i++) store<f32>(scores + (<usize>i << 2), -Infinity);
}

/**
 * Takes a block into a row: scores, V block (32, headDim), the row's sums at `out`, its m and l at `state`.
 */
function addRow(scores: usize, v: usize, headDim: i32, out: usize, state: usize, from: i32, to: i32): void {
  const before = load<f32>(state);
  const largest = max(before, largestScore(scores));
  const shrink = exp1(before - largest);
  let sums = f32x4.splat(0);
  for (let p = scores; p < scores + BLOCK_POSITIONS * 4; p += 16) {
    const e = exp4(f32x4.sub(v128.load(p), f32x4.splat(largest)));
    v128.store(p, e);
    sums = f32x4.add(sums, e);
  }
  const low = f32x4.extract_lane(sums, 0) + f32x4.extract_lane(sums, 1);
  const high = f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3);
  store<f32>(state, largest);
  store<f32>(state, load<f32>(state, 4) * shrink + (low + high), 4);
  addValues(scores, v, headDim, out, shrink, from, to);
}

function largestScore(scores: usize): f32 {
  let m = v128.load(scores);
  for (let p = scores + 16; p < scores + BLOCK_POSITIONS * 4; p += 16) m = f32x4.max(m, v128.load(p));
  const pairs = f32x4.max(m, i32x4.shuffle(m, m, 2, 3, 0, 1));
  return max(f32x4.extract_lane(pairs, 0), f32x4.extract_lane(pairs, 1));
}

/** out = out * shrink + sum over [from, to) of weight * V, positions ascending. */
function addValues(weights: usize, v: usize, headDim: i32, out: usize, shrink: f32, from: i32, to: i32): void {
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
  for (; out < outEnd; out += 16, v += 16) {
    let a = f32x4.mul(v128.load(out), factor);
    for (let w = first, row = v; w < end; w += 4, row += rowBytes) {
      a = f32x4.add(a, f32x4.mul(v128.load32_splat(w), v128.load(row)));
    }
    v128.store(out, a);
  }
}
