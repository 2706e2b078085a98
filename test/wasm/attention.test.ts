import {expect} from '@open-wc/testing';
import {attend, f16ToNumber, numberToF16} from '../helpers/core-reference.ts';
import {allCores, bits, kvType, randomFloats} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';

interface Shape {
  readonly kvHeads: number;
  readonly headsPerKv: number;
  readonly headDim: number;
  readonly capacity: number;
  readonly window: number;
}

type Rows = readonly Float32Array[];

/** Queries, keys and values of `tokens` positions: a row is all heads of a token. */
function randomTokens({kvHeads, headsPerKv, headDim}: Shape, tokens: number): {q: Rows; k: Rows; v: Rows} {
  const rows = (size: number, seed: number, scale: number) =>
    Array.from({length: tokens}, (_, t) => randomFloats(size, seed + t, scale));
  const kvSize = kvHeads * headDim;
  return {q: rows(kvSize * headsPerKv, 1, 3), k: rows(kvSize, 2000, 3), v: rows(kvSize, 4000, 2)};
}

/** Runs all tokens in slices of the given size; the outputs of all tokens. */
function run(
  core: CoreHarness,
  type: number,
  shape: Shape,
  input: {q: Rows; k: Rows; v: Rows},
  slice: number,
) {
  const {kvHeads, headsPerKv, headDim, capacity, window} = shape;
  core.reset();
  const cacheBytes = core.run('kvBytes', type, kvHeads, headDim, capacity);
  const [kCache, vCache] = [core.allocate(cacheBytes), core.allocate(cacheBytes)];
  const rowStride = Math.ceil((kvHeads * headsPerKv * headDim) / 16) * 64;
  const outputs: Float32Array[] = [];
  const [q, k, v, out] = [0, 1, 2, 3].map(() => core.allocate(slice * rowStride)) as [
    number,
    number,
    number,
    number,
  ];
  const scratch = core.allocate(core.run('attentionScratchBytes', headDim, headsPerKv, slice));
  for (let first = 0; first < input.q.length; first += slice) {
    const tokens = Math.min(slice, input.q.length - first);
    const view = new Float32Array(core.memory.buffer);
    for (let t = 0; t < tokens; t++) {
      view.set(input.q[first + t]!, (q + t * rowStride) / 4);
      view.set(input.k[first + t]!, (k + t * rowStride) / 4);
      view.set(input.v[first + t]!, (v + t * rowStride) / 4);
    }
    core.run('storeK', type, k, kCache, kvHeads, headDim, capacity, first, tokens, rowStride);
    core.run('storeV', type, v, vCache, kvHeads, headDim, capacity, first, tokens, rowStride);
    const scale = 1 / Math.sqrt(headDim);
    const sizes = [
      kvHeads,
      headsPerKv,
      headDim,
      capacity,
      first,
      tokens,
      scale,
      window,
      rowStride,
      rowStride,
    ];
    core.run('attention', type, q, kCache, vCache, out, scratch, ...sizes);
    for (let t = 0; t < tokens; t++)
      outputs.push(core.f32(out + t * rowStride, kvHeads * headsPerKv * headDim));
  }
  return outputs;
}

/** One head of one token, in f64. */
function expectedHead(
  type: number,
  shape: Shape,
  input: {q: Rows; k: Rows; v: Rows},
  token: number,
  head: number,
) {
  const {headsPerKv, headDim, window} = shape;
  const kvHead = Math.floor(head / headsPerKv);
  const from = window > 0 ? Math.max(0, token - window + 1) : 0;
  const stored = (x: number) => (type === kvType.f16 ? f16ToNumber(numberToF16(x)) : x);
  const visible = (rows: Rows) =>
    rows.slice(from, token + 1).map((row) => row.slice(kvHead * headDim, (kvHead + 1) * headDim).map(stored));
  const q = input.q[token]!.slice(head * headDim, (head + 1) * headDim);
  return attend(q, visible(input.k), visible(input.v), 1 / Math.sqrt(headDim));
}

const shapes: Record<string, Shape> = {
  'grouped heads of 64': {kvHeads: 2, headsPerKv: 3, headDim: 64, capacity: 100, window: 0},
  'heads of 8': {kvHeads: 4, headsPerKv: 2, headDim: 8, capacity: 100, window: 0},
  'heads of 80': {kvHeads: 1, headsPerKv: 1, headDim: 80, capacity: 96, window: 0},
  'heads of 4': {kvHeads: 2, headsPerKv: 1, headDim: 4, capacity: 70, window: 0},
  'heads of 128, window of 40': {kvHeads: 1, headsPerKv: 2, headDim: 128, capacity: 97, window: 40},
  'window of 1': {kvHeads: 1, headsPerKv: 1, headDim: 16, capacity: 70, window: 1},
};

describe('attention', () => {
  let cores: CoreHarness[];
  before(async () => {
    cores = await allCores();
  });
  afterEach(() => cores.forEach((core) => core.reset()));

  for (const [name, shape] of Object.entries(shapes)) {
    for (const [typeName, type] of Object.entries(kvType)) {
      it(`${name}, ${typeName} cache: softmax over what a token sees, the same bits for all slices`, () => {
        const tokens = Math.min(shape.capacity, 70);
        const input = randomTokens(shape, tokens);
        const reference = run(cores[0]!, type, shape, input, 1);
        for (const token of [0, 1, 31, 32, 45, tokens - 1]) {
          for (let head = 0; head < shape.kvHeads * shape.headsPerKv; head++) {
            const wanted = expectedHead(type, shape, input, token, head);
            // Scores reach 9 headDim / sqrt(headDim) in f32, some 2^-22 * 9 sqrt(headDim) off; values are below 2.
            const tolerance = 2 * 9 * Math.sqrt(shape.headDim) * 2 ** -21 + 1e-6;
            wanted.forEach((value, d) => {
              expect(reference[token]![head * shape.headDim + d]).to.be.closeTo(value, tolerance);
            });
          }
        }
        for (const core of cores) {
          for (const slice of [1, 7, 32, tokens]) {
            expect(run(core, type, shape, input, slice).map(bits)).to.deep.equal(reference.map(bits));
          }
        }
      });
    }
  }

  it('weights are exact to some units in the last place, down to the smallest', () => {
    const shape = {kvHeads: 1, headsPerKv: 1, headDim: 4, capacity: 32, window: 0};
    for (const core of cores) {
      for (let x = 0; x < 87; x += 0.37) {
        // Scores are 0 and -x (the scale is 1 / 2); only the second value is not 0.
        const rows = (first: number, second: number) => [
          Float32Array.of(first, 0, 0, 0),
          Float32Array.of(second, 0, 0, 0),
        ];
        const input = {q: rows(2, 2), k: rows(0, -x), v: rows(0, 1)};
        const weight = Math.exp(-Math.fround(x)) / (1 + Math.exp(-Math.fround(x)));
        const [, second] = run(core, kvType.f32, shape, input, 2);
        // Two for e^x, one half each for the sum, its inverse and the product.
        expect(second![0]! / weight).to.be.closeTo(1, 4 * 2 ** -23);
      }
    }
  });

  it('passes NaN on', () => {
    const shape = shapes['heads of 8']!;
    const input = randomTokens(shape, 3);
    input.k[1]![3] = NaN;
    for (const core of cores) {
      const [first, second] = run(core, kvType.f16, shape, input, 3);
      expect(first!.every(Number.isFinite)).to.be.true;
      expect(second!.some(Number.isNaN)).to.be.true;
    }
  });
});
