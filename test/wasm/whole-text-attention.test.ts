/** Attention of encoders, whose tokens see what follows them, too. */
import {expect} from '@open-wc/testing';
import {attend} from '../helpers/core-reference.ts';
import {allCores, bits, kvType, randomFloats} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';

const [kvHeads, headsPerKv, headDim] = [2, 2, 20];
const heads = kvHeads * headsPerKv;
/** Four blocks of 32 positions, the last one not full. */
const textLength = 101;
const scale = 1 / Math.sqrt(headDim);

type Rows = readonly Float32Array[];

const randomRows = (size: number, seed: number): Rows =>
  Array.from({length: textLength}, (_, t) => randomFloats(size, seed + t, 2));
const queries = randomRows(heads * headDim, 1);
const keys = randomRows(kvHeads * headDim, 2000);
const values = randomRows(kvHeads * headDim, 4000);
/** As ALiBi has them. */
const slopes = Float32Array.of(0.5, 0.25, 0.125, 0.0625);

interface Options {
  readonly window?: number;
  readonly hasSlopes?: boolean;
}

/** All tokens in slices of `slice`, when the keys and values of all are stored. */
function run(core: CoreHarness, slice: number, {window = 0, hasSlopes = false}: Options = {}): Rows {
  core.reset();
  const stride = Math.ceil((heads * headDim) / 16) * 64;
  const put = (rows: Rows): number => {
    const padded = new Float32Array((rows.length * stride) / 4).fill(NaN);
    rows.forEach((row, t) => padded.set(row, (t * stride) / 4));
    return core.put(padded);
  };
  const bytes = core.run('kvBytes', kvType.f32, kvHeads, headDim, textLength);
  const [k, v] = [core.allocate(bytes), core.allocate(bytes)];
  const sizes = [kvHeads, headDim, textLength, 0, textLength, stride];
  core.run('storeK', kvType.f32, put(keys), k, ...sizes);
  core.run('storeV', kvType.f32, put(values), v, ...sizes);
  const slopesAt = hasSlopes ? core.put(slopes) : 0;
  const scratch = core.allocate(core.run('attentionScratchBytes', headDim, headsPerKv, slice));
  const outputs: Float32Array[] = [];
  for (let first = 0; first < textLength; first += slice) {
    const rows = queries.slice(first, first + slice);
    const out = core.allocate(rows.length * stride);
    const shape = [
      kvHeads,
      headsPerKv,
      headDim,
      textLength,
      first,
      rows.length,
      scale,
      window,
      0,
      0,
      slopesAt,
    ];
    core.run('attention', kvType.f32, put(rows), k, v, out, scratch, ...shape, stride, stride, textLength);
    rows.forEach((_, t) => outputs.push(core.f32(out + t * stride, heads * headDim)));
  }
  core.reset();
  return outputs;
}

/** In f64; ALiBi's slope becomes one more dimension of queries and keys, which is the distance for one query. */
function expected(token: number, head: number, {window = 0, hasSlopes = false}: Options = {}): Float64Array {
  const kvHead = Math.floor(head / headsPerKv);
  const [from, to] =
    window === 0 ? [0, textLength] : [Math.max(0, token - window + 1), Math.min(textLength, token + window)];
  const part = (row: Float32Array): Float32Array => row.slice(kvHead * headDim, (kvHead + 1) * headDim);
  const slope = hasSlopes ? slopes[head]! : 0;
  const q = Float32Array.of(...queries[token]!.slice(head * headDim, (head + 1) * headDim), slope / scale);
  const k = keys.slice(from, to).map((row, i) => Float32Array.of(...part(row), -Math.abs(token - from - i)));
  return attend(q, k, values.slice(from, to).map(part), scale).slice(0, headDim);
}

/**
 * As in `attention.test.ts`: scores are off by up to amplitudes 2 · 2 · √headDim · 2^-24, and by 2^-24 of the 50 that
 * the largest slope takes from them; weights by that and two units of e^x, twice; 101 values below 2 are added.
 */
const tolerance =
  2 * 2 * ((4 * Math.sqrt(headDim) + 50) * 2 ** -24 + 2 ** -22 + Math.sqrt(textLength) * 2 ** -24);

describe('attention over a whole text', () => {
  let cores: CoreHarness[];
  before(async () => (cores = await allCores()));

  for (const [name, options] of Object.entries<Options>({
    'sees all positions': {},
    'with a window sees as many positions ahead as behind': {window: 9},
    'has windows longer than a block': {window: 40},
    'has windows longer than the text': {window: 300},
    'of one position': {window: 1},
    'lowers scores by the distance in both directions': {hasSlopes: true},
  })) {
    it(name, () => {
      for (const core of cores) {
        run(core, 64, options).forEach((row, token) => {
          for (let head = 0; head < heads; head++) {
            expected(token, head, options).forEach((value, d) => {
              const what = `token ${token}, head ${head}, ${d}`;
              expect(row[head * headDim + d], what).to.be.closeTo(value, tolerance);
            });
          }
        });
      }
    });

    it(`${name}: the same bits in any slices and in all cores`, () => {
      const first = run(cores[0]!, textLength, options).map(bits);
      for (const core of cores) {
        for (const slice of [1, 3, 16, 64]) {
          expect(run(core, slice, options).map(bits), `slices of ${slice}`).to.deep.equal(first);
        }
      }
    });
  }
});
