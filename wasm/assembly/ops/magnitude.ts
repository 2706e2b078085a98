import {scale} from './elementwise';
import {sumOfSquares} from './rms-norm';

/**
 * x *= sqrt(mean(reference²) / mean(x²)), which makes x as long as the reference, for each of `tokens` rows of `n` f32;
 * rows of zeros stay. Strides in bytes.
 */
export function matchMagnitude(
  x: usize,
  reference: usize,
  n: i32,
  tokens: i32,
  xStride: usize,
  referenceStride: usize,
): void {
  for (let token: i32 = 0; token < tokens; token++) {
    const squares = sumOfSquares(x, n);
    if (squares != 0) scale(x, <f32>sqrt<f64>(sumOfSquares(reference, n) / squares), n);
    x += xStride;
    reference += referenceStride;
  }
}
