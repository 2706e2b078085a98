/**
 * The grids of the IQ types, read out of the core by unpacking a block for every index. The repository thus has
 * them once; that they are right is what the checksums in unpack.test.ts prove.
 */
import {ggmlTypes} from '../../worker-runtime/gguf/ggml-types.ts';
import {Unpacker} from './unpacker.ts';

export type GridName = 'IQ2_XXS' | 'IQ2_XS' | 'IQ2_S' | 'IQ3_XXS' | 'IQ3_S' | 'IQ1_S';

/** The points, in order, each with its 8 (IQ3: 4) values. IQ1: -1, 0, 1, and also that of IQ1_M. */
export type Grid = readonly Int8Array[];

interface GridPlace {
  readonly points: number;
  readonly values: number;
  /** Where the first index of a block has its low byte, and its upper bits (the lowest ones of their byte). */
  readonly low: number;
  readonly high?: number;
}

const places: Readonly<Record<GridName, GridPlace>> = {
  IQ2_XXS: {points: 256, values: 8, low: 2},
  IQ2_XS: {points: 512, values: 8, low: 2, high: 3},
  IQ2_S: {points: 1024, values: 8, low: 2, high: 66},
  IQ3_XXS: {points: 256, values: 4, low: 2},
  IQ3_S: {points: 512, values: 4, low: 2, high: 66},
  IQ1_S: {points: 2048, values: 8, low: 2, high: 34},
};

async function readGrids(): Promise<Readonly<Record<GridName, Grid>>> {
  const unpacker = await Unpacker.create('baseline');
  const read = (name: GridName): Grid =>
    Array.from({length: places[name].points}, (_, index) => point(unpacker, name, index));
  return {
    IQ2_XXS: read('IQ2_XXS'),
    IQ2_XS: read('IQ2_XS'),
    IQ2_S: read('IQ2_S'),
    IQ3_XXS: read('IQ3_XXS'),
    IQ3_S: read('IQ3_S'),
    IQ1_S: read('IQ1_S'),
  };
}

function point(unpacker: Unpacker, name: GridName, index: number): Int8Array {
  const {values, low, high} = places[name];
  const block = new Uint8Array(ggmlTypes[name].blockBytes);
  block[low] = index & 255;
  if (high !== undefined) block[high] = index >> 8;
  const weights = unpacker.weights(unpacker.unpack(name, block)).slice(0, values);
  // IQ1's weights are eight times the point's value plus the shift, which is 1 in a block of zeros.
  return Int8Array.from(weights, (weight) => (name === 'IQ1_S' ? (weight - 1) / 8 : weight));
}

export const grids = await readGrids();
