import {scan} from '../helpers/mixer-reference.ts';
import type {Scan} from '../helpers/mixer-reference.ts';
import {absolutes, tokens} from './mixer-checks.ts';
import {expectWithin, ulp} from './op-checks.ts';

const magnitudes = ({inputs, steps, b, c, rates, skip}: Scan): Scan => ({
  inputs: absolutes(inputs),
  steps,
  b: b.map(absolutes),
  c: c.map(absolutes),
  rates,
  skip: Math.abs(skip),
});

/**
 * Compares a channel with the recurrence in f64. What is added up is at most what the same recurrence gives of absolute
 * values, and errs, in units in the last place, by
 * - `stepError` of the step, as a factor, and three rounded products and sums,
 * - for each token that has passed: the error of the decay, a product and a sum,
 * - a product, stateLength / 4 sums, two of the four chains, one with the skip, whose own product is rounded, too.
 */
export function expectChannel(
  outputs: readonly number[],
  state: readonly number[],
  recurrence: Scan,
  before: readonly number[],
  {stepError, powerError}: {stepError: number; powerError: number},
): void {
  const wanted = scan(recurrence, before);
  const sizes = scan(magnitudes(recurrence), absolutes(before));
  const exponent = Math.max(...recurrence.steps) * Math.max(...absolutes(recurrence.rates));
  const decayError = exponent * (stepError + 0.5) + powerError;
  const ofState = stepError + 1.5 + tokens * (decayError + 1);
  const ofOutput = ofState + (before.length / 4 + 5) / 2;
  expectWithin(outputs, wanted.outputs, (token) => ofOutput * ulp * sizes.outputs[token]!);
  expectWithin(state, wanted.state, (n) => ofState * ulp * sizes.state[n]!);
}
