/**
 * What tokens weigh in a draw: e^(distance / temperature), where a token's distance is its logit minus the
 * largest one; 0 for a distance below `leastDistance`. In f64. Sums have one accumulator and the order of the
 * tokens, so their bits depend on nothing else.
 */
import {exponential2} from './exponential';

/** Sum of e^(logit - largest) over `n` f32. */
export function sumOfExponentials(logits: usize, n: i32, largest: f32): f64 {
  const largest2 = f64x2.splat(<f64>largest);
  let sum: f64 = 0;
  for (const wholeEnd = logits + (<usize>(n & ~1) << 2); logits < wholeEnd; logits += 8) {
    const pair = f64x2.promote_low_f32x4(v128.load64_zero(logits));
    const terms = exponential2(f64x2.sub(pair, largest2));
    sum += f64x2.extract_lane(terms, 0);
    sum += f64x2.extract_lane(terms, 1);
  }
  if (n & 1) {
    const last = f64x2.splat(<f64>load<f32>(logits));
    sum += f64x2.extract_lane(exponential2(f64x2.sub(last, largest2)), 0);
  }
  return sum;
}

/**
 * Running sums of the weights of `n` f32, each `stride` bytes (4 or 8) after the one before: f64 (n) at `sums`,
 * entry i = `start` + the weights up to and with i. Returns the last one. temperature > 0.
 */
export function accumulateWeights(
  logits: usize,
  stride: i32,
  n: i32,
  largest: f32,
  temperature: f64,
  leastDistance: f64,
  start: f64,
  sums: usize,
): f64 {
  const largest2 = f64x2.splat(<f64>largest), temperature2 = f64x2.splat(temperature);
  const least2 = f64x2.splat(leastDistance);
  let sum = start;
  for (const wholeEnd = sums + (<usize>(n & ~1) << 3); sums < wholeEnd; sums += 16) {
    const pair = v128.load32_lane(logits + stride, v128.load32_zero(logits), 1);
    const weights = weights2(pair, largest2, temperature2, least2);
    sum += f64x2.extract_lane(weights, 0);
    store<f64>(sums, sum);
    sum += f64x2.extract_lane(weights, 1);
    store<f64>(sums, sum, 8);
    logits += stride << 1;
  }
  if (n & 1) {
    const last = weights2(v128.load32_zero(logits), largest2, temperature2, least2);
    sum += f64x2.extract_lane(last, 0);
    store<f64>(sums, sum);
  }
  return sum;
}

/** Weights of the first two f32 of `logits`. */
// @ts-ignore: decorator
@inline
function weights2(logits: v128, largest: v128, temperature: v128, leastDistance: v128): v128 {
  const distance = f64x2.sub(f64x2.promote_low_f32x4(logits), largest);
  const near = f64x2.ge(distance, leastDistance);
  if (!v128.any_true(near)) return f64x2.splat(0);
  return v128.and(exponential2(f64x2.div(distance, temperature)), near);
}
