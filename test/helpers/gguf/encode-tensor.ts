import {ByteWriter} from './byte-writer.ts';

/** The tensor types that fixtures can be written in. */
export type EncodableType = 'F32' | 'F16' | 'BF16' | 'Q8_0' | 'Q4_0';

const blockElements = 32;

/**
 * `values` in the storage format `type`, rounded to nearest.
 *
 * Q8_0 and Q4_0 have one f16 scale for 32 elements; rows must therefore be multiples of 32 elements long.
 */
export function encodeTensor(type: EncodableType, values: Float32Array): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  switch (type) {
    case 'F32':
      return new Uint8Array(
        values.buffer.slice(values.byteOffset, values.byteOffset + values.byteLength) as ArrayBuffer,
      );
    case 'F16':
      for (const value of values) writer.u16(toF16(value));
      break;
    case 'BF16':
      for (const value of values) writer.u16(toBf16(value));
      break;
    case 'Q8_0':
      for (const block of blocksOf(values)) encodeQ8(block, writer);
      break;
    case 'Q4_0':
      for (const block of blocksOf(values)) encodeQ4(block, writer);
      break;
  }
  return new Uint8Array(writer.toBuffer());
}

function blocksOf(values: Float32Array): Float32Array[] {
  if (values.length % blockElements !== 0)
    throw new Error(`${values.length} elements do not divide into blocks of 32`);
  return Array.from({length: values.length / blockElements}, (_, i) =>
    values.subarray(i * blockElements, (i + 1) * blockElements),
  );
}

/** f16 scale, then 32 signed bytes: value = scale × byte. */
function encodeQ8(block: Float32Array, writer: ByteWriter): void {
  const scale = block.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) / 127;
  writer.u16(toF16(scale));
  for (const value of block) writer.u8((scale === 0 ? 0 : Math.round(value / scale)) & 0xff);
}

/** f16 scale, then 16 bytes: element i in the low half of byte i, element i + 16 in the high one; value = scale × (nibble − 8). */
function encodeQ4(block: Float32Array, writer: ByteWriter): void {
  // The value of largest magnitude gets −8, the end of the range that has one more step.
  const extreme = block.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0);
  const scale = extreme / -8;
  const nibbles = Array.from(block, (value) =>
    scale === 0 ? 8 : Math.min(15, Math.max(0, Math.round(value / scale) + 8)),
  );
  writer.u16(toF16(scale));
  for (let i = 0; i < 16; i++) writer.u8((nibbles[i] ?? 0) | ((nibbles[i + 16] ?? 0) << 4));
}

const bits = new DataView(new ArrayBuffer(4));

function bitsOf(value: number): number {
  bits.setFloat32(0, value);
  return bits.getUint32(0);
}

/** The nearest IEEE 754 half, ties to even, as its 16 bits. */
export function toF16(value: number): number {
  const word = bitsOf(value);
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // rounds to infinity
  if (magnitude < 0x38800000) {
    // Denormal halves are multiples of 2^-24, and adding 2^-1 in f32 rounds to just that.
    bits.setUint32(0, magnitude);
    return sign | (bitsOf(Math.fround(bits.getFloat32(0) + 0.5)) - bitsOf(0.5));
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

/** The nearest bfloat16, ties to even, as its 16 bits. */
export function toBf16(value: number): number {
  const word = bitsOf(value);
  return ((word + 0x7fff + ((word >>> 16) & 1)) >>> 16) & 0xffff;
}
