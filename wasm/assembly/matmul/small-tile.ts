/**
 * Batches with small blocks: a group's codes become the bytes of Q8 blocks, once for all tiles, and Q8's kernels take
 * them. (Q4_MIN has Q4's blocks and its kernels.)
 */
import {Format, IQ4_NL, Q2, Q4_MIN, Q5, Q5_MIN, Q8_BLOCK_BYTES} from '../formats/format';
import {widenF16x16} from '../formats/f16';
import {
  SCALES_BYTES,
  SMALL_COLUMNS,
  SMALL_QUAD,
  codesAt,
  hasMinimum,
  hasTwoScales,
  loadScales,
  scalesAt,
  smallBlocksBytes,
} from '../formats/small-block';
import {offsetOf, tableOf} from '../formats/type-values';
import {hasNibbles, highMask, highNibbles, loadHigh, lowMask, lowNibbles, nextHigh, operands, pairCodes} from './codes';

/** Bytes of the f32 scales, or minima, of a block. */
const FLOATS_BYTES: usize = 64;

/**
 * Offsets in the scratch of a group: f32 scales (blocks, 16), of NVFP4 (blocks, 2, 16) · f32 minima (blocks, 16) · Q8
 * blocks.
 */
// @ts-ignore: decorator
@inline
export function minimaScratch(blocks: usize): usize {
  return blocks * FLOATS_BYTES;
}

// @ts-ignore: decorator
@inline
export function expandedScratch(format: Format, blocks: usize): usize {
  return minimaScratch(blocks) * (hasMinimum(format) || hasTwoScales(format) ? 2 : 1);
}

export function smallScratchBytes(format: Format, columns: i32): usize {
  const blocks = <usize>(columns / SMALL_COLUMNS);
  return expandedScratch(format, blocks) + (format == Q4_MIN ? 0 : blocks * Q8_BLOCK_BYTES);
}

/** The codes of 32 columns as 8 quads of bytes. */
// @ts-ignore: decorator
@inline
function expandCodes(format: Format, codes: usize, out: usize, table: v128): void {
  const mask = lowMask(format), mask2 = highMask(format);
  for (let rows: usize = 0; rows < SMALL_QUAD; rows += 16) {
    if (hasNibbles(format)) {
      let h = loadHigh(format, SMALL_QUAD, codes + rows, 0);
      for (let p: i32 = 0; p < 4; p++) {
        const w = v128.load(codes + rows + p * SMALL_QUAD);
        v128.store(out + rows + p * SMALL_QUAD, lowNibbles(format, w, h, mask, mask2, table));
        v128.store(out + rows + (p + 4) * SMALL_QUAD, highNibbles(format, w, h, mask, mask2, table));
        h = nextHigh(format, h);
      }
    } else {
      for (let h: i32 = 0; h < 2; h++) {
        const w = v128.load(codes + rows + h * SMALL_QUAD);
        const to = out + rows + 2 * h * SMALL_QUAD;
        v128.store(to, pairCodes(format, w, mask2, 0, mask, mask2));
        v128.store(to + SMALL_QUAD, pairCodes(format, w, mask2, 1, mask, mask2));
        v128.store(to + 4 * SMALL_QUAD, pairCodes(format, w, mask2, 2, mask, mask2));
        v128.store(to + 5 * SMALL_QUAD, pairCodes(format, w, mask2, 3, mask, mask2));
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function expandBlocks(format: Format, weights: usize, blocks: usize, out: usize, table: v128): void {
  for (let block: usize = 0; block < blocks; block++) {
    expandCodes(format, weights + scalesAt(format, block) + codesAt(format, block), out + SCALES_BYTES, table);
    out += Q8_BLOCK_BYTES;
  }
}

/** Scales, and where there are any minima and codes, of a group at `scratch`. */
export function expandSmallGroup(format: Format, weights: usize, columns: i32, scratch: usize): void {
  const blocks = <usize>(columns / SMALL_COLUMNS);
  const minima = weights + smallBlocksBytes(format, blocks);
  const halves = hasTwoScales(format) ? 2 : 1;
  let out = scratch;
  for (let block: usize = 0; block < blocks; block++) {
    const scales = weights + scalesAt(format, block);
    if (hasMinimum(format)) widenF16x16(minima + block * SCALES_BYTES, out + minimaScratch(blocks));
    for (let half: i32 = 0; half < halves; half++) {
      for (let quad: usize = 0; quad < 4; quad++) {
        v128.store(out + quad * 16, loadScales(format, scales + quad * 8, half));
      }
      out += FLOATS_BYTES;
    }
  }
  const expanded = scratch + expandedScratch(format, blocks);
  const table = operands(tableOf(format), offsetOf(format));
  if (format == Q2) expandBlocks(Q2, weights, blocks, expanded, table);
  else if (format == Q5 || format == Q5_MIN) expandBlocks(Q5, weights, blocks, expanded, table);
  else if (format != Q4_MIN) expandBlocks(IQ4_NL, weights, blocks, expanded, table);
}
