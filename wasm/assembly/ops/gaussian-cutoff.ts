import {sumOf, sumOfDeviations} from './layer-norm';

/**
 * x = max(x - cutoff, 0) for each of `tokens` rows of `n` f32, `stride` bytes apart: what is above the mean of its row by
 * more than `deviations` standard deviations stays, of a normal distribution a certain share. The deviation is that of a
 * sample, of n - 1 degrees of freedom. NaN stays.
 */
export function cutBelow(x: usize, n: i32, deviations: f32, tokens: i32, stride: usize): void {
  const zero = f32x4.splat(0);
  for (let token: i32 = 0; token < tokens; token++, x += stride) {
    const mean = sumOf(x, n) / <f64>n;
    const deviation = sqrt<f64>(sumOfDeviations(x, n, mean) / <f64>(n - 1));
    const cutoff = f32x4.splat(<f32>(mean + <f64>deviations * deviation));
    for (let i: usize = 0, end = <usize>n << 2; i < end; i += 16) {
      v128.store(x + i, f32x4.max(f32x4.sub(v128.load(x + i), cutoff), zero));
    }
  }
}
