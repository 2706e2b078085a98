import type {Arena} from '../core/arena.ts';
import {kvBlockPositions, kvFormats} from '../core/core-exports.ts';
import type {CoreExports} from '../core/core-exports.ts';
import type {KvType} from '../protocol.ts';
import type {AttentionSpec, DecoderSpec} from './decoder-spec.ts';

/** Keys and values of one sequence, for every layer. */
export interface KvCache {
  readonly format: number;
  /** Positions that a sequence can have. */
  readonly capacity: number;
  readonly layers: readonly AttentionCache[];
}

/** Keys and values of one layer, in rings: storing a position overwrites the one `positions` before it. */
export interface AttentionCache {
  readonly keys: number;
  readonly values: number;
  /** Positions of a ring, a multiple of {@link kvBlockPositions}; without a window it never comes round. */
  readonly positions: number;
  /** How many positions attention sees, the token's own included; 0: all. */
  readonly window: number;
  /** Bytes of keys and values of one position; 0 where another layer has stored them. */
  readonly positionBytes: number;
}

interface KvCacheOptions {
  readonly contextLength: number;
  readonly kvType: KvType;
  /** The most tokens of one step. */
  readonly sliceLength: number;
}

const leastElementBytes: Readonly<Record<KvType, number>> = {f32: 4, f16: 2, q8_0: 1};

export function allocateKvCache(
  {layers: specs}: DecoderSpec,
  {contextLength, kvType, sliceLength}: KvCacheOptions,
  arena: Arena,
  calculator: CoreExports,
): KvCache {
  const format = kvFormats[kvType];
  const own = (spec: AttentionSpec): AttentionCache => {
    const {window, headCountKv, headLength} = spec;
    // The core counts in 32 bits; what it cannot count must still come out too large, not small.
    const blockBytes = Math.max(
      calculator.kvBytes(format, headCountKv, headLength, kvBlockPositions) >>> 0,
      headCountKv * headLength * kvBlockPositions * leastElementBytes[kvType],
    );
    // While a slice is stored, its first token must still see its whole window.
    const needed = window === 0 ? contextLength : Math.min(contextLength, window + sliceLength - 1);
    const blocks = Math.ceil(needed / kvBlockPositions);
    return {
      keys: arena.allocate(blocks * blockBytes, 'kvCache'),
      values: arena.allocate(blocks * blockBytes, 'kvCache'),
      positions: blocks * kvBlockPositions,
      window,
      positionBytes: (2 * blockBytes) / kvBlockPositions,
    };
  };
  const layers: AttentionCache[] = [];
  for (const {mixer} of specs) {
    const shared = mixer.sharesCacheOf === undefined ? undefined : layers[mixer.sharesCacheOf];
    layers.push(shared ? {...shared, positionBytes: 0} : own(mixer));
  }
  return {format, capacity: contextLength, layers};
}

/** Bytes that hold keys and values of a sequence of `length` positions. */
export function usedKvBytes({layers}: KvCache, length: number): number {
  return layers.reduce(
    (sum, {positions, positionBytes}) => sum + Math.min(length, positions) * positionBytes,
    0,
  );
}

/**
 * Whether a token at `position` finds all that it sees, where positions below `stored` have been stored and those from
 * `position` on are forgotten.
 */
export function canGoOnFrom({layers}: KvCache, position: number, stored: number): boolean {
  return layers.every(({positions, window}) => {
    const firstSeen = window === 0 ? 0 : Math.max(0, position - window + 1);
    return firstSeen === position || firstSeen >= stored - positions;
  });
}
