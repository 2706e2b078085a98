import {expect} from '@open-wc/testing';
import {ggmlTypes} from '../../worker-runtime/gguf/ggml-types.ts';
import {grids} from '../helpers/iq-grids.ts';
import type {Grid, GridName} from '../helpers/iq-grids.ts';
import {setBlockScale} from '../helpers/random-blocks.ts';
import {decodeBlock, quantisedTypes} from '../helpers/type-reference.ts';
import type {QuantisedType} from '../helpers/type-reference.ts';
import {bothUnpackers} from '../helpers/unpacker.ts';
import type {Unpacker} from '../helpers/unpacker.ts';
import {bits, randomBytes} from './core-harness.ts';

const typesWithMin: readonly QuantisedType[] = ['Q4_1', 'Q5_1', 'Q2_K', 'Q4_K', 'Q5_K'];

/** Normal, negative, all bits of the mantissa, subnormal, the smallest, zeros, the largest. */
const scales = [0.01, -0.7, 2047 / 2 ** 14, -3e-5, 2 ** -24, 0, -0, 65504];

const random = (type: QuantisedType, seed: number) => randomBytes(ggmlTypes[type].blockBytes, seed);

/** Random blocks with each of the scales, random bytes throughout, all zeros, all ones. */
function blocksOf(type: QuantisedType): Uint8Array[] {
  const withScales = scales.flatMap((scale, i) =>
    [1, 2, 3].map((j) => ({scale, block: random(type, 3 * i + j)})),
  );
  for (const {scale, block} of withScales) setBlockScale(type, block, scale);
  const {blockBytes} = ggmlTypes[type];
  const noise = Array.from({length: 24}, (_, i) => random(type, 100 + i));
  const ones = new Uint8Array(blockBytes).fill(255);
  const finiteOnes = ones.slice();
  setBlockScale(type, finiteOnes, -1.5);
  return [...withScales.map(({block}) => block), ...noise, new Uint8Array(blockBytes), ones, finiteOnes];
}

/** Bits, but NaN without payload. */
const comparable = (values: Float32Array) => bits(values.map((value) => (Number.isNaN(value) ? NaN : value)));

describe('unpacking of stored blocks', () => {
  let unpackers: Unpacker[];
  before(async () => {
    unpackers = await bothUnpackers();
  });

  for (const type of quantisedTypes) {
    it(`${type}: the canonical form has the values of the format's definition, bit for bit`, () => {
      for (const unpacker of unpackers) {
        blocksOf(type).forEach((block, i) => {
          unpacker.clear(0xa5);
          const values = unpacker.values(unpacker.unpack(type, block));
          expect(comparable(values), `block ${i}`).to.deep.equal(comparable(decodeBlock(type, block)));
        });
      }
    });
  }

  it('the second scale is 0 in types without one, whatever block came before', () => {
    for (const unpacker of unpackers) {
      for (const type of quantisedTypes.filter((name) => !typesWithMin.includes(name))) {
        unpacker.clear(0xa5);
        expect(unpacker.unpack(type, random(type, 1)).min, type).to.equal(0);
      }
    }
  });

  it('MXFP4: every e8m0 scale is halved exactly, to a bf16', () => {
    const block = new Uint8Array(17).fill(0x11);
    for (const unpacker of unpackers) {
      for (let code = 0; code < 256; code++) {
        block[0] = code;
        expect(unpacker.values(unpacker.unpack('MXFP4', block))[0]).to.equal(2 ** (code - 128));
      }
    }
  });

  it('NVFP4: every ue4m3 scale', () => {
    for (const unpacker of unpackers) {
      for (let code = 0; code < 256; code++) {
        const block = random('NVFP4', code);
        block.fill(code, 0, 4);
        const values = unpacker.values(unpacker.unpack('NVFP4', block));
        expect(bits(values)).to.deep.equal(bits(decodeBlock('NVFP4', block)));
      }
    }
  });

  it('the grids are those of the format', async () => {
    // Printed by scripts/iq-grids.py, from the values in the `gguf` package.
    const wanted: Record<GridName, string> = {
      IQ2_XXS: '05826b5d3e472a3a78f196be62ac78acf81df0f909626e12ab9fa2a5d490dd54',
      IQ2_XS: '06e47aaca60b4dc1d9b5a3f34540437058a6b142b4d7a59d5ded769b4d1bf1de',
      IQ2_S: 'e1aa1473412b0552c2174c30ef22ab4073f6a181b85a17056e8249bd2932fd88',
      IQ3_XXS: '46e35f5a997efdee6c99ce57854c8a0d4f0ff8ca57e5e8a60c0793ea580acf5d',
      IQ3_S: 'bd1af4945a1717c65610b0284e4628b9a1ba3b306fae3a06f6e5f597356e349f',
      IQ1_S: '07540ffc1aeaf6ad4d97e96b0fcc765aae39671d4ae4a27bbd0e796fde167c6a',
    };
    for (const name of Object.keys(wanted) as GridName[]) {
      expect(await sha256(grids[name]), name).to.equal(wanted[name]);
    }
  });
});

async function sha256(grid: Grid): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', Int8Array.from(grid.flatMap((point) => [...point])));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
