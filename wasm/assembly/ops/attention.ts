/**
 * Causal attention with grouped heads and online softmax (https://arxiv.org/abs/2205.14135).
 *
 * For each KV head, positions pass in blocks of 32, at absolute multiples of 32, ascending. A block is widened
 * to f32 once and serves all rows: the pairs of a token and a query head of the group. So scratch does not
 * grow with the context, and K and V are read once for all tokens of a call.
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
 * None of it depends on which tokens or heads are in the call, so the bits do not depend on how a prompt is
 * cut into slices or heads into shards. Positions that a row must not see are never added, not even as zeros:
 * the memory behind them may hold anything.
 */
import {addRow, addTile, ROW_TILE, scoreRow, scoreTile} from './attention-products';
import {BLOCK_POSITIONS, blockBytes, blockCount, KvType} from './kv-cache';
import {widenK, widenScratchBytes, widenV} from './kv-widen';
import {finishRows, Row, ROW_BYTES, SCORE_BYTES, weigh} from './online-softmax';

/**
 * Scratch: K block (headDim, 32) · V block (32, headDim) · scales of a block · scores of a tile of rows
 * (4, 32), all f32 · rows (tokens * headsPerKv).
 */
export function attentionScratchBytes(headDim: i32, headsPerKv: i32, tokens: i32): usize {
  const block = <usize>(headDim * BLOCK_POSITIONS) << 2;
  const rows = <usize>(headsPerKv * tokens) * ROW_BYTES;
  return 2 * block + widenScratchBytes(headDim) + ROW_TILE * SCORE_BYTES + rows;
}

/**
 * q, out: f32 (tokens, kvHeads * headsPerKv, headDim), strides in bytes. Token t is at `firstPosition + t`,
 * already in the cache, and sees positions 0 … its own, of these only the last `window` if window > 0. Scores
 * are q · k * scale. `capacity`: positions of the cache's ring; what the first token sees must still be there.
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
  const blocks = blockCount(capacity), bytes = blockBytes(kvType, headDim);
  const wideK = scratch, wideV = wideK + (<usize>(BLOCK_POSITIONS * headDim) << 2);
  const scales = wideV + (wideV - wideK), scores = scales + widenScratchBytes(headDim);
  const rows = scores + ROW_TILE * SCORE_BYTES;
  const rowsEnd = rows + <usize>(tokens * headsPerKv) * ROW_BYTES;
  const headBytes = <usize>headDim << 2;
  const firstBlock = firstVisible(firstPosition, window) / BLOCK_POSITIONS;
  const lastBlock = (firstPosition + tokens - 1) / BLOCK_POSITIONS;
  for (let kvHead: i32 = 0; kvHead < kvHeads; kvHead++) {
    startRows(rows, rowsEnd, q, out, headsPerKv, headBytes, firstPosition, qStride, outStride);
    for (let block = firstBlock; block <= lastBlock; block++) {
      const slot = <usize>(block % blocks) * bytes;
      const k = widenK(kvType, kCache + slot, headDim, wideK, scales);
      const v = widenV(kvType, vCache + slot, headDim, wideV, scales);
      addBlock(rows, rowsEnd, block * BLOCK_POSITIONS, k, v, headDim, scores, scale, window);
    }
    finishRows(rows, rowsEnd, headBytes);
    q += <usize>headsPerKv * headBytes;
    out += <usize>headsPerKv * headBytes;
    kCache += <usize>blocks * bytes;
    vCache += <usize>blocks * bytes;
  }
}

/** The first position that the token at `position` sees. */
// @ts-ignore: decorator
@inline
function firstVisible(position: i32, window: i32): i32 {
  return window > 0 ? max(position - window + 1, 0) : 0;
}

/** Rows of a KV head, token by token and, of each token, head by head. */
function startRows(
  rows: usize,
  rowsEnd: usize,
  q: usize,
  out: usize,
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
      row.largest = -Infinity;
      row.sum = 0;
      rows += ROW_BYTES;
    }
    q += qStride;
    out += outStride;
    position++;
  }
}

/**
 * Takes the block of positions from `start` on into all rows. Rows go four at a time where all four see the
 * same of it.
 */
function addBlock(
  rows: usize,
  rowsEnd: usize,
  start: i32,
  k: usize,
  v: usize,
  headDim: i32,
  scores: usize,
  scale: f32,
  window: i32,
): void {
  while (rows < rowsEnd) {
    const row = changetype<Row>(rows);
    const from = max(firstVisible(row.position, window) - start, 0);
    const to = min(row.position + 1 - start, BLOCK_POSITIONS);
    const last = rows + (ROW_TILE - 1) * ROW_BYTES;
    if (from >= to) {
      rows += ROW_BYTES;
    } else if (last < rowsEnd && seesTheSame(row, changetype<Row>(last), start, window)) {
      const b = changetype<Row>(rows + ROW_BYTES), c = changetype<Row>(rows + 2 * ROW_BYTES);
      const d = changetype<Row>(last);
      scoreTile(row.q, b.q, c.q, d.q, k, headDim, scale, scores);
      const shrinkA = weigh(row, scores, from, to), shrinkB = weigh(b, scores + SCORE_BYTES, from, to);
      const shrinkC = weigh(c, scores + 2 * SCORE_BYTES, from, to);
      const shrinkD = weigh(d, scores + 3 * SCORE_BYTES, from, to);
      addTile(row.out, b.out, c.out, d.out, shrinkA, shrinkB, shrinkC, shrinkD, scores, v, headDim, from, to);
      rows += ROW_TILE * ROW_BYTES;
    } else {
      scoreRow(row.q, k, headDim, scale, scores);
      addRow(row.out, weigh(row, scores, from, to), scores, v, headDim, from, to);
      rows += ROW_BYTES;
    }
  }
}

/** Whether two rows, and those between, see the same positions of the block. */
// @ts-ignore: decorator
@inline
function seesTheSame(first: Row, last: Row, start: i32, window: i32): bool {
  if (first.position == last.position) return true;
  const whole = first.position >= start + BLOCK_POSITIONS - 1;
  return whole && firstVisible(last.position, window) <= start;
}
