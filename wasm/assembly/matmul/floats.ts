/**
 * Products of F32, F16 and BF16 weights with f32 activations. Layout of the weights: formats/floats.ts.
 *
 * Every result is one chain `sum = sum + weight * activation`, columns ascending, in all kernels. Activations
 * are the row itself for one token, (columns, 4 tokens) for a tile. For tiles, a group of 16-bit weights is
 * first widened to f32, once for all tokens.
 */
import {F16, F32, Format} from '../formats/format';
import {groupBytes} from '../formats/group';
import {allNormal16, loadBF16x4, loadF16x4, loadNormalF16x4, widenBF16x16, widenF16x16} from '../formats/f16';
import {clearResults, storeTile} from './block';

/** Columns of one stream after which the vector kernel turns to the next one. */
const RUN_COLUMNS: i32 = 32;

/** `streams` groups of 16 rows, `stride` apart, with one token: 16 f32 for each, `yStride` apart. */
export function floatsVector(
  format: Format,
  weights: usize,
  stride: usize,
  streams: i32,
  x: usize,
  y: usize,
  yStride: usize,
  columns: i32,
): void {
  clearResults(y, yStride, streams);
  addFloatsVector(format, weights, stride, streams, x, y, yStride, columns);
}

/** The same, added to what is in the results. */
export function addFloatsVector(
  format: Format,
  weights: usize,
  stride: usize,
  streams: i32,
  x: usize,
  y: usize,
  yStride: usize,
  columns: i32,
): void {
  const runBytes = groupBytes(format, RUN_COLUMNS);
  for (let column: i32 = 0; column < columns; column += RUN_COLUMNS) {
    const end = x + (<usize>min(RUN_COLUMNS, columns - column) << 2);
    let group = weights, results = y;
    for (let stream: i32 = 0; stream < streams; stream++) {
      if (format == F32) addRun<f32>(group, x, end, results);
      else if (format == F16) addRun<u16>(group, x, end, results);
      else addRun<i16>(group, x, end, results);
      group += stride;
      results += yStride;
    }
    weights += runBytes;
    x = end;
  }
}

/** Adds the columns of `x` … `end` to the 16 results at `y`. `T` is f32, u16 for f16, i16 for bf16. */
function addRun<T>(weights: usize, x: usize, end: usize, y: usize): void {
  let f0 = v128.load(y), f1 = v128.load(y, 16), f2 = v128.load(y, 32), f3 = v128.load(y, 48);
  while (x < end) {
    const k = v128.load32_splat(x);
    let w0: v128, w1: v128, w2: v128, w3: v128;
    if (isFloat<T>()) {
      w0 = v128.load(weights);
      w1 = v128.load(weights, 16);
      w2 = v128.load(weights, 32);
      w3 = v128.load(weights, 48);
    } else if (isSigned<T>()) {
      w0 = loadBF16x4(weights);
      w1 = loadBF16x4(weights + 8);
      w2 = loadBF16x4(weights + 16);
      w3 = loadBF16x4(weights + 24);
    } else if (allNormal16(weights)) {
      w0 = loadNormalF16x4(weights);
      w1 = loadNormalF16x4(weights + 8);
      w2 = loadNormalF16x4(weights + 16);
      w3 = loadNormalF16x4(weights + 24);
    } else {
      w0 = loadF16x4(weights);
      w1 = loadF16x4(weights + 8);
      w2 = loadF16x4(weights + 16);
      w3 = loadF16x4(weights + 24);
    }
    f0 = f32x4.add(f0, f32x4.mul(w0, k));
    f1 = f32x4.add(f1, f32x4.mul(w1, k));
    f2 = f32x4.add(f2, f32x4.mul(w2, k));
    f3 = f32x4.add(f3, f32x4.mul(w3, k));
    weights += 16 * sizeof<T>();
    x += 4;
  }
  v128.store(y, f0);
  v128.store(y, f1, 16);
  v128.store(y, f2, 32);
  v128.store(y, f3, 48);
}

/** A group of F16 or BF16 weights, (columns, 16), as f32 at `out`. */
export function widenGroup(format: Format, weights: usize, columns: i32, out: usize): void {
  const end = out + (<usize>columns << 6);
  while (out < end) {
    if (format == F16) widenF16x16(weights, out);
    else widenBF16x16(weights, out);
    weights += 32;
    out += 64;
  }
}

/** 8 rows of a group of f32 weights with a tile of 4 tokens. */
export function floatsTile(weights: usize, x: usize, y: usize, columns: i32, yStride: usize): void {
  for (let token: usize = 0; token < 4; token++) memory.fill(y + token * yStride, 0, 32);
  addFloatsTile(weights, x, y, columns, yStride);
}

/** The same, added to what is in the results. */
export function addFloatsTile(weights: usize, x: usize, y: usize, columns: i32, yStride: usize): void {
  let f0 = v128.load(y), g0 = v128.load(y, 16);
  let f1 = v128.load(y + yStride), g1 = v128.load(y + yStride, 16);
  let f2 = v128.load(y + 2 * yStride), g2 = v128.load(y + 2 * yStride, 16);
  let f3 = v128.load(y + 3 * yStride), g3 = v128.load(y + 3 * yStride, 16);
  const end = x + (<usize>columns << 4);
  while (x < end) {
    const u = v128.load(weights), v = v128.load(weights, 16);
    let k = v128.load32_splat(x);
    f0 = f32x4.add(f0, f32x4.mul(u, k));
    g0 = f32x4.add(g0, f32x4.mul(v, k));
    k = v128.load32_splat(x, 4);
    f1 = f32x4.add(f1, f32x4.mul(u, k));
    g1 = f32x4.add(g1, f32x4.mul(v, k));
    k = v128.load32_splat(x, 8);
    f2 = f32x4.add(f2, f32x4.mul(u, k));
    g2 = f32x4.add(g2, f32x4.mul(v, k));
    k = v128.load32_splat(x, 12);
    f3 = f32x4.add(f3, f32x4.mul(u, k));
    g3 = f32x4.add(g3, f32x4.mul(v, k));
    weights += 64;
    x += 16;
  }
  storeTile(y, yStride, f0, f1, f2, f3, g0, g1, g2, g3);
}
