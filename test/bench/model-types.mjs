/** The types that a whole model can have: one tensor type for all matrices, or a mix. */
import {tensorTypes} from './tensor-types.mjs';

/** What llama.cpp's quantizer takes instead of a type whose blocks do not fill the rows of a matrix; else IQ4_NL. */
const narrowTypes = {Q4_K: 'Q5_0', Q5_K: 'Q5_1', Q6_K: 'Q8_0', TQ1_0: 'Q4_0', TQ2_0: 'Q4_0'};

/** In mixes of llama.cpp, the layers that get more bits: the first and the last eighth, and every third between. */
function getsMoreBits(layer, layerCount) {
  const eighth = Math.floor(layerCount / 8);
  return layer < eighth || layer >= Math.floor((7 * layerCount) / 8) || (layer - eighth) % 3 === 2;
}

/** Q6_K for the (tied) output matrix and, where the layer gets more bits, for two matrices of it; else `most`. */
const mediumMix = (most) => (name, layerCount) => {
  const [, layer, part] = /^blk\.(\d+)\.(\w+)/.exec(name) ?? [];
  if (layer === undefined) return 'Q6_K';
  const isSensitive = part === 'attn_v' || part === 'ffn_down';
  return isSensitive && getsMoreBits(Number(layer), layerCount) ? 'Q6_K' : most;
};

const mixes = {Q4_K_M: mediumMix('Q4_K'), Q5_K_M: mediumMix('Q5_K')};

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
  const typeName = mixes[modelType]?.(name, layerCount) ?? modelType;
  const chosen = fits(columns, typeName) ? typeName : (narrowTypes[typeName] ?? 'IQ4_NL');
  if (fits(columns, chosen)) return chosen;
  throw new Error(
    `${typeName} has blocks of ${tensorTypes[typeName].blockLength}; ${name} has rows of ${columns}`,
  );
}
