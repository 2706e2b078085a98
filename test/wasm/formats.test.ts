import {expect} from '@open-wc/testing';
import {f16ToNumber, numberToF16} from '../helpers/core-reference.ts';
import {allCores, bits, format, kvType} from './core-harness.ts';
import type {CoreHarness} from './core-harness.ts';
import {floatsOf, formatNames, isQuantised, randomRows, repack, storageOf} from './weights.ts';

const allHalves = Uint16Array.from({length: 65536}, (_, i) => i);

/** NaN compare equal, whatever their bits. */
function withoutPayload(values: Float32Array): number[] {
  return bits(values.map((value) => (Number.isNaN(value) ? NaN : value)));
}

describe('compute formats', () => {
  let cores: CoreHarness[];
  before(async () => {
    cores = await allCores(256);
  });
  afterEach(() => cores.forEach((core) => core.reset()));

  for (const name of formatNames) {
    it(`${name}: a repacked row comes back exactly`, () => {
      for (const columns of isQuantised(name) ? [32, 160] : [1, 33]) {
        const rows = randomRows(name, 37, columns);
        for (const core of cores) {
          core.reset();
          const matrix = repack(core, storageOf(name), rows, columns);
          rows.forEach((row, i) => {
            const out = core.allocate(columns * 4);
            core.run('dequantizeRow', format[name], matrix, i, columns, out);
            expect(bits(core.f32(out, columns))).to.deep.equal(bits(floatsOf(name, row)));
          });
        }
      }
    });
  }

  it('sizes: 8.5 and 4.5 bits a weight, floats as they are', () => {
    for (const core of cores) {
      const sizes = formatNames.map((name) => core.run('groupBytes', format[name], 64));
      expect(sizes).to.deep.equal([64 * 16 * 4, 64 * 16 * 2, 64 * 16 * 2, 2 * 544, 2 * 288]);
    }
  });

  it('f16 to f32: all 65536 values, as rows and in products', () => {
    const wanted = withoutPayload(Float32Array.from(allHalves, f16ToNumber));
    // A product adds to +0, which turns -0 into 0.
    const products = withoutPayload(Float32Array.from(allHalves, (half) => f16ToNumber(half) + 0));
    for (const core of cores) {
      const row = repack(core, storageOf('f16'), [new Uint8Array(allHalves.buffer)], 65536);
      const out = core.allocate(65536 * 4);
      core.run('dequantizeRow', format.f16, row, 0, 65536, out);
      expect(withoutPayload(core.f32(out, 65536))).to.deep.equal(wanted);

      core.reset();
      const rows = Array.from(allHalves, (half) => new Uint8Array(Uint16Array.of(half).buffer));
      const column = core.allocate(65536 * 2);
      // One column of 65536 rows: groups are its values in order, so they need no repacking one by one.
      new Uint16Array(core.memory.buffer, column, rows.length).set(allHalves);
      for (const tokens of [1, 4]) {
        const x = core.put(new Float32Array(tokens * 16).fill(1));
        const activations = core.allocate(core.run('activationBytes', format.f16, 1, tokens));
        core.run('prepareActivations', format.f16, x, 1, tokens, 64, activations);
        const y = core.allocate(tokens * 65536 * 4);
        core.run('matmul', format.f16, column, activations, y, 65536, 1, tokens, 65536 * 4);
        expect(withoutPayload(core.f32(y, 65536))).to.deep.equal(products);
      }
    }
  });

  it('f32 to f16: every value, every tie and its neighbours are rounded half to even', () => {
    const values: number[] = [NaN, Infinity, 65519.996, 65520, 1e30, 1e-30];
    for (let half = 0; half < 0x7c00; half++) {
      const value = f16ToNumber(half);
      const tie = (value + (half === 0x7bff ? 65536 : f16ToNumber(half + 1))) / 2;
      values.push(value, tie, Math.fround(tie * (1 - 2 ** -23)), Math.fround(tie * (1 + 2 ** -23)));
    }
    const inputs = Float32Array.from([...values, ...values.map((value) => -value)]);
    const wanted = Array.from(inputs, numberToF16);
    for (const core of cores) {
      // V of one head is (positions, headDim), in blocks of 32 positions that begin with 16 bytes of their own.
      const positions = inputs.length / 4;
      const blockBytes = core.run('kvBytes', kvType.f16, 1, 4, 32);
      const cache = core.allocate(core.run('kvBytes', kvType.f16, 1, 4, positions));
      core.run('storeV', kvType.f16, core.put(inputs), cache, 1, 4, positions, 0, positions, 16);
      const stored = wanted.map((_, index) => {
        const [block, place] = [Math.floor(index / 128), index % 128];
        return new Uint16Array(core.memory.buffer, cache + block * blockBytes + 16 + place * 2, 1)[0];
      });
      expect(stored).to.deep.equal(wanted);
    }
  });
});
