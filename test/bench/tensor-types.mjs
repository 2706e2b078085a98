/**
 * The tensor types that the synthetic models can have, and how random weights of them are made.
 *
 * Every type is filled with random bits first; then the exponents are set, so that all values are finite and their
 * magnitude is about the wanted one. Speed does not depend on the values, as long as none is denormal, infinite or NaN.
 */

/**
 * @typedef {object} TensorType
 * @property {number} id the number of the type in GGUF
 * @property {number} blockLength elements of a block
 * @property {number} blockBytes bytes of a block
 * @property {(bytes: Uint8Array, deviation: number) => void} shape sets the exponents in whole blocks of random bits
 */

/** f16 bits with the exponent of `magnitude`: sign and mantissa stay random (`keepSign`) or the sign is plus. */
function shapeHalf(bits, magnitude, keepSign) {
  const exponent = Math.floor(Math.log2(magnitude)) + 15;
  if (exponent < 1 || exponent > 30) throw new Error(`${magnitude} is not in the normal range of f16`);
  return (bits & (keepSign ? 0x83ff : 0x03ff)) | (exponent << 10);
}

/** Blocks that begin with an f16 scale and go on with random integers of standard deviation `integerDeviation`. */
const scaledIntegers = (blockBytes, integerDeviation) => (bytes, deviation) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = 0; offset < bytes.length; offset += blockBytes) {
    view.setUint16(
      offset,
      shapeHalf(view.getUint16(offset, true), deviation / integerDeviation, false),
      true,
    );
  }
};

function shapeF16(bytes, deviation) {
  const values = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  for (let index = 0; index < values.length; index++) {
    values[index] = shapeHalf(values[index], deviation, true);
  }
}

function shapeF32(bytes, deviation) {
  const values = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const exponent = (Math.floor(Math.log2(deviation)) + 127) << 23;
  for (let index = 0; index < values.length; index++) values[index] = (values[index] & 0x807fffff) | exponent;
}

/** @type {Record<string, TensorType>} */
export const tensorTypes = {
  F32: {id: 0, blockLength: 1, blockBytes: 4, shape: shapeF32},
  F16: {id: 1, blockLength: 1, blockBytes: 2, shape: shapeF16},
  // f16 scale, 32 nibbles whose value is 0…15 minus 8: deviation √((16² − 1) / 12).
  Q4_0: {id: 2, blockLength: 32, blockBytes: 18, shape: scaledIntegers(18, 4.6)},
  // f16 scale, 32 signed bytes: deviation √((256² − 1) / 12).
  Q8_0: {id: 8, blockLength: 32, blockBytes: 34, shape: scaledIntegers(34, 74)},
};

/** Bytes of `elements` elements. */
export const byteLength = (typeName, elements) =>
  (elements / tensorTypes[typeName].blockLength) * tensorTypes[typeName].blockBytes;
