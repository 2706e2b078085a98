/** Unpacking alone, for its tests. Not part of a core. */
export {unpack} from './formats/unpack/unpack';
export {
  UNPACKED_CODES,
  UNPACKED_MIN,
  UNPACKED_MINS,
  UNPACKED_SCALE,
  UNPACKED_SCALES,
} from './formats/unpack/unpacked';
export {codeOffset, ue4m3, unit, valueTable} from './formats/unpack/values';
export {heapBase} from './heap-base';
