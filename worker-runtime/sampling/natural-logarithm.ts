/**
 * The natural logarithm of a finite x > 0, from basic operations alone. Those are exact to the last bit by IEEE 754 in
 * every engine; `Math.log` is not, and one bit can choose another token.
 *
 * x = 2^n · m with m about 1; ln m = 2 · artanh((m − 1) / (m + 1)).
 */
export function naturalLogarithm(x: number): number {
  let mantissa = x;
  let exponent = 0;
  for (; mantissa > Math.SQRT2; mantissa /= 2) exponent++;
  for (; mantissa < Math.SQRT1_2; mantissa *= 2) exponent--;
  const s = (mantissa - 1) / (mantissa + 1);
  const square = s * s;
  let sum = 0;
  for (let odd = 23; odd >= 1; odd -= 2) sum = sum * square + 1 / odd;
  return 2 * s * sum + exponent * Math.LN2;
}
