import type {Arena} from '../core/arena.ts';
import {kvFormats} from '../core/core-exports.ts';
import type {CoreExports} from '../core/core-exports.ts';
import type {KvType} from '../protocol.ts';
import type {DecoderSpec} from './decoder-spec.ts';

/** Keys and values of one sequence, for every layer. */
export interface KvCache {
  readonly format: number;
  /** Positions that there is room for. */
  readonly capacity: number;
  /** Bytes of one position, over all layers. */
  readonly positionBytes: number;
  readonly layers: readonly {readonly keys: number; readonly values: number}[];
}

export function allocateKvCache(
  {layerCount, headCountKv, headLength}: DecoderSpec,
  capacity: number,
  type: KvType,
  arena: Arena,
  calculator: CoreExports,
): KvCache {
  const format = kvFormats[type];
  const elementBytes = type === 'f32' ? 4 : 2;
  // The core counts in 32 bits; what it cannot count must still come out too large, not small.
  const padded = calculator.kvBytes(format, headCountKv, headLength, capacity) >>> 0;
  const bytes = Math.max(padded, headCountKv * headLength * capacity * elementBytes);
  const layers = Array.from({length: layerCount}, () => ({
    keys: arena.allocate(bytes, 'kvCache'),
    values: arena.allocate(bytes, 'kvCache'),
  }));
  return {format, capacity, layers, positionBytes: 2 * layerCount * headCountKv * headLength * elementBytes};
}
