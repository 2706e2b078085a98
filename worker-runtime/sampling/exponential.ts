/**
 * Exponential and logarithm from basic operations alone. Those are exact to the last bit by IEEE 754 in every engine;
 * `Math.exp` and `Math.log` are not, and one bit can choose another token.
 */

const ln2 = Math.LN2;
/** What `Math.LN2` lacks to the real ln 2. */
const ln2Tail = 2.3190468138462996e-17;

/** Steps of the table per power of two. */
const steps = 64;
/** ln 2 / 64 in two parts: the first so short that its product with a step number is exact. */
const stepHigh = Math.fround(ln2 / steps);
const stepLow = (ln2 - stepHigh * steps + ln2Tail) / steps;

/** 2^(i / 64). */
const fractions = Float64Array.from({length: steps}, (_, i) => series((i * ln2) / steps, 20));

const smallestExponent = -1074;
/** 2^(i + smallestExponent); halving is exact, also for denormals. */
const powers = powersOfTwo();

/**
 * e^x for x ≤ 0, to about one unit in the last place.
 *
 * e^x = 2^n · 2^(i/64) · e^r with |r| ≤ ln 2 / 128, where five terms of the series are enough.
 */
export function exponential(x: number): number {
  if (x < -745.2) return 0;
  const step = Math.floor(x * (steps / ln2) + 0.5);
  const r = x - step * stepHigh - step * stepLow;
  const polynomial = 1 + r * (1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120)))));
  const fraction = fractions[step & (steps - 1)] as number;
  return fraction * polynomial * (powers[(step >> 6) - smallestExponent] ?? 0);
}

/**
 * The natural logarithm of a finite x > 0.
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
  return 2 * s * sum + exponent * ln2;
}

function series(x: number, terms: number): number {
  let sum = 1;
  for (let i = terms; i >= 1; i--) sum = 1 + (sum * x) / i;
  return sum;
}

function powersOfTwo(): Float64Array {
  const table = new Float64Array(1 - smallestExponent);
  for (let i = table.length - 1, power = 1; i >= 0; i--, power /= 2) table[i] = power;
  return table;
}
