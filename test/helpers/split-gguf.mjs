/** Divides a GGUF file into parts, as split models are published: the first one has all metadata, each has some of the tensors. */

/** Bytes of a metadata value that is no string and no array, by its type. */
const scalarBytes = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8];
const stringType = 8;
const arrayType = 9;
const alignment = 32;

class Reader {
  at = 0;

  constructor(bytes) {
    this.bytes = bytes;
  }

  u32() {
    this.at += 4;
    return this.bytes.readUInt32LE(this.at - 4);
  }

  u64() {
    this.at += 8;
    return Number(this.bytes.readBigUInt64LE(this.at - 8));
  }

  string() {
    const length = this.u64();
    this.at += length;
    return this.bytes.toString('utf8', this.at - length, this.at);
  }

  skipValue(type) {
    if (type === stringType) this.string();
    else if (type === arrayType) {
      const of = this.u32();
      const count = this.u64();
      for (let index = 0; index < count; index++) this.skipValue(of);
    } else this.at += scalarBytes[type];
  }
}

const u16 = (value) => Buffer.from(new Uint16Array([value]).buffer);
const u32 = (value) => Buffer.from(new Uint32Array([value]).buffer);
const u64 = (value) => Buffer.from(new BigUint64Array([BigInt(value)]).buffer);
const string = (text) => Buffer.concat([u64(Buffer.byteLength(text)), Buffer.from(text)]);
const aligned = (length) => Math.ceil(length / alignment) * alignment;
const padded = (bytes) => Buffer.concat([bytes, Buffer.alloc(aligned(bytes.length) - bytes.length)]);

/** @returns {Buffer[]} */
export function splitGguf(bytes, count) {
  const reader = new Reader(bytes);
  reader.at = 8;
  const tensorCount = reader.u64();
  const keyCount = reader.u64();
  const metadataStart = reader.at;
  for (let index = 0; index < keyCount; index++) {
    reader.string();
    reader.skipValue(reader.u32());
  }
  const metadata = bytes.subarray(metadataStart, reader.at);
  const tensors = Array.from({length: tensorCount}, () => {
    const name = reader.string();
    const dimensions = Array.from({length: reader.u32()}, () => reader.u64());
    return {name, dimensions, type: reader.u32(), offset: reader.u64()};
  });
  const dataStart = aligned(reader.at);
  tensors.forEach((tensor, index) => {
    const end = tensors[index + 1] ? dataStart + tensors[index + 1].offset : bytes.length;
    tensor.data = bytes.subarray(dataStart + tensor.offset, end);
  });
  const each = Math.ceil(tensorCount / count);
  return Array.from({length: count}, (_, part) => {
    const own = tensors.slice(part * each, (part + 1) * each);
    const split = [
      string('split.no'), u32(2), u16(part),
      string('split.count'), u32(2), u16(count),
      string('split.tensors.count'), u32(5), u32(tensorCount),
    ]; // prettier-ignore
    let offset = 0;
    const infos = own.map(({name, dimensions, type, data}) => {
      const info = [string(name), u32(dimensions.length), ...dimensions.map(u64), u32(type), u64(offset)];
      offset += aligned(data.length);
      return Buffer.concat(info);
    });
    const header = Buffer.concat([
      Buffer.from('GGUF'), u32(3), u64(own.length), u64((part === 0 ? keyCount : 0) + 3),
      ...(part === 0 ? [metadata] : []), ...split, ...infos,
    ]); // prettier-ignore
    return Buffer.concat([padded(header), ...own.map(({data}) => padded(data))]);
  });
}
