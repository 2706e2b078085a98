/** Sum of `n` f32 in f64: column i into chain i mod 4, so that the order is fixed. */
export function sumOf(x: usize, n: i32): f64 {
  let low = f64x2.splat(0), high = low;
  const wholeEnd = x + (<usize>(n & ~3) << 2), end = x + (<usize>n << 2);
  for (; x < wholeEnd; x += 16) {
    low = f64x2.add(low, f64x2.promote_low_f32x4(v128.load64_zero(x)));
    high = f64x2.add(high, f64x2.promote_low_f32x4(v128.load64_zero(x, 8)));
  }
  const sums = f64x2.add(low, high);
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  for (; x < end; x += 4) sum += <f64>load<f32>(x);
  return sum;
}

/** Sum of (x - mean)² of `n` f32, in the same order. */
export function sumOfDeviations(x: usize, n: i32, mean: f64): f64 {
  let low = f64x2.splat(0), high = low;
  const means = f64x2.splat(mean);
  const wholeEnd = x + (<usize>(n & ~3) << 2), end = x + (<usize>n << 2);
  for (; x < wholeEnd; x += 16) {
    const a = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(x)), means);
    const b = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(x, 8)), means);
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
  }
  const sums = f64x2.add(low, high);
  let sum = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  for (; x < end; x += 4) {
    const last = <f64>load<f32>(x) - mean;
    sum += last * last;
  }
  return sum;
}

/**
 * y = (x - mean(x)) / sqrt(variance(x) + epsilon) * weight + bias for each of `tokens` rows of `n` f32; y may be x.
 * `weight` and `bias`: (n), or 0 for none. Strides in bytes.
 */
export function layerNorm(
  x: usize,
  weight: usize,
  bias: usize,
  y: usize,
  n: i32,
  epsilon: f32,
  tokens: i32,
  xStride: usize,
  yStride: usize,
): void {
  for (let token: i32 = 0; token < tokens; token++) {
    const mean = sumOf(x, n) / <f64>n;
    const variance = sumOfDeviations(x, n, mean) / <f64>n;
    const factor = <f32>(1 / sqrt<f64>(variance + <f64>epsilon));
    normalise(x, weight, bias, y, n, <f32>mean, factor);
    x += xStride;
    y += yStride;
  }
}

function normalise(x: usize, weight: usize, bias: usize, y: usize, n: i32, mean: f32, factor: f32): void {
  const bytes = <usize>n << 2;
  const means = f32x4.splat(mean), factors = f32x4.splat(factor);
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) {
    let v = f32x4.mul(f32x4.sub(v128.load(x + i), means), factors);
    if (weight) v = f32x4.mul(v, v128.load(weight + i));
    if (bias) v = f32x4.add(v, v128.load(bias + i));
    v128.store(y + i, v);
  }
  for (; i < bytes; i += 4) {
    let v = (load<f32>(x + i) - mean) * factor;
    if (weight) v *= load<f32>(weight + i);
    if (bias) v += load<f32>(bias + i);
    store<f32>(y + i, v);
  }
}
