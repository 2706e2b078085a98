/**
 * Attention with grouped heads and online softmax (https://arxiv.org/abs/2205.14135).
 *
 * For each KV head, positions pass in blocks of 32, at absolute multiples of 32, ascending. A block serves all
 * rows, the pairs of a token and a query head of the group, before the next one is read: scratch does not grow
 * with the context, and K and V are read once for all tokens of a call. It is widened to f32 first, or, where it
 * serves one tile of rows only, on the way into registers.
 *
 * The order of summation, for each row by itself:
 *
 * 1. A score is the sum of q[d] * K[d] with d ascending, then times `scale`.
 * 2. A row keeps its largest score m, the sum l of e^(score - m) and, in `out`, the sum of e^(score - m) V.
 *    A block with the largest score b makes m' = max(m, b), and both sums are multiplied by e^(m - m').
 * 3. To l the block adds ((e0 + e1) + (e2 + e3)), where ei is the sum of e^(score - m') of the positions
 *    i, 4 + i, 8 + i, … of the block, ascending.
 * 4. To each value of `out` it adds e^(score - m') V, positions ascending.
 * 5. After the last block, `out` is multiplied by 1 / l.
 *
 * With a soft cap c > 0 a score s becomes c tanh(s / c) before all of this, and with slopes it then falls by its
 * head's slope for each position of distance (ALiBi, https://arxiv.org/abs/2108.12409). With sinks, a row of head h begins with
 * m = sinks[h] and l = 1: as if it had seen one more position, of that score and without a value.
 *
 * A token sees the positions up to its own; with `textLength` it sees those behind its own, too.
 *
 * None of it depends on which tokens or heads are in the call, so the bits do not depend on how a prompt is
 * cut into slices or heads into shards. Positions that a row must not see are never added, not even as zeros:
 * the memory behind them may hold anything.
 */
import {addBlock, firstVisible, TILE_ROWS, visibleEnd} from './attention-tiles';
import {BLOCK_POSITIONS, blockBytes, blockCount, KV_F16, KvType, MASK_BYTES} from './kv-cache';
import {F16_SCALE, isPlain} from './kv-load';
import {widenK, widenScratchBytes, widenV} from './kv-widen';
import {finishRows, Row, ROW_BYTES, SCORE_BYTES} from './online-softmax';

/**
 * Scratch: K block (headDim, 32) · V block (32, headDim) · scales of a block · scores of a tile of rows (4, 32) ·
 * scaled queries of a tile (4, headDim), all f32 · rows (tokens * headsPerKv).
 */
export function attentionScratchBytes(headDim: i32, headsPerKv: i32, tokens: i32): usize {
  const blocks = <usize>(2 * headDim * BLOCK_POSITIONS) << 2;
  const tile = <usize>TILE_ROWS * (SCORE_BYTES + (<usize>headDim << 2));
  return blocks + widenScratchBytes(headDim) + tile + <usize>(headsPerKv * tokens) * ROW_BYTES;
}

/**
 * q, out: f32 (tokens, kvHeads * headsPerKv, headDim), strides in bytes. Token t is at `firstPosition + t`,
 * already in the cache, and sees positions 0 … its own, of these only the last `window` if window > 0. Scores
 * are q · k * scale, capped by `softCap` if that is > 0. `sinks` and
 * `slopes`: f32 (kvHeads * headsPerKv), or 0. `capacity`: positions of the cache's ring; what the first token sees must still be there.
 *
 * With `textLength` > 0, as many positions are in the cache, and a token sees those behind its own as it sees those
 * before: all, or the next ones, its own and they `window` together.
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
  softCap: f32,
  sinks: usize,
  slopes: usize,
  qStride: usize,
  outStride: usize,
  textLength: i32,
): void {
  const ahead = textLength == 0 ? 0 : window > 0 ? window - 1 : textLength;
  const positionEnd = textLength == 0 ? firstPosition + tokens : textLength;
  const blocks = blockCount(capacity), bytes = blockBytes(kvType, headDim);
  const wideK = scratch, wideV = wideK + (<usize>(BLOCK_POSITIONS * headDim) << 2);
  const scales = wideV + (wideV - wideK), scores = scales + widenScratchBytes(headDim);
  const queries = scores + <usize>TILE_ROWS * SCORE_BYTES;
  const rows = queries + <usize>(TILE_ROWS * headDim << 2);
  const rowsEnd = rows + <usize>(tokens * headsPerKv) * ROW_BYTES;
  const headBytes = <usize>headDim << 2;
  const firstSeen = firstVisible(firstPosition, window);
  const seenEnd = visibleEnd(firstPosition + tokens - 1, ahead, positionEnd);
  // Then a vector of the cache is used once: widening it into memory first would not pay.
  const oneTile = kvType == KV_F16 && tokens * headsPerKv <= TILE_ROWS;
  for (let kvHead: i32 = 0; kvHead < kvHeads; kvHead++) {
    startRows(rows, rowsEnd, q, out, sinks, slopes, headsPerKv, headBytes, firstPosition, qStride, outStride);
    if (sinks) sinks += <usize>headsPerKv << 2;
    if (slopes) slopes += <usize>headsPerKv << 2;
    const narrow = oneTile && scaleQueries(rows, rowsEnd, headBytes, queries);
    for (let block = firstSeen / BLOCK_POSITIONS; block <= (seenEnd - 1) / BLOCK_POSITIONS; block++) {
      const start = block * BLOCK_POSITIONS, slot = <usize>(block % blocks) * bytes;
      const from = max(firstSeen - start, 0), to = min(seenEnd - start, BLOCK_POSITIONS);
      let k = kCache + slot, v = vCache + slot;
      const kIsF16 = narrow && isPlain(k, from, to), vIsF16 = narrow && isPlain(v, from, to);
      k = kIsF16 ? k + MASK_BYTES : widenK(kvType, k, headDim, wideK, scales);
      v = vIsF16 ? v + MASK_BYTES : widenV(kvType, v, headDim, wideV, scales);
      addBlock(
        rows,
        rowsEnd,
        start,
        k,
        kIsF16,
        v,
        vIsF16,
        headDim,
        scores,
        scale,
        window,
        ahead,
        positionEnd,
        softCap,
      );
    }
    finishRows(rows, rowsEnd, headBytes);
    q += <usize>headsPerKv * headBytes;
    out += <usize>headsPerKv * headBytes;
    kCache += <usize>blocks * bytes;
    vCache += <usize>blocks * bytes;
  }
}

/** Rows of a KV head, token by token and, of each token, head by head. */
function startRows(
  rows: usize,
  rowsEnd: usize,
  q: usize,
  out: usize,
  sinks: usize,
  slopes: usize,
  headsPerKv: i32,
  headBytes: usize,
  position: i32,
  qStride: usize,
  outStride: usize,
): void {
  while (rows < rowsEnd) {
    memory.fill(out, 0, <usize>headsPerKv * headBytes);
    for (let head: i32 = 0; head < headsPerKv; head++) {
      const row = changetype<Row>(rows);
      row.q = q + <usize>head * headBytes;
      row.out = out + <usize>head * headBytes;
      row.position = position;
      row.largest = sinks ? load<f32>(sinks + (<usize>head << 2)) : -Infinity;
      row.sum = sinks ? 1 : 0;
      row.slope = slopes ? load<f32>(slopes + (<usize>head << 2)) : 0;
      rows += ROW_BYTES;
    }
    q += qStride;
    out += outStride;
    position++;
  }
}

/** Writes the rows' queries times F16_SCALE to `to`. Returns whether all of them are finite. */
function scaleQueries(rows: usize, rowsEnd: usize, headBytes: usize, to: usize): bool {
  const factor = f32x4.splat(F16_SCALE);
  let differences = f32x4.splat(0);
  for (; rows < rowsEnd; rows += ROW_BYTES) {
    const row = changetype<Row>(rows);
    row.scaledQ = to;
    for (let p = row.q, end = p + headBytes; p < end; p += 16, to += 16) {
      const scaled = f32x4.mul(v128.load(p), factor);
      v128.store(to, scaled);
      // 0 where it is finite, else NaN.
      differences = f32x4.add(differences, f32x4.sub(scaled, scaled));
    }
  }
  return i32x4.all_true(f32x4.eq(differences, differences));
}
