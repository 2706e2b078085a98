import type {Arena} from '../core/arena.ts';
import {kvBlockPositions, kvFormats} from '../core/core-exports.ts';
import type {CoreExports} from '../core/core-exports.ts';
import type {KvType} from '../protocol.ts';
import type {Share} from '../shards/share.ts';
import {ownHeads} from './blocks/attention-plan.ts';
import {attentionOf} from './decoder-spec.ts';
import type {AttentionSpec, DecoderSpec, LayerSpec} from './decoder-spec.ts';
import {layerStateBytes} from './mixer-states.ts';
import {RecurrentStates} from './recurrent-states.ts';
import {rowStride} from './scratch.ts';
import type {Rows} from './scratch.ts';

/** What the layers remember of one sequence: keys and values, or states. */
export interface KvCache {
  readonly format: number;
  /** Positions that a sequence can have. */
  readonly capacity: number;
  readonly layers: readonly LayerCache[];
  /** `null` where no layer is recurrent. */
  readonly states: RecurrentStates | null;
  /** Hidden states of a whole text, (capacity, embeddingLength); `null` for a decoder, which needs no more than a slice. */
  readonly text: Rows | null;
  /** All of it lies here, side by side. */
  readonly pointer: number;
  readonly bytes: number;
}

export interface LayerCache {
  /** `null` where the layer has no attention. */
  readonly attention: AttentionCache | null;
  /** Where the state of the layer's mixer begins in {@link RecurrentStates}. */
  readonly stateOffset: number;
  /** Where that of its network begins. */
  readonly networkStateOffset: number;
}

/** Keys and values of one layer, in rings: storing a position overwrites the one `positions` before it. */
export interface AttentionCache {
  readonly keys: number;
  readonly values: number;
  /** Of this shard; each has its positions side by side. */
  readonly heads: number;
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
  /** Whose keys and values they are. */
  readonly share: Share;
}

const leastElementBytes: Readonly<Record<KvType, number>> = {f32: 4, f16: 2, q8_0: 1};

export function allocateKvCache(
  spec: DecoderSpec,
  options: KvCacheOptions,
  arena: Arena,
  calculator: CoreExports,
): KvCache {
  const pointer = arena.allocate(0, 'kvCache');
  const {layers, states} = spec.causal
    ? allocateLayers(spec, options, arena, calculator)
    : {layers: allocateSharedLayer(spec, options, arena, calculator), states: null};
  const {contextLength: capacity, kvType} = options;
  const stride = rowStride(spec.embeddingLength);
  const text = spec.causal
    ? null
    : {pointer: arena.allocate(capacity * stride, 'kvCache'), columns: spec.embeddingLength, stride};
  const bytes = arena.allocate(0, 'kvCache') - pointer;
  return {format: kvFormats[kvType], capacity, layers, states, text, pointer, bytes};
}

/** Bytes of a block of keys, or of values, of all heads of this shard. */
function blockBytesOf(spec: AttentionSpec, {kvType, share}: KvCacheOptions, calculator: CoreExports): number {
  const {headLength} = spec;
  const heads = ownHeads(spec, share).kv.count;
  // The core counts in 32 bits; what it cannot count must still come out too large, not small.
  return Math.max(
    calculator.kvBytes(kvFormats[kvType], heads, headLength, kvBlockPositions) >>> 0,
    heads * headLength * kvBlockPositions * leastElementBytes[kvType],
  );
}

/** An encoder has the whole text in one layer before it comes to the next: all use the same memory. */
function allocateSharedLayer(
  {layers}: DecoderSpec,
  options: KvCacheOptions,
  arena: Arena,
  calculator: CoreExports,
): LayerCache[] {
  const attentionIn = ({mixer}: LayerSpec): AttentionSpec => {
    if (mixer.kind === 'attention') return mixer;
    throw new RangeError('the layers of an encoder have attention');
  };
  const blockBytes = Math.max(
    ...layers.map((layer) => blockBytesOf(attentionIn(layer), options, calculator)),
  );
  const blocks = Math.ceil(options.contextLength / kvBlockPositions);
  const shared = {
    keys: arena.allocate(blocks * blockBytes, 'kvCache'),
    values: arena.allocate(blocks * blockBytes, 'kvCache'),
    positions: blocks * kvBlockPositions,
    // Nothing is in use between two texts.
    heads: 0,
    positionBytes: 0,
  };
  return layers.map((layer) => ({
    attention: {...shared, window: attentionIn(layer).window},
    stateOffset: 0,
    networkStateOffset: 0,
  }));
}

function allocateLayers(
  {layers: specs, embeddingLength}: DecoderSpec,
  options: KvCacheOptions,
  arena: Arena,
  calculator: CoreExports,
): Pick<KvCache, 'layers' | 'states'> {
  const {contextLength, sliceLength, share} = options;
  const own = (spec: AttentionSpec): AttentionCache => {
    const {window} = spec;
    const blockBytes = blockBytesOf(spec, options, calculator);
    // While a slice is stored, its first token must still see its whole window.
    const needed = window === 0 ? contextLength : Math.min(contextLength, window + sliceLength - 1);
    const blocks = Math.ceil(needed / kvBlockPositions);
    return {
      keys: arena.allocate(blocks * blockBytes, 'kvCache'),
      values: arena.allocate(blocks * blockBytes, 'kvCache'),
      positions: blocks * kvBlockPositions,
      heads: ownHeads(spec, options.share).kv.count,
      window,
      positionBytes: (2 * blockBytes) / kvBlockPositions,
    };
  };
  const layers: LayerCache[] = [];
  let stateBytes = 0;
  for (const layer of specs) {
    const spec = attentionOf(layer.mixer);
    const shared = spec?.sharesCacheOf === undefined ? null : layers[spec.sharesCacheOf]?.attention;
    const attention = shared ? {...shared, positionBytes: 0} : spec && own(spec);
    const bytes = layerStateBytes(layer, embeddingLength, share);
    layers.push({attention, stateOffset: stateBytes, networkStateOffset: stateBytes + bytes.mixer});
    stateBytes += bytes.mixer + bytes.network;
  }
  const states = stateBytes === 0 ? null : new RecurrentStates(stateBytes, arena);
  return {layers, states};
}

/** Bytes that hold keys and values of a sequence of `length` positions. */
export function usedKvBytes({layers}: KvCache, length: number): number {
  return layers.reduce((sum, {attention}) => {
    if (!attention) return sum;
    return sum + Math.min(length, attention.positions) * attention.positionBytes;
  }, 0);
}

/**
 * The last position, `position` or before it, where a token finds all that it sees: positions below `stored` have been
 * stored, and those behind it are forgotten.
 */
export function usablePosition({layers, states}: KvCache, position: number, stored: number): number {
  const last = states ? states.usablePosition(position) : position;
  const isThere = layers.every(({attention}) => {
    if (!attention) return true;
    const {positions, window} = attention;
    const firstSeen = window === 0 ? 0 : Math.max(0, last - window + 1);
    return firstSeen === last || firstSeen >= stored - positions;
  });
  return isThere ? last : 0;
}
