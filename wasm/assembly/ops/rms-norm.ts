/** Sum of squares of `n` f32 in f64: column i into chain i mod 4, so that the order is fixed. */
export function sumOfSquares(x: usize, n: i32): f64 {
  let low = f64x2.splat(0), high = low;
  const wholeEnd = x + (<usize>(n & ~3) << 2), end = x + (<usize>n << 2);
  for (; x < wholeEnd; x += 16) {
    const a = f64x2.promote_low_f32x4(v128.load64_zero(x));
    const b = f64x2.promote_low_f32x4(v128.load64_zero(x, 8));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
  }
  const sums = f64x2.add(low, high);
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  for (; x < end; x += 4) {
    const last = <f64>load<f32>(x);
    sum += last * last;
  }
  return sum;
}

/**
 * y = x / sqrt(mean(x²) + epsilon) * weight for each of `tokens` rows of `n` f32; y may be x. `weight`:
 * (n), or 0 for none. Strides in bytes.
 */
export function rmsNorm(
  x: usize,
  weight: usize,
  y: usize,
  n: i32,
  epsilon: f32,
  tokens: i32,
  xStride: usize,
  yStride: usize,
): void {
  const bytes = <usize>n << 2;
  for (let token: i32 = 0; token < tokens; token++) {
    const mean = <f32>(sumOfSquares(x, n) / <f64>n);
    const scale = f32x4.splat(1 / sqrt<f32>(mean + epsilon));
    let i: usize = 0;
    for (; i + 16 <= bytes; i += 16) {
      const v = f32x4.mul(v128.load(x + i), scale);
      v128.store(y + i, weight ? f32x4.mul(v, v128.load(weight + i)) : v);
    }
    for (; i < bytes; i += 4) {
      const v = load<f32>(x + i) * f32x4.extract_lane(scale, 0);
      store<f32>(y + i, weight ? v * load<f32>(weight + i) : v);
    }
    x += xStride;
    y += yStride;
  }
}
