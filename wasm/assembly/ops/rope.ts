/** Rotary position embedding (https://arxiv.org/abs/2104.09864). */

/** Pairs are (2 i, 2 i + 1), or (i, pairs + i). */
const ADJACENT: i32 = 0;

/**
 * cos and sin of position * frequency, times `scale`: f32 (tokens, pairs, 2) at `out`. `frequencies`: f64
 * (pairs), radians per position. Token t is at position `firstPosition + t`. Computed in f64.
 */
export function ropeTable(
  out: usize,
  frequencies: usize,
  pairs: i32,
  firstPosition: i32,
  tokens: i32,
  scale: f64,
): void {
  for (let token: i32 = 0; token < tokens; token++) {
    const position = <f64>(firstPosition + token);
    for (let pair: i32 = 0; pair < pairs; pair++) {
      const angle = position * load<f64>(frequencies + (<usize>pair << 3));
      store<f32>(out, <f32>(NativeMath.cos(angle) * scale));
      store<f32>(out, <f32>(NativeMath.sin(angle) * scale), 4);
      out += 8;
    }
  }
}

/**
 * Rotates, in place, `heads` heads of `headDim` f32 of each token, token t at `x + t * xStride`, by its row
 * of `table` (tokens, pairs, 2). `style` 0: adjacent pairs; 1: the halves of the first 2 * pairs values.
 * Values from 2 * pairs on stay as they are.
 */
export function rope(
  x: usize,
  table: usize,
  heads: i32,
  headDim: i32,
  pairs: i32,
  tokens: i32,
  xStride: usize,
  style: i32,
): void {
  for (let token: i32 = 0; token < tokens; token++) {
    let head = x;
    for (let h: i32 = 0; h < heads; h++) {
      if (style == ADJACENT) rotateAdjacent(head, table, pairs);
      else rotateHalves(head, table, pairs);
      head += <usize>headDim << 2;
    }
    x += xStride;
    table += <usize>pairs << 3;
  }
}

function rotateAdjacent(x: usize, table: usize, pairs: i32): void {
  const negateEven = i64x2.splat(0x80000000);
  let pair: i32 = 0;
  for (; pair + 2 <= pairs; pair += 2) {
    const v = v128.load(x), t = v128.load(table);
    const cosine = i32x4.shuffle(t, t, 0, 0, 2, 2), sine = i32x4.shuffle(t, t, 1, 1, 3, 3);
    const crossed = v128.xor(f32x4.mul(i32x4.shuffle(v, v, 1, 0, 3, 2), sine), negateEven);
    v128.store(x, f32x4.add(f32x4.mul(v, cosine), crossed));
    x += 16;
    table += 16;
  }
  if (pair < pairs) rotatePair(x, x + 4, table);
}

function rotateHalves(x: usize, table: usize, pairs: i32): void {
  let other = x + (<usize>pairs << 2);
  let pair: i32 = 0;
  for (; pair + 4 <= pairs; pair += 4) {
    const a = v128.load(x), b = v128.load(other);
    const t = v128.load(table), u = v128.load(table, 16);
    const cosine = i32x4.shuffle(t, u, 0, 2, 4, 6), sine = i32x4.shuffle(t, u, 1, 3, 5, 7);
    v128.store(x, f32x4.sub(f32x4.mul(a, cosine), f32x4.mul(b, sine)));
    v128.store(other, f32x4.add(f32x4.mul(b, cosine), f32x4.mul(a, sine)));
    x += 16;
    other += 16;
    table += 32;
  }
  for (; pair < pairs; pair++) {
    rotatePair(x, other, table);
    x += 4;
    other += 4;
    table += 8;
  }
}

function rotatePair(first: usize, second: usize, table: usize): void {
  const a = load<f32>(first), b = load<f32>(second);
  const cosine = load<f32>(table), sine = load<f32>(table, 4);
  store<f32>(first, a * cosine - b * sine);
  store<f32>(second, b * cosine + a * sine);
}
