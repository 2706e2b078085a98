/**
 * Causal attention with grouped heads and online softmax (https://arxiv.org/abs/2205.14135).
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
 * None of it depends on which tokens or heads are in the call, so the bits do not depend on how a prompt is
 * cut into slices or heads into shards. Positions that a row must not see are never added, not even as zeros:
 * the memory behind them may hold anything.
 */
import {addBlock, firstVisible, TILE_ROWS} from './attention-tiles';
import {BLOCK_POSITIONS, blockBytes, blockCount, KV_F16, KvType} from './kv-cache';
import {allNormal, widenK, widenScratchBytes, widenV} from './kv-widen';
import {finishRows, Row, ROW_BYTES, SCORE_BYTES} from './online-softmax';

/**
 * Scratch: K block (headDim, 32) · V block (32, headDim) · scales of a block · scores of a tile of rows
 * (4, 32), all f32 · rows (tokens * headsPerKv).
 */
export function attentionScratchBytes(headDim: i32, headsPerKv: i32, tokens: i32): usize {
  const block = <usize>(headDim * BLOCK_POSITIONS) << 2;
  const rows = <usize>(headsPerKv * tokens) * ROW_BYTES;
  return 2 * block + widenScratchBytes(headDim) + <usize>TILE_ROWS * SCORE_BYTES + rows;
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
  const rows = scores + <usize>TILE_ROWS * SCORE_BYTES;
  const rowsEnd = rows + <usize>(tokens * headsPerKv) * ROW_BYTES;
  const headBytes = <usize>headDim << 2;
  // Then a vector of the cache is used once: widening it into memory first would not pay.
  const oneTile = tokens * headsPerKv <= TILE_ROWS;
  const firstBlock = firstVisible(firstPosition, window) / BLOCK_POSITIONS;
  const lastBlock = (firstPosition + tokens - 1) / BLOCK_POSITIONS;
  for (let kvHead: i32 = 0; kvHead < kvHeads; kvHead++) {
    startRows(rows, rowsEnd, q, out, headsPerKv, headBytes, firstPosition, qStride, outStride);
    for (let block = firstBlock; block <= lastBlock; block++) {
      const start = block * BLOCK_POSITIONS, slot = <usize>(block % blocks) * bytes;
      let k = kCache + slot, v = vCache + slot;
      if (oneTile && kvType == KV_F16 && allNormal(k, bytes) && allNormal(v, bytes)) {
        addBlock<u16>(rows, rowsEnd, start, k, v, headDim, scores, scale, window);
      } else {
        k = widenK(kvType, k, headDim, wideK, scales);
        v = widenV(kvType, v, headDim, wideV, scales);
        addBlock<f32>(rows, rowsEnd, start, k, v, headDim, scores, scale, window);
      }
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
