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

/** The least magnitude of a scale: f16's least normal number. Types with large integers get larger weights than wanted. */
const leastScale = 2 ** -14;

/**
 * Blocks with f16 scales at `places`, and everything else random; `integerDeviation` is the standard deviation of what a
 * scale is multiplied with, about.
 */
const scaledIntegers =
  (blockBytes, integerDeviation, places = [0]) =>
  (bytes, deviation) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const scale = Math.max(deviation / integerDeviation, leastScale);
    for (let offset = 0; offset < bytes.length; offset += blockBytes) {
      for (const place of places) {
        view.setUint16(offset + place, shapeHalf(view.getUint16(offset + place, true), scale, false), true);
      }
    }
  };

/** IQ1_M: the four nibbles of its f16 scale are the upper halves of the bytes 49, 51, 53 and 55. */
function shapeIQ1M(bytes, deviation) {
  const scale = shapeHalf(0, Math.max(deviation / 8, leastScale), false);
  for (let offset = 0; offset < bytes.length; offset += 56) {
    for (let i = 0; i < 4; i++) {
      const at = offset + 49 + 2 * i;
      bytes[at] = (bytes[at] & 15) | (((scale >> (4 * i)) & 15) << 4);
    }
  }
}

/** MXFP4: a power of two before 16 bytes of nibbles, whose doubled values deviate by about 5. */
function shapeMXFP4(bytes, deviation) {
  for (let offset = 0; offset < bytes.length; offset += 17)
    bytes[offset] = 128 + Math.round(Math.log2(deviation / 5));
}

/** NVFP4: four scales of 8 bits (exponent bias 7) before 32 bytes of nibbles. */
function shapeNVFP4(bytes, deviation) {
  const exponent = Math.max(1, 8 + Math.round(Math.log2(deviation / 5)));
  for (let offset = 0; offset < bytes.length; offset += 36) {
    for (let i = 0; i < 4; i++) bytes[offset + i] = (bytes[offset + i] & 7) | (exponent << 3);
  }
}

function shapeBF16(bytes, deviation) {
  const values = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  const exponent = (Math.floor(Math.log2(deviation)) + 127) << 7;
  for (let index = 0; index < values.length; index++) values[index] = (values[index] & 0x807f) | exponent;
}

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
  BF16: {id: 30, blockLength: 1, blockBytes: 2, shape: shapeBF16},
  Q4_1: {id: 3, blockLength: 32, blockBytes: 20, shape: scaledIntegers(20, 4.6, [0, 2])},
  Q5_0: {id: 6, blockLength: 32, blockBytes: 22, shape: scaledIntegers(22, 9.2)},
  Q5_1: {id: 7, blockLength: 32, blockBytes: 24, shape: scaledIntegers(24, 9.2, [0, 2])},
  Q2_K: {id: 10, blockLength: 256, blockBytes: 84, shape: scaledIntegers(84, 10, [80, 82])},
  Q3_K: {id: 11, blockLength: 256, blockBytes: 110, shape: scaledIntegers(110, 42, [108])},
  Q4_K: {id: 12, blockLength: 256, blockBytes: 144, shape: scaledIntegers(144, 170, [0, 2])},
  Q5_K: {id: 13, blockLength: 256, blockBytes: 176, shape: scaledIntegers(176, 340, [0, 2])},
  Q6_K: {id: 14, blockLength: 256, blockBytes: 210, shape: scaledIntegers(210, 1400, [208])},
  IQ2_XXS: {id: 16, blockLength: 256, blockBytes: 66, shape: scaledIntegers(66, 60)},
  IQ2_XS: {id: 17, blockLength: 256, blockBytes: 74, shape: scaledIntegers(74, 60)},
  IQ3_XXS: {id: 18, blockLength: 256, blockBytes: 98, shape: scaledIntegers(98, 150)},
  IQ1_S: {id: 19, blockLength: 256, blockBytes: 50, shape: scaledIntegers(50, 8)},
  IQ4_NL: {id: 20, blockLength: 32, blockBytes: 18, shape: scaledIntegers(18, 70)},
  IQ3_S: {id: 21, blockLength: 256, blockBytes: 110, shape: scaledIntegers(110, 150)},
  IQ2_S: {id: 22, blockLength: 256, blockBytes: 82, shape: scaledIntegers(82, 60)},
  IQ4_XS: {id: 23, blockLength: 256, blockBytes: 136, shape: scaledIntegers(136, 1300)},
  IQ1_M: {id: 29, blockLength: 256, blockBytes: 56, shape: shapeIQ1M},
  TQ1_0: {id: 34, blockLength: 256, blockBytes: 54, shape: scaledIntegers(54, 1, [52])},
  TQ2_0: {id: 35, blockLength: 256, blockBytes: 66, shape: scaledIntegers(66, 1, [64])},
  MXFP4: {id: 39, blockLength: 32, blockBytes: 17, shape: shapeMXFP4},
  NVFP4: {id: 40, blockLength: 64, blockBytes: 36, shape: shapeNVFP4},
  Q1_0: {id: 41, blockLength: 128, blockBytes: 18, shape: scaledIntegers(18, 1)},
  Q2_0: {id: 42, blockLength: 64, blockBytes: 18, shape: scaledIntegers(18, 1)},
};

/** Bytes of `elements` elements. */
export const byteLength = (typeName, elements) =>
  (elements / tensorTypes[typeName].blockLength) * tensorTypes[typeName].blockBytes;
