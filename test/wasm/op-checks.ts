/** What tests of single operations have in common. */
import {expect} from '@open-wc/testing';
import {bits} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';

/** Distance of 1 to the next f32: a rounded result is off by up to half of it, times its size. */
export const ulp = 2 ** -23;

/** Runs on all cores, which must give the same bits. */
export function onAll(
  cores: readonly CoreHarness[],
  operation: (core: CoreHarness) => Float32Array,
): Float32Array {
  const results = cores.map(operation);
  for (const result of results) expect(bits(result)).to.deep.equal(bits(results[0]!));
  return results[0]!;
}

/** Largest difference, as a multiple of the wanted value's magnitude (or of `floor`, if that is larger). */
export function relativeError(values: ArrayLike<number>, wanted: ArrayLike<number>, floor = 0): number {
  let largest = 0;
  for (let i = 0; i < wanted.length; i++) {
    const error = Math.abs(values[i]! - wanted[i]!) / Math.max(Math.abs(wanted[i]!), floor);
    largest = Math.max(largest, Number.isNaN(error) ? Infinity : error);
  }
  return largest;
}

/** Every value is as near to the wanted one as `bound` of its index says. */
export function expectWithin(
  values: ArrayLike<number>,
  wanted: ArrayLike<number>,
  bound: (index: number) => number,
): void {
  for (let i = 0; i < wanted.length; i++) {
    expect(values[i], `value ${i}`).to.be.closeTo(wanted[i]!, bound(i));
  }
}
