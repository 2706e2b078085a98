import {expect} from '@open-wc/testing';
import {expectedHead, randomTokens, run, tolerance} from './attention-harness.ts';
import type {KvName, Shape} from './attention-harness.ts';
import {allCores, bits, kvType} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';

const whole = {capacity: 100, window: 0} as const;

/** Below the scores of some tokens, above those of others. */
const sinksOf = (heads: number): number[] => Array.from({length: heads}, (_, head) => ((head * 5) % 7) - 3);
/** As ALiBi has them; the first head has none. */
const slopesOf = (heads: number): number[] =>
  Array.from({length: heads}, (_, head) => (head === 0 ? 0 : 2 ** (-(8 * head) / heads)));

/** Scores are about 5: a cap of 4 bends them all. */
const everything = (heads: number): Pick<Shape, 'softCap' | 'sinks' | 'slopes'> => ({
  softCap: 4,
  sinks: sinksOf(heads),
  slopes: slopesOf(heads),
});

/** A call with one token has a tile of as many rows as a key/value head has heads; with more tokens, of four. */
const shapes: Record<string, Shape> = {
  'a soft cap': {...whole, kvHeads: 2, headsPerKv: 3, headDim: 36, softCap: 4},
  'a soft cap far above the scores': {...whole, kvHeads: 2, headsPerKv: 2, headDim: 36, softCap: 50},
  sinks: {...whole, kvHeads: 2, headsPerKv: 2, headDim: 64, sinks: sinksOf(4)},
  'sinks and a window': {kvHeads: 2, headsPerKv: 4, headDim: 20, capacity: 97, window: 33, sinks: sinksOf(8)},
  slopes: {...whole, kvHeads: 6, headsPerKv: 1, headDim: 16, slopes: slopesOf(6)},
  'slopes of grouped heads': {...whole, kvHeads: 2, headsPerKv: 3, headDim: 36, slopes: slopesOf(6)},
  'everything, tiles of one row': {...whole, kvHeads: 3, headsPerKv: 1, headDim: 64, ...everything(3)},
  'everything, tiles of two rows': {...whole, kvHeads: 2, headsPerKv: 2, headDim: 64, ...everything(4)},
  'everything, tiles of three rows': {...whole, kvHeads: 2, headsPerKv: 3, headDim: 8, ...everything(6)},
  'everything, tiles of four rows, a window': {
    kvHeads: 1,
    headsPerKv: 4,
    headDim: 36,
    capacity: 97,
    window: 40,
    ...everything(4),
  },
  'everything, seven heads for one': {...whole, kvHeads: 1, headsPerKv: 7, headDim: 20, ...everything(7)},
};

const kvNames = Object.keys(kvType) as KvName[];

describe('attention with soft cap, sinks and slopes', () => {
  let cores: CoreHarness[];
  before(async () => {
    cores = await allCores(256);
  });
  afterEach(() => cores.forEach((core) => core.reset()));

  for (const [name, shape] of Object.entries(shapes)) {
    for (const type of kvNames) {
      it(`${name}, ${type} cache: what the formulas give, the same bits for all slices`, () => {
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
          for (const slice of [1, 2, 7, 32, tokens]) {
            expect(run(core, type, shape, input, slice).map(bits)).to.deep.equal(reference.map(bits));
          }
        }
      });
    }
  }

  const plain: Shape = {...whole, kvHeads: 2, headsPerKv: 2, headDim: 36};
  const input = randomTokens(plain, 40);

  for (const type of kvNames) {
    it(`sinks far below all scores, and slopes of 0, change no bit (${type} cache)`, () => {
      for (const core of cores) {
        const expected = run(core, type, plain, input, 7).map(bits);
        for (const none of [{sinks: [-1e4, -1e4, -1e4, -1e4]}, {slopes: [0, 0, 0, 0]}]) {
          expect(run(core, type, {...plain, ...none}, input, 7).map(bits)).to.deep.equal(expected);
        }
      }
    });

    it(`a sink far above all scores takes all weight, from its own head alone (${type} cache)`, () => {
      for (const core of cores) {
        const expected = run(core, type, plain, input, 7);
        const actual = run(core, type, {...plain, sinks: [-1e4, -1e4, 1e4, -1e4]}, input, 7);
        const own = [2 * plain.headDim, 3 * plain.headDim] as const;
        actual.forEach((row, token) => {
          expect([...row.slice(...own)]).to.deep.equal(new Array(plain.headDim).fill(0));
          expect(bits(row.slice(0, own[0]))).to.deep.equal(bits(expected[token]!.slice(0, own[0])));
          expect(bits(row.slice(own[1]))).to.deep.equal(bits(expected[token]!.slice(own[1])));
        });
      }
    });
  }

  it('a steep slope leaves a token alone with itself', () => {
    for (const core of cores) {
      const rows = run(core, 'f32', {...plain, slopes: [1e4, 1e4, 1e4, 1e4]}, input, 7);
      rows.forEach((row, token) => {
        for (let head = 0; head < 4; head++) {
          const kvHead = head >> 1;
          const value = input.v[token]!.slice(kvHead * 36, (kvHead + 1) * 36);
          expect([...row.slice(head * 36, (head + 1) * 36)]).to.deep.equal([...value]);
        }
      });
    }
  });
});
