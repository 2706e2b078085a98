/**
 * Activations as the products want them (layouts: block.ts), once for all matrices that read the same input.
 *
 * For Q8 and Q4 they are quantised in blocks of 32 columns: d = largest |x| / 127, q = x / d rounded half to
 * even, and d itself rounded to f16, as ggml does with the activations of these types.
 *
 * The buffer: tiles of 4 tokens · the tokens that are left, one by one · scratch for the batch kernels.
 */
import {BLOCK_COLUMNS, F32, Format, isQuantised, isSmall, isSuper, Q4, Q4_MIN, Q8} from '../formats/format';
import {hasMinimum, hasTwoScales} from '../formats/small-block';
import {SUPER_COLUMNS} from '../formats/super-block';
import {offsetOf} from '../formats/type-values';
import {roundToF16} from '../formats/f16';
import {largestMagnitude, quantise16, sumBytes, sumNegatives} from '../formats/quantise';
import {BYTES_BLOCK, TILE_TOKENS, WORDS_BLOCK, WORDS_SHIFT} from './block';
import {q8Start, usesWords} from './dot-mode';
import {storeBytes, storeQ4Words, storeQ8Words, storeSigns} from './store-activations';
import {quantiseSuperRow, superBytes} from './super-activations';
import {smallScratchBytes} from './small-tile';
import {expandedGroupBytes} from './super-tile';

/** Offset of the f32 sums of blocks, (blocks, tokens), that minima are multiplied with, for 1 token or a tile of 4. */
// @ts-ignore: decorator
@inline
export function sumsOffset(format: Format, columns: i32, tokens: usize): usize {
  return <usize>(columns / BLOCK_COLUMNS) * tokens * (usesWords(format) ? WORDS_BLOCK : BYTES_BLOCK);
}

/** Bytes of the prepared activations of one token. */
// @ts-ignore: decorator
@inline
export function tokenBytes(format: Format, columns: i32): usize {
  if (!isQuantised(format)) return <usize>columns << 2;
  if (isSuper(format)) return <usize>(columns / SUPER_COLUMNS) * superBytes(usesWords(format));
  return sumsOffset(format, columns, 1) + (hasMinimum(format) ? <usize>(columns / BLOCK_COLUMNS) * 4 : 0);
}

/** Where the scratch of the batch kernels begins: after the activations, at a multiple of 64. */
// @ts-ignore: decorator
@inline
export function scratchOffset(format: Format, columns: i32, tokens: i32): usize {
  return (<usize>tokens * tokenBytes(format, columns) + 63) & ~63;
}

/**
 * Scratch holds one group's scales (blocks, 16) or one group of widened 16-bit weights (columns, 16), as f32.
 */
function scratchBytes(format: Format, columns: i32, tokens: i32): usize {
  if (tokens < TILE_TOKENS || format == F32) return 0;
  if (isSmall(format)) return smallScratchBytes(format, columns);
  if (isSuper(format)) return expandedGroupBytes(format, columns);
  return <usize>(isQuantised(format) ? columns / BLOCK_COLUMNS : columns) << 6;
}

/** Bytes of the buffer of `tokens` prepared tokens. */
export function activationBytes(format: Format, columns: i32, tokens: i32): usize {
  return scratchOffset(format, columns, tokens) + scratchBytes(format, columns, tokens);
}

/** f32 rows: token t at `x + t * xStride`. Written to `out`, a buffer of `activationBytes`. */
export function prepareActivations(
  format: Format,
  x: usize,
  columns: i32,
  tokens: i32,
  xStride: usize,
  out: usize,
): void {
  const tiled = tokens & ~(TILE_TOKENS - 1);
  const bytes = tokenBytes(format, columns);
  for (let token: i32 = 0; token < tokens; token++) {
    const lane = <usize>(token < tiled ? token & (TILE_TOKENS - 1) : 0);
    const lanes = <usize>(token < tiled ? TILE_TOKENS : 1);
    const target = out + (<usize>token - lane) * bytes;
    if (isSuper(format)) quantiseSuperRow(usesWords(format), x, columns, target, lane, lanes);
    else if (isQuantised(format)) quantiseRow(format, x, columns, target, lane, lanes);
    else copyRow(x, columns, target + lane * 4, lanes * 4);
    x += xStride;
  }
}

function copyRow(x: usize, columns: i32, out: usize, step: usize): void {
  for (let column: i32 = 0; column < columns; column++) {
    store<f32>(out, load<f32>(x));
    x += 4;
    out += step;
  }
}

/** One row into lane `lane` of a tile of `lanes` tokens. */
function quantiseRow(format: Format, x: usize, columns: i32, out: usize, lane: usize, lanes: usize): void {
  const words = usesWords(format);
  const dataBytes: usize = words ? 64 : 32;
  const signs = ASC_FEATURE_RELAXED_SIMD && words && lanes == 1;
  let sums = out + sumsOffset(format, columns, lanes) + lane * 4;
  for (let column: i32 = 0; column < columns; column += BLOCK_COLUMNS) {
    const d = largestMagnitude(x, x + 128) / 127;
    const scale = roundToF16(d);
    // Where the scale is 0 nothing remains; 1 / d might overflow there.
    const inverse = f32x4.splat(scale > 0 ? 1 / d : 0);
    const low = quantise16(x, inverse), high = quantise16(x + 64, inverse);
    const lowSum = sumBytes(low), highSum = sumBytes(high);
    const sum = lowSum + highSum;
    if (signs) storeSigns(out, low, high);
    else if (!words) storeBytes(out + lane * 4, lanes * 4, low, high);
    else if (format == Q4 || format == Q4_MIN) storeQ4Words(out + lane * 16, lanes * 16, low, high);
    else storeQ8Words(out + lane * 8, lanes * 8, low, high);
    const tail = out + dataBytes * lanes + lane * 4;
    store<f32>(tail, scale);
    if (hasTwoScales(format)) {
      store<i16>(tail + lanes * 4, <i16>startOf(format, lowSum));
      store<i16>(tail + lanes * 4, <i16>startOf(format, highSum), 2);
    } else {
      const start = startOf(format, sum);
      if (signs) store<i32>(tail + 4, sumNegatives(low, high, sum));
      else store<i32>(tail + lanes * 4, words ? start << WORDS_SHIFT : start);
    }
    if (hasMinimum(format)) {
      store<f32>(sums, scale * <f32>sum);
      sums += lanes * 4;
    }
    x += 128;
    out += (dataBytes + 8) * lanes;
  }
}

/** What an integer sum begins with, for activations of the given sum: it takes back the offset of the operands. */
function startOf(format: Format, sum: i32): i32 {
  if (format == Q8) return q8Start(sum);
  return -sum * (format == Q4 ? 8 : offsetOf(format));
}
