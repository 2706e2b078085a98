import {ByteWriter} from './byte-writer.ts';
import {encodeTensor} from './encode-tensor.ts';
import type {EncodableType} from './encode-tensor.ts';

// prettier-ignore
const valueTypeIds = {
  u8: 0, i8: 1, u16: 2, i16: 3, u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9, u64: 10, i64: 11, f64: 12,
} as const;

export type ScalarType = Exclude<keyof typeof valueTypeIds, 'array'>;
export type Scalar = string | number | bigint | boolean;

/** A value with the type that it is written in; an array is written as an array of that type. */
export interface TypedValue {
  readonly type: ScalarType;
  readonly value: Scalar | ArrayLike<Scalar>;
}

/**
 * A plain value is written in the type that suits it: whole numbers as u32 (i32 where negative), other numbers as f32,
 * typed arrays as what they are.
 */
export type MetadataInput = Scalar | readonly Scalar[] | Float32Array | Int32Array | Uint32Array | TypedValue;

export interface TensorInput {
  readonly name: string;
  /** Or a number, for types that do not exist. */
  readonly type: EncodableType | number;
  /** ggml's order: `[columns, rows, …]`. */
  readonly dimensions: readonly (number | bigint)[];
  /** Values to encode, or bytes as they are. */
  readonly data: Float32Array | Uint8Array;
  /** Within the data section; by default behind the tensor before. */
  readonly offset?: number | bigint;
}

export interface GgufInput {
  readonly version?: number;
  readonly metadata?: Readonly<Record<string, MetadataInput>>;
  readonly tensors?: readonly TensorInput[];
  /** Layout of the data section; written as `general.alignment` where given. */
  readonly alignment?: number;
}

const tensorTypeIds: Record<EncodableType, number> = {F32: 0, F16: 1, Q4_0: 2, Q8_0: 8, BF16: 30};

/** A GGUF file. Nothing is checked: tests write broken files with it too. */
export function writeGguf({version = 3, metadata = {}, tensors = [], alignment}: GgufInput): ArrayBuffer {
  const align = alignment ?? 32;
  const entries = Object.entries<MetadataInput>(metadata);
  if (alignment !== undefined) entries.push(['general.alignment', alignment]);
  const writer = new ByteWriter().bytes(new TextEncoder().encode('GGUF')).u32(version);
  writer.u64(tensors.length).u64(entries.length);
  for (const [key, value] of entries) writeValue(writer.string(key), typed(value));

  const data = new ByteWriter();
  for (const tensor of tensors) {
    const bytes = tensor.data instanceof Uint8Array ? tensor.data : encode(tensor.type, tensor.data);
    writer.string(tensor.name).u32(tensor.dimensions.length);
    for (const dimension of tensor.dimensions) writer.u64(dimension);
    writer.u32(typeof tensor.type === 'number' ? tensor.type : tensorTypeIds[tensor.type]);
    writer.u64(tensor.offset ?? data.align(align).length);
    data.bytes(bytes);
  }
  if (data.length > 0) writer.align(align).bytes(new Uint8Array(data.toBuffer()));
  return writer.toBuffer();
}

function encode(type: EncodableType | number, values: Float32Array): Uint8Array {
  if (typeof type === 'number') throw new Error(`tensor type ${type} has no encoder: give bytes`);
  return encodeTensor(type, values);
}

function typed(input: MetadataInput): TypedValue {
  if (input instanceof Float32Array) return {type: 'f32', value: input};
  if (input instanceof Int32Array) return {type: 'i32', value: input};
  if (input instanceof Uint32Array) return {type: 'u32', value: input};
  if (typeof input === 'object' && 'type' in input) return input;
  if (typeof input !== 'object') return {type: scalarType([input]), value: input};
  return {type: scalarType(input), value: input};
}

/** The one type that suits all of `values`. */
function scalarType(values: readonly Scalar[]): ScalarType {
  const [first] = values;
  if (typeof first === 'boolean') return 'bool';
  if (typeof first === 'string') return 'string';
  if (typeof first === 'bigint') return values.some((value) => Number(value) < 0) ? 'i64' : 'u64';
  if (!values.every((value) => Number.isInteger(value))) return 'f32';
  return values.some((value) => Number(value) < 0) ? 'i32' : 'u32';
}

function writeValue(writer: ByteWriter, {type, value}: TypedValue): void {
  if (typeof value !== 'object') {
    writeScalar(writer.u32(valueTypeIds[type]), type, value);
    return;
  }
  writer.u32(valueTypeIds.array).u32(valueTypeIds[type]).u64(value.length);
  for (let i = 0; i < value.length; i++) writeScalar(writer, type, value[i] ?? 0);
}

function writeScalar(writer: ByteWriter, type: ScalarType, value: Scalar): ByteWriter {
  switch (type) {
    case 'string':
      return writer.string(String(value));
    case 'bool':
      return writer.u8(Number(value));
    case 'u8':
    case 'i8':
      return writer.u8(Number(value));
    case 'u16':
    case 'i16':
      return writer.u16(Number(value));
    case 'u32':
    case 'i32':
      return writer.u32(Number(value));
    case 'f32':
      return writer.f32(Number(value));
    case 'u64':
    case 'i64':
      return writer.u64(typeof value === 'bigint' ? value : Number(value));
    case 'f64':
      return writer.f64(Number(value));
  }
}
