/** Writes the header of a GGUF file, version 3: metadata and tensor table. Little endian throughout. */

export const alignment = 32;

/** Type numbers of metadata values, as the format defines them. */
const valueTypes = {uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9};

/** @typedef {{type: keyof typeof valueTypes, value: unknown, of?: keyof typeof valueTypes}} MetadataValue */

const utf8 = new TextEncoder();
const alignUp = (offset) => Math.ceil(offset / alignment) * alignment;

/** Little-endian values one after the other, in memory that doubles when it is full. */
class ByteWriter {
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Where the next `bytes` bytes go. */
  #take(bytes) {
    const offset = this.#length;
    this.#length += bytes;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return offset;
  }

  // The place is taken first: that may exchange the view.
  uint32(value) {
    const offset = this.#take(4);
    this.#view.setUint32(offset, value, true);
  }

  int32(value) {
    const offset = this.#take(4);
    this.#view.setInt32(offset, value, true);
  }

  float32(value) {
    const offset = this.#take(4);
    this.#view.setFloat32(offset, value, true);
  }

  bool(value) {
    const offset = this.#take(1);
    this.#view.setUint8(offset, value ? 1 : 0);
  }

  uint64(value) {
    const offset = this.#take(8);
    this.#view.setBigUint64(offset, BigInt(value), true);
  }

  string(value) {
    const text = utf8.encode(value);
    this.uint64(text.length);
    const offset = this.#take(text.length);
    this.#bytes.set(text, offset);
  }

  array(values, of) {
    this.uint32(valueTypes[of]);
    this.uint64(values.length);
    for (const value of values) this[of](value);
  }

  /** All of it, with zeros up to a multiple of {@link alignment}. */
  alignedBytes() {
    this.#take(alignUp(this.#length) - this.#length);
    return this.#bytes.subarray(0, this.#length);
  }
}

/**
 * The bytes of a header, padded to where the first tensor begins. Tensors follow in the order given, each padded to
 * {@link alignment}.
 *
 * @param {Record<string, MetadataValue>} metadata
 * @param {{name: string, dimensions: number[], typeId: number, bytes: number}[]} tensors
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function ggufHeader(metadata, tensors) {
  const writer = new ByteWriter();
  writer.uint32(0x46554747); // "GGUF"
  writer.uint32(3);
  writer.uint64(tensors.length);
  writer.uint64(Object.keys(metadata).length);
  for (const [key, {type, value, of}] of Object.entries(metadata)) {
    writer.string(key);
    writer.uint32(valueTypes[type]);
    writer[type](value, of);
  }
  let offset = 0;
  for (const {name, dimensions, typeId, bytes} of tensors) {
    writer.string(name);
    writer.uint32(dimensions.length);
    for (const dimension of dimensions) writer.uint64(dimension);
    writer.uint32(typeId);
    writer.uint64(offset);
    offset = alignUp(offset + bytes);
  }
  return writer.alignedBytes();
}
