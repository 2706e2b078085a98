import {loadF16x4} from '../formats/f16';
import {BLOCK_COLUMNS, F16, F32, Format, GROUP_ROWS, isQuantised, isSmall, isSuper} from '../formats/format';
import {Q4, Q4_BLOCK_BYTES, Q4_MIN, Q8, Q8_BLOCK_BYTES} from '../formats/format';
import {groupBytes} from '../formats/group';
import {hasMinimum, hasTwoScales, smallBlocksBytes} from '../formats/small-block';
import {SUPER_COLUMNS} from '../formats/super-block';
import {scratchOffset, sumsOffset, tokenBytes} from './activations';
import {TILE_TOKENS, streamsOf} from './block';
import {Dot, SIGNS, WORDS, dotOf, vectorDotOf} from './dot-quad';
import {addFloatsTile, addFloatsVector, floatsTile, floatsVector, widenGroup} from './floats';
import {q4BytesTile, q4BytesVector} from './q4-bytes';
import {q4WordsTile, q4WordsVector} from './q4-words';
import {q8BytesTile, q8BytesVector} from './q8-bytes';
import {q8SignsVector} from './q8-signs';
import {q8WordsTile, q8WordsVector} from './q8-words';
import {expandedScratch, expandSmallGroup, minimaScratch} from './small-tile';
import {smallVector} from './small-vector';
import {expandedGroupBytes, expandGroup, superTile} from './super-tile';
import {superVector} from './super-vector';
import {twoScalesTile} from './two-scales-tile';

/** Bytes of the results of a group with one token. */
const GROUP_RESULT_BYTES: usize = 64;

/**
 * y = W x for a batch: `y[token][row]`, f32 at `y + token * yStride`. W: (rows, columns) in a compute format;
 * `activations`: from `prepareActivations` with the same format, columns and tokens. Rows up to the next
 * multiple of 16 are written too.
 */
export function matmul(
  format: Format,
  matrix: usize,
  activations: usize,
  y: usize,
  rows: i32,
  columns: i32,
  tokens: i32,
  yStride: usize,
): void {
  const groups = (rows + GROUP_ROWS - 1) / GROUP_ROWS;
  if (tokens >= TILE_TOKENS) multiplyBatch(format, matrix, activations, y, groups, columns, tokens, yStride);
  else multiplyFew(format, matrix, activations, y, groups, columns, tokens, yStride);
}

/**
 * Few tokens: bound by memory. The matrix is cut into streams, which are read together (see streamsOf), then the groups
 * that are left.
 */
function multiplyFew(
  format: Format,
  matrix: usize,
  activations: usize,
  y: usize,
  groups: i32,
  columns: i32,
  tokens: i32,
  yStride: usize,
): void {
  const bytes = tokenBytes(format, columns), perGroup = groupBytes(format, columns);
  const streams = streamsOf(format), length = groups / streams, left = groups % streams;
  for (let group: i32 = 0; group < length + (left > 0 ? 1 : 0); group++) {
    const whole = group < length;
    const first = whole ? group : length * streams;
    const apart = whole ? length : 1;
    for (let token: i32 = 0; token < tokens; token++) {
      multiplyVector(
        format,
        matrix + <usize>first * perGroup,
        <usize>apart * perGroup,
        whole ? streams : left,
        activations + <usize>token * bytes,
        y + <usize>token * yStride + <usize>first * GROUP_RESULT_BYTES,
        <usize>apart * GROUP_RESULT_BYTES,
        columns,
      );
    }
  }
}

/**
 * Many tokens: bound by computing. Groups are the outer loop: a group stays in the cache while all tokens
 * pass.
 */
function multiplyBatch(
  format: Format,
  matrix: usize,
  activations: usize,
  y: usize,
  groups: i32,
  columns: i32,
  tokens: i32,
  yStride: usize,
): void {
  const bytes = tokenBytes(format, columns);
  const scratch = activations + scratchOffset(format, columns, tokens);
  for (let group: i32 = 0; group < groups; group++) {
    prepareGroup(format, matrix, columns, scratch);
    let x = activations;
    let out = y;
    let left = tokens;
    for (; left >= TILE_TOKENS; left -= TILE_TOKENS) {
      multiplyTile(format, matrix, scratch, x, out, columns, yStride);
      x += <usize>TILE_TOKENS * bytes;
      out += <usize>TILE_TOKENS * yStride;
    }
    for (; left > 0; left--) {
      multiplyVector(format, matrix, 0, 1, x, out, GROUP_RESULT_BYTES, columns);
      x += bytes;
      out += yStride;
    }
    matrix += groupBytes(format, columns);
    y += GROUP_RESULT_BYTES;
  }
}

/**
 * Converts, once for all tiles, what is 16-bit: the scales of a quantised group (blocks, 16), or the weights
 * (columns, 16). Codes of small and super-blocks are expanded to bytes.
 */
function prepareGroup(format: Format, weights: usize, columns: i32, scratch: usize): void {
  if (format == F32) return;
  if (isSuper(format)) {
    expandGroup(format, weights, columns / SUPER_COLUMNS, scratch);
    return;
  }
  if (isSmall(format)) {
    expandSmallGroup(format, weights, columns, scratch);
    return;
  }
  if (!isQuantised(format)) {
    widenGroup(format, weights, columns, scratch);
    return;
  }
  const blockBytes = format == Q8 ? Q8_BLOCK_BYTES : Q4_BLOCK_BYTES;
  for (let column: i32 = 0; column < columns; column += BLOCK_COLUMNS) {
    for (let quad: usize = 0; quad < 4; quad++) v128.store(scratch + quad * 16, loadF16x4(weights + quad * 8));
    weights += blockBytes;
    scratch += 64;
  }
}

/** `streams` groups, `stride` apart, with one token. */
function multiplyVector(
  format: Format,
  weights: usize,
  stride: usize,
  streams: i32,
  x: usize,
  y: usize,
  yStride: usize,
  columns: i32,
): void {
  const blocks = columns / BLOCK_COLUMNS;
  if (isSuper(format)) {
    superVector(format, weights, stride, streams, x, y, yStride, columns / SUPER_COLUMNS);
  } else if (isSmall(format)) {
    multiplySmallVector(format, weights, stride, streams, x, y, yStride, columns);
  } else if (format == Q8) {
    const kind = vectorDotOf(Q8);
    if (kind == WORDS) q8WordsVector(weights, stride, streams, x, y, yStride, blocks);
    else if (ASC_FEATURE_RELAXED_SIMD && kind == SIGNS) q8SignsVector(weights, stride, streams, x, y, yStride, blocks);
    else if (ASC_FEATURE_RELAXED_SIMD) q8BytesVector(weights, stride, streams, x, y, yStride, blocks);
  } else if (format == Q4) {
    multiplyQ4Vector(weights, stride, streams, x, y, yStride, blocks);
  } else floatsVector(format, weights, stride, streams, x, y, yStride, columns);
}

/** Blocks of Q8: also those that small blocks are expanded to. */
function multiplyQ8Tile(
  kind: Dot,
  weights: usize,
  scratch: usize,
  x: usize,
  y: usize,
  blocks: i32,
  yStride: usize,
): void {
  for (let rows: usize = 0; rows < 16; rows += 8) {
    // 4 bytes of a part, 4 of the scales and 4 of the results for every row.
    const w = weights + rows * 4, scales = scratch + rows * 4, out = y + rows * 4;
    if (kind == WORDS) q8WordsTile(w, scales, x, out, blocks, yStride);
    else if (ASC_FEATURE_RELAXED_SIMD) q8BytesTile(kind, w, scales, x, out, blocks, yStride);
  }
}

function multiplyTwoScalesTile(
  expanded: usize,
  scales: usize,
  x: usize,
  y: usize,
  blocks: i32,
  yStride: usize,
): void {
  for (let rows: usize = 0; rows < 16; rows += 8) {
    twoScalesTile(expanded + rows * 4, scales + rows * 4, x, y + rows * 4, blocks, yStride);
  }
}

/** Blocks of Q4: also those of Q4_MIN, whose integer sums begin otherwise. */
function multiplyQ4Vector(
  weights: usize,
  stride: usize,
  streams: i32,
  x: usize,
  y: usize,
  yStride: usize,
  blocks: i32,
): void {
  if (ASC_FEATURE_RELAXED_SIMD) q4BytesVector(dotOf(Q4), weights, stride, streams, x, y, yStride, blocks);
  else q4WordsVector(weights, stride, streams, x, y, yStride, blocks);
}

function multiplyQ4Tile(weights: usize, scratch: usize, x: usize, y: usize, blocks: i32, yStride: usize): void {
  const step: usize = ASC_FEATURE_RELAXED_SIMD ? 8 : 4;
  for (let rows: usize = 0; rows < 16; rows += step) {
    const w = weights + rows * 4, scales = scratch + rows * 4, out = y + rows * 4;
    if (ASC_FEATURE_RELAXED_SIMD) q4BytesTile(dotOf(Q4), w, scales, x, out, blocks, yStride);
    else q4WordsTile(w, scales, x, out, blocks, yStride);
  }
}

function multiplySmallVector(
  format: Format,
  weights: usize,
  stride: usize,
  streams: i32,
  x: usize,
  y: usize,
  yStride: usize,
  columns: i32,
): void {
  const blocks = columns / BLOCK_COLUMNS;
  if (format == Q4_MIN) multiplyQ4Vector(weights, stride, streams, x, y, yStride, blocks);
  else smallVector(format, weights, stride, streams, x, y, yStride, <usize>blocks);
  if (!hasMinimum(format)) return;
  const minima = weights + smallBlocksBytes(format, <usize>blocks);
  addFloatsVector(F16, minima, stride, streams, x + sumsOffset(format, columns, 1), y, yStride, blocks);
}

function multiplySmallTile(
  format: Format,
  weights: usize,
  scratch: usize,
  x: usize,
  y: usize,
  columns: i32,
  yStride: usize,
): void {
  const blocks = columns / BLOCK_COLUMNS;
  if (format == Q4_MIN) multiplyQ4Tile(weights, scratch, x, y, blocks, yStride);
  else {
    const expanded = scratch + expandedScratch(format, <usize>blocks);
    if (hasTwoScales(format)) multiplyTwoScalesTile(expanded, scratch, x, y, blocks, yStride);
    else multiplyQ8Tile(dotOf(format), expanded, scratch, x, y, blocks, yStride);
  }
  if (!hasMinimum(format)) return;
  const minima = scratch + minimaScratch(<usize>blocks), sums = x + sumsOffset(format, columns, TILE_TOKENS);
  for (let rows: usize = 0; rows < 16; rows += 8) {
    addFloatsTile(minima + rows * 4, sums, y + rows * 4, blocks, yStride);
  }
}

/**
 * One group with a tile of 4 tokens. A kernel takes the rows that its accumulators have registers for: 8, or
 * 4.
 */
function multiplyTile(
  format: Format,
  weights: usize,
  scratch: usize,
  x: usize,
  y: usize,
  columns: i32,
  yStride: usize,
): void {
  const blocks = columns / BLOCK_COLUMNS;
  if (isSuper(format)) {
    const rowsBytes = expandedGroupBytes(format, columns) / 2;
    for (let half: usize = 0; half < 2; half++) {
      superTile(format, scratch + half * rowsBytes, x, y + half * 32, columns / SUPER_COLUMNS, yStride);
    }
  } else if (isSmall(format)) {
    multiplySmallTile(format, weights, scratch, x, y, columns, yStride);
  } else if (format == Q8) {
    multiplyQ8Tile(dotOf(Q8), weights, scratch, x, y, blocks, yStride);
  } else if (format == Q4) {
    multiplyQ4Tile(weights, scratch, x, y, blocks, yStride);
  } else {
    const widened = format == F32 ? weights : scratch;
    floatsTile(widened, x, y, columns, yStride);
    floatsTile(widened + 32, x, y + 32, columns, yStride);
  }
}
