/** Writes the header of a GGUF file, version 3: metadata and tensor table. Little endian throughout. */

export const alignment = 32;

/** Type numbers of metadata values, as the format defines them. */
const valueTypes = {uint32: 4, int32: 5, float32: 6, bool: 7, string: 8, array: 9};

/** @typedef {{type: keyof typeof valueTypes, value: unknown, of?: keyof typeof valueTypes}} MetadataValue */

class ByteWriter {
  /** @type {Buffer[]} */
  #parts = [];

  #number(bytes, write) {
    const buffer = Buffer.alloc(bytes);
    write(buffer);
    this.#parts.push(buffer);
  }

  uint32(value) {
    this.#number(4, (buffer) => buffer.writeUInt32LE(value));
  }

  int32(value) {
    this.#number(4, (buffer) => buffer.writeInt32LE(value));
  }

  float32(value) {
    this.#number(4, (buffer) => buffer.writeFloatLE(value));
  }

  bool(value) {
    this.#number(1, (buffer) => buffer.writeUInt8(value ? 1 : 0));
  }

  uint64(value) {
    this.#number(8, (buffer) => buffer.writeBigUInt64LE(BigInt(value)));
  }

  string(value) {
    const text = Buffer.from(value, 'utf8');
    this.uint64(text.length);
    this.#parts.push(text);
  }

  array(values, of) {
    this.uint32(valueTypes[of]);
    this.uint64(values.length);
    for (const value of values) this[of](value);
  }

  bytes() {
    return Buffer.concat(this.#parts);
  }
}

const alignUp = (offset) => Math.ceil(offset / alignment) * alignment;

/**
 * The bytes of a header, padded to where the first tensor begins. Tensors follow in the order given, each padded to
 * {@link alignment}.
 *
 * @param {Record<string, MetadataValue>} metadata
 * @param {{name: string, dimensions: number[], typeId: number, bytes: number}[]} tensors
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
  const header = writer.bytes();
  return Buffer.concat([header, Buffer.alloc(alignUp(header.length) - header.length)]);
}
