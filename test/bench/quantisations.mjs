/**
 * Which type each matrix of a file has, by the name of its quantisation: a tensor type, for all matrices, or a mix of
 * llama.cpp. A type whose blocks do not divide the rows of a matrix is replaced, by the rules of llama.cpp's quantizer.
 */
import {tensorTypes} from './tensor-types.mjs';

/** Mixes: most matrices have the first type, those where it matters most the second. */
const mixes = {Q4_K_M: ['Q4_K', 'Q6_K'], Q5_K_M: ['Q5_K', 'Q6_K']};

export const quantisations = [...Object.keys(tensorTypes), ...Object.keys(mixes)];

/** What blocks of 256 elements become where a row is no multiple of them. */
const replacements = {Q4_K: 'Q5_0', Q5_K: 'Q5_1', Q6_K: 'Q8_0', TQ1_0: 'Q4_0', TQ2_0: 'Q4_0'};

const fits = (type, columns) => columns % tensorTypes[type].blockLength === 0;

function fitting(type, columns) {
  if (fits(type, columns)) return type;
  const replacement = replacements[type] ?? 'IQ4_NL';
  if (fits(replacement, columns)) return replacement;
  throw new Error(`rows of ${columns} elements fit neither ${type} nor ${replacement}`);
}

/** Of the layers: the first and the last eighth, and every third one between them. */
function matters(layer, layerCount) {
  const eighth = Math.floor(layerCount / 8);
  const last = Math.floor((7 * layerCount) / 8);
  return layer < eighth || layer >= last || (layer - eighth) % 3 === 2;
}

/**
 * @param {string} quantisation one of {@link quantisations}
 * @param {{name: string, dimensions: number[]}} tensor a matrix
 * @param {number} layerCount
 * @returns {string} a tensor type
 */
export function typeOfMatrix(quantisation, {name, dimensions}, layerCount) {
  const [columns] = dimensions;
  const mix = mixes[quantisation];
  if (!mix) return fitting(quantisation, columns);
  const [most, better] = mix;
  const layer = /^blk\.(\d+)\.(attn_v|ffn_down)\./.exec(name)?.[1];
  // The embedding matrix is the output matrix, too.
  const isBetter = layer === undefined ? name === 'token_embd.weight' : matters(Number(layer), layerCount);
  return fitting(isBetter ? better : most, columns);
}
