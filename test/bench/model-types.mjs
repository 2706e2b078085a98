/** The types that a whole model can have: one tensor type for all matrices, or a mix. */
import {tensorTypes} from './tensor-types.mjs';

/** What files have instead of a type whose blocks of 256 do not fill their rows. */
const narrowTypes = {Q4_K: 'Q5_0', Q6_K: 'Q8_0'};

/** In mixes of llama.cpp, the layers that get more bits: the first and the last eighth, and every third between. */
function getsMoreBits(layer, layerCount) {
  const eighth = Math.floor(layerCount / 8);
  return layer < eighth || layer >= Math.floor((7 * layerCount) / 8) || (layer - eighth) % 3 === 2;
}

/** Q4_K_M: Q6_K for the (tied) output matrix and, where the layer gets more bits, for two matrices of it; else Q4_K. */
function typeInQ4KM(name, layerCount) {
  const [, layer, part] = /^blk\.(\d+)\.(\w+)/.exec(name) ?? [];
  if (layer === undefined) return 'Q6_K';
  const isSensitive = part === 'attn_v' || part === 'ffn_down';
  return isSensitive && getsMoreBits(Number(layer), layerCount) ? 'Q6_K' : 'Q4_K';
}

const mixes = {Q4_K_M: typeInQ4KM};

/** All names, for lists and messages. */
export const modelTypes = [...Object.keys(tensorTypes), ...Object.keys(mixes)];

const fits = (columns, typeName) => columns % tensorTypes[typeName].blockLength === 0;

/**
 * The tensor type that a matrix has in a model of the type `modelType`.
 *
 * @param {{name: string, dimensions: number[]}} matrix
 * @param {string} modelType one of {@link modelTypes}
 * @param {number} layerCount
 * @returns {string} a name of `tensorTypes`
 * @throws {Error} where rows are no whole number of blocks
 */
export function tensorTypeOf({name, dimensions: [columns]}, modelType, layerCount) {
  const mix = mixes[modelType];
  const typeName = mix ? mix(name, layerCount) : modelType;
  if (fits(columns, typeName)) return typeName;
  if (mix) return narrowTypes[typeName];
  throw new Error(
    `${modelType} has blocks of ${tensorTypes[typeName].blockLength}; ${name} has rows of ${columns}`,
  );
}
