import {expect} from '@open-wc/testing';
import {Attention, expectedHead, randomTokens, run, tolerance} from './attention-harness.ts';
import type {KvName, Rows, Shape} from './attention-harness.ts';
import {allCores, bits, kvType} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';

const shapes: Record<string, Shape> = {
  'three heads of 64 for one of K and V': {kvHeads: 2, headsPerKv: 3, headDim: 64, capacity: 100, window: 0},
  'four heads of 64 for one': {kvHeads: 2, headsPerKv: 4, headDim: 64, capacity: 100, window: 0},
  'seven heads of 36 for one': {kvHeads: 1, headsPerKv: 7, headDim: 36, capacity: 96, window: 0},
  'heads of 8': {kvHeads: 4, headsPerKv: 2, headDim: 8, capacity: 100, window: 0},
  'heads of 80': {kvHeads: 1, headsPerKv: 1, headDim: 80, capacity: 96, window: 0},
  'heads of 4': {kvHeads: 2, headsPerKv: 1, headDim: 4, capacity: 70, window: 0},
  'window of 40': {kvHeads: 1, headsPerKv: 2, headDim: 128, capacity: 97, window: 40},
  'window of 33': {kvHeads: 1, headsPerKv: 4, headDim: 20, capacity: 97, window: 33},
  'window of 1': {kvHeads: 1, headsPerKv: 1, headDim: 16, capacity: 70, window: 1},
};

describe('attention', () => {
  let cores: CoreHarness[];
  before(async () => {
    cores = await allCores(256);
  });
  afterEach(() => cores.forEach((core) => core.reset()));

  for (const [name, shape] of Object.entries(shapes)) {
    for (const type of Object.keys(kvType) as KvName[]) {
      it(`${name}, ${type} cache: softmax over what a token sees, the same bits for all slices`, () => {
        const tokens = 70;
        const input = randomTokens(shape, tokens);
        const reference = run(cores[0]!, type, shape, input, 1);
        for (const token of [0, 1, 31, 32, 45, 63, 64, tokens - 1]) {
          for (let head = 0; head < shape.kvHeads * shape.headsPerKv; head++) {
            expectedHead(type, shape, input, token, head).forEach((value, d) => {
              const actual = reference[token]![head * shape.headDim + d];
              expect(actual).to.be.closeTo(value, tolerance(shape));
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

  it('gives a head the same bits, whatever other heads are in the call', () => {
    const shape = {kvHeads: 3, headsPerKv: 4, headDim: 36, capacity: 96, window: 0};
    const input = randomTokens(shape, 70);
    for (const type of Object.keys(kvType) as KvName[]) {
      const all = run(cores[0]!, type, shape, input, 16).map(bits);
      for (let kvHead = 0; kvHead < shape.kvHeads; kvHead++) {
        const part = (rows: Rows, size: number) =>
          rows.map((row) => row.slice(kvHead * size, (kvHead + 1) * size));
        const group = shape.headsPerKv * shape.headDim;
        const own = {q: part(input.q, group), k: part(input.k, 36), v: part(input.v, 36)};
        const alone = run(cores[0]!, type, {...shape, kvHeads: 1}, own, 16).map(bits);
        expect(alone).to.deep.equal(all.map((row) => row.slice(kvHead * group, (kvHead + 1) * group)));
      }
    }
  });

  describe('with a ring', () => {
    const tokens = 300;

    for (const [window, slice] of [
      [40, 1],
      [40, 25],
      [33, 64],
      [62, 3],
      [1, 5],
      [64, 64],
    ] as const) {
      it(`of a window of ${window} and slices of ${slice}: as if nothing had been overwritten`, () => {
        const whole = {kvHeads: 2, headsPerKv: 2, headDim: 36, capacity: tokens, window};
        const input = randomTokens(whole, tokens);
        // What the first token of a slice sees, and the slice: the core pads it to whole blocks.
        const ring = {...whole, capacity: window + slice - 1};
        for (const type of Object.keys(kvType) as KvName[]) {
          for (const core of cores) {
            const expected = run(core, type, whole, input, slice).map(bits);
            expect(run(core, type, ring, input, slice).map(bits)).to.deep.equal(expected);
          }
        }
      });
    }

    it('goes back to any position whose window is still there', () => {
      const window = 40;
      const shape = {kvHeads: 1, headsPerKv: 2, headDim: 32, capacity: 128, window};
      const input = randomTokens(shape, tokens);
      const other = randomTokens({...shape, headsPerKv: 1}, tokens);
      for (const type of Object.keys(kvType) as KvName[]) {
        const expected = run(cores[0]!, type, {...shape, capacity: tokens}, input, 16).map(bits);
        const attention = new Attention(cores[0]!, type, shape);
        for (let first = 0; first < 200; first += 20) attention.feed(input, first, 20);
        // Positions 200 to 219 with other values: the oldest that is left is 220 - 128 = 92.
        attention.feed({...other, q: input.q}, 200, 20);
        const back = 92 + window - 1;
        const again = attention.feed(input, back, 50).map(bits);
        expect(again).to.deep.equal(expected.slice(back, back + 50));
      }
    });
  });

  it('keeps a q8_0 cache in 34 bytes for 32 values', () => {
    for (const core of cores) {
      expect(core.run('kvBytes', kvType.q8_0, 3, 64, 64)).to.equal(3 * 64 * 68);
      // A last group that is shorter has a scale of its own.
      expect(core.run('kvBytes', kvType.q8_0, 1, 36, 32)).to.equal(32 * (36 + 4));
      // Positions are padded to whole blocks.
      expect(core.run('kvBytes', kvType.q8_0, 1, 32, 33)).to.equal(64 * 34);
    }
  });

  it('takes zeros, and what is too small for the scale of a q8_0 cache, as zeros', () => {
    const shape = {kvHeads: 1, headsPerKv: 1, headDim: 32, capacity: 32, window: 0};
    for (const tiny of [0, 1e-40, 1e-9]) {
      const rows = (value: number) => [new Float32Array(32).fill(value)];
      for (const core of cores) {
        const [out] = run(core, 'q8_0', shape, {q: rows(1), k: rows(tiny), v: rows(tiny)}, 1);
        expect([...out!]).to.deep.equal(new Array(32).fill(0));
      }
    }
  });

  it('keeps the zeros and subnormals of an f16 cache exactly', () => {
    const shape = {kvHeads: 1, headsPerKv: 4, headDim: 16, capacity: 64, window: 0};
    const input = randomTokens(shape, 40);
    // Keys and values of 2^-24 to 2^-10, some of them 0; scores are near 0, so that all positions count.
    const small = (rows: Rows) =>
      rows.map((row, t) => row.map((x, i) => (i % 5 === 0 ? 0 : x * 2 ** (-11 - ((i + t) % 14)))));
    const smallInput = {q: input.q, k: small(input.k), v: small(input.v)};
    for (const core of cores) {
      // Slices of one token are widened on the way into registers where a block allows it, others in memory.
      const outputs = run(core, 'f16', shape, smallInput, 8);
      expect(run(core, 'f16', shape, smallInput, 1).map(bits)).to.deep.equal(outputs.map(bits));
      for (let head = 0; head < shape.headsPerKv; head++) {
        expectedHead('f16', shape, smallInput, 39, head).forEach((value, d) => {
          // Values are below 2^-10: the tolerance shrinks with them.
          const actual = outputs[39]![head * shape.headDim + d];
          expect(actual).to.be.closeTo(value, tolerance(shape) * 2 ** -11);
        });
      }
    }
  });

  it('gives the same bits in all slices where a block of an f16 cache has special values, or queries are huge', () => {
    const shape = {kvHeads: 1, headsPerKv: 2, headDim: 16, capacity: 128, window: 0};
    const plain = randomTokens(shape, 100);
    const edit = (rows: Rows, token: number, value: number) =>
      rows.map((row, t) => (t === token ? row.map((x, i) => (i === 5 ? value : x)) : row));
    for (const input of [
      {...plain, k: edit(plain.k, 40, 2 ** -20)},
      {...plain, v: edit(plain.v, 40, 2 ** -20)},
      {...plain, k: edit(plain.k, 40, 65504), v: edit(plain.v, 70, -65504)},
      {...plain, q: edit(plain.q, 80, 2 ** 17)},
      {...plain, q: edit(plain.q, 80, -(2 ** 100))},
    ]) {
      for (const core of cores) {
        const expected = run(core, 'f16', shape, input, 16);
        expect(expected.every((row) => row.every(Number.isFinite))).to.be.true;
        expect(run(core, 'f16', shape, input, 1).map(bits)).to.deep.equal(expected.map(bits));
      }
    }
  });

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
        const [, second] = run(core, 'f32', shape, input, 2);
        // Two for e^x, one half each for the sum, its inverse and the product.
        expect(second![0]! / weight).to.be.closeTo(1, 4 * 2 ** -23);
      }
    }
  });

  it('passes on what is not finite', () => {
    const shape = shapes['heads of 8']!;
    for (const rows of ['q', 'k', 'v'] as const) {
      for (const value of [NaN, Infinity, -Infinity]) {
        const input = randomTokens(shape, 3);
        input[rows][1]![3] = value;
        for (const type of Object.keys(kvType) as KvName[]) {
          for (const core of cores) {
            for (const slice of [1, 3]) {
              const [first, second] = run(core, type, shape, input, slice);
              expect(first!.every(Number.isFinite)).to.be.true;
              // A key may be infinitely far away from the query: it has no weight then.
              if (rows !== 'k' || Number.isNaN(value)) expect(second!.every(Number.isFinite)).to.be.false;
            }
          }
        }
      }
    }
  });
});
