/** Little-endian bytes, appended one value after the other. */
export class ByteWriter {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The bytes so far, as a copy. */
  toBuffer(): ArrayBuffer {
    return this.#bytes.buffer.slice(0, this.#length);
  }

  u8(value: number): this {
    const start = this.#grow(1);
    this.#view.setUint8(start, value);
    return this;
  }

  u16(value: number): this {
    const start = this.#grow(2);
    this.#view.setUint16(start, value, true);
    return this;
  }

  u32(value: number): this {
    const start = this.#grow(4);
    this.#view.setUint32(start, value, true);
    return this;
  }

  u64(value: number | bigint): this {
    const start = this.#grow(8);
    this.#view.setBigUint64(start, BigInt.asUintN(64, BigInt(value)), true);
    return this;
  }

  f32(value: number): this {
    const start = this.#grow(4);
    this.#view.setFloat32(start, value, true);
    return this;
  }

  f64(value: number): this {
    const start = this.#grow(8);
    this.#view.setFloat64(start, value, true);
    return this;
  }

  /** Length as u64, then UTF-8. */
  string(text: string | Uint8Array): this {
    const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
    return this.u64(bytes.length).bytes(bytes);
  }

  bytes(bytes: Uint8Array): this {
    const start = this.#grow(bytes.length);
    this.#bytes.set(bytes, start);
    return this;
  }

  /** Zeros up to the next multiple of `alignment`. */
  align(alignment: number): this {
    this.#grow((alignment - (this.#length % alignment)) % alignment);
    return this;
  }

  /** Makes room for `count` bytes and says where they begin. */
  #grow(count: number): number {
    const start = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return start;
  }
}
