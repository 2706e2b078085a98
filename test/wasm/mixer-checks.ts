/** What tests of operations with a state have in common. */
import {expect} from '@open-wc/testing';
import type {Row} from '../helpers/mixer-reference.ts';
import {bits} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';

export const tokens = 5;

/** The same tokens at once, one by one, and in between. */
export const slicings = [[5], [1, 1, 1, 1, 1], [2, 3], [4, 1]] as const;

/** What an operation gave: outputs of all tokens, state behind the last one. */
export interface Given {
  readonly outputs: Float32Array;
  readonly state: Float32Array;
}

/** Runs the tokens from `start` on: reads the state at `from` and writes it at `to`. */
export type Step = (start: number, count: number, from: number, to: number) => void;

/** Runs slice after slice, from one state to the other and back, or in place; returns the last state. */
export function runSlices(
  core: CoreHarness,
  slices: readonly number[],
  before: Float32Array,
  step: Step,
  inPlace = false,
): Float32Array {
  let from = core.put(before);
  let to = inPlace ? from : core.allocate(before.byteLength);
  let start = 0;
  for (const count of slices) {
    step(start, count, from, to);
    start += count;
    [from, to] = [to, from];
  }
  return core.f32(from, before.length);
}

/** All cores, slicings and, where it is allowed, states in place give the same bits. */
export function sameInAllWays(
  cores: readonly CoreHarness[],
  run: (core: CoreHarness, slices: readonly number[], inPlace: boolean) => Given,
  mayBeInPlace = true,
): Given {
  const first = run(cores[0]!, slicings[0], false);
  for (const core of cores) {
    for (const slices of slicings) {
      for (const inPlace of mayBeInPlace ? [false, true] : [false]) {
        const given = run(core, slices, inPlace);
        const way = `${core.variant}, slices ${slices.join('+')}${inPlace ? ', in place' : ''}`;
        expect(bits(given.outputs), way).to.deep.equal(bits(first.outputs));
        expect(bits(given.state), way).to.deep.equal(bits(first.state));
        core.reset();
      }
    }
  }
  return first;
}

/** Columns `first` to `first + count` of each token's row. */
export function columns(values: Float32Array, stride: number, first: number, count: number): Row[] {
  return Array.from({length: tokens}, (_, token) => [
    ...values.subarray(token * stride + first, token * stride + first + count),
  ]);
}

/** One column of each token's row. */
export function column(values: Float32Array, stride: number, index: number): Row {
  return columns(values, stride, index, 1).map(([value]) => value!);
}

/** Rows of `length`, `count` of them, from `first` on. */
export function rowsOf(values: Float32Array, first: number, count: number, length: number): Row[] {
  return Array.from({length: count}, (_, row) => [
    ...values.subarray(first + row * length, first + (row + 1) * length),
  ]);
}

export const absolutes = (row: Row): number[] => row.map(Math.abs);
