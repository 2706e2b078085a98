import {GgufError} from '../errors.ts';
import type {HeaderCursor} from './header-cursor.ts';
import {limits} from './limits.ts';
import {StringArray} from './string-array.ts';

/** The types of values, in the order of their numbers in the file. */
// prettier-ignore
export const valueTypes = [
  'u8', 'i8', 'u16', 'i16', 'u32', 'i32', 'f32', 'bool', 'string', 'array', 'u64', 'i64', 'f64',
] as const;

export type ValueType = (typeof valueTypes)[number];
export type NumberType = Exclude<ValueType, 'bool' | 'string' | 'array'>;

type NumberArray =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array;

/** The value of a metadata key. Arrays stay as compact as they are in the file. */
export type MetadataValue =
  | {readonly type: NumberType; readonly value: number | bigint}
  | {readonly type: 'bool'; readonly value: boolean}
  | {readonly type: 'string'; readonly value: string}
  | {readonly type: 'array'; readonly elementType: NumberType; readonly value: NumberArray}
  | {readonly type: 'array'; readonly elementType: 'bool'; readonly value: Uint8Array}
  | {readonly type: 'array'; readonly elementType: 'string'; readonly value: StringArray}
  /** No known key holds arrays of arrays: such a value is passed over, so that an unknown key does no harm. */
  | {readonly type: 'array'; readonly elementType: 'array'; readonly value: null};

const arrayTypes = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  u64: BigUint64Array,
  i64: BigInt64Array,
  f64: Float64Array,
} as const satisfies Record<NumberType, unknown>;

// General strings are for people: what is not UTF-8 is shown as U+FFFD.
const utf8 = new TextDecoder('utf-8', {ignoreBOM: true});

/** @throws {GgufError} `gguf-metadata`, `gguf-limit` naming `key` */
export function readValue(cursor: HeaderCursor, key: string): MetadataValue {
  const type = readType(cursor, key);
  if (type === 'array') return readArray(cursor, key, 1);
  if (type === 'string') return {type, value: utf8.decode(cursor.bytes(cursor.stringLength()))};
  if (type === 'bool') return {type, value: cursor.bytes(1)[0] !== 0};
  return {type, value: readNumbers(cursor, type, 1)[0] ?? 0};
}

function readType(cursor: HeaderCursor, key: string): ValueType {
  const id = cursor.u32();
  const type = valueTypes[id];
  if (type !== undefined) return type;
  throw new GgufError('gguf-metadata', `Metadata key ${key} has a value of unknown type ${id}`, {field: key});
}

function readArray(cursor: HeaderCursor, key: string, depth: number): MetadataValue {
  const elementType = readType(cursor, key);
  const length = cursor.count();
  if (length > limits.arrayLength) {
    throw new GgufError('gguf-limit', `Metadata key ${key} holds an array of ${length} elements`, {
      field: key,
    });
  }
  if (elementType === 'string') {
    const {bytes, starts} = cursor.strings(length);
    return {type: 'array', elementType, value: new StringArray(bytes, starts)};
  }
  if (elementType === 'bool') return {type: 'array', elementType, value: cursor.bytes(length)};
  if (elementType !== 'array') {
    return {type: 'array', elementType, value: readNumbers(cursor, elementType, length)};
  }
  if (depth === limits.arrayDepth) {
    throw new GgufError('gguf-limit', `Metadata key ${key} nests arrays more than ${depth} deep`, {
      field: key,
    });
  }
  for (let i = 0; i < length; i++) readArray(cursor, key, depth + 1);
  return {type: 'array', elementType, value: null};
}

function readNumbers(cursor: HeaderCursor, type: NumberType, count: number): NumberArray {
  const constructor = arrayTypes[type];
  // The bytes are a copy and so begin where every element type may; every engine of WebAssembly is little endian.
  return new constructor(cursor.bytes(count * constructor.BYTES_PER_ELEMENT).buffer);
}
