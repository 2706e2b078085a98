import {Arena} from '../core/arena.ts';
import type {CoreExports} from '../core/core-exports.ts';
import type {GgufHeader} from '../gguf/header.ts';
import type {KvType, MemoryPlan} from '../protocol.ts';
import type {Share} from '../shards/share.ts';
import {planDecoder} from './decoder-plan.ts';
import type {DecoderPlan} from './decoder-plan.ts';
import type {DecoderSpec} from './decoder-spec.ts';
import {allocateKvCache} from './kv-cache.ts';
import type {KvCache} from './kv-cache.ts';
import {stagingBytes} from './load-weights.ts';
import type {ActivationType} from './weights.ts';

export interface LayoutSettings {
  /** Positions of the KV cache. */
  readonly contextLength: number;
  readonly kvType: KvType;
  /** The most tokens of one step. */
  readonly sliceLength: number;
  readonly activations?: ActivationType;
}

/** All places of a model, or of what a shard has of it, known from the header alone. */
export interface Layout {
  readonly decoder: DecoderPlan;
  readonly cache: KvCache;
  /** For rows on their way to their places. */
  readonly staging: number;
  readonly plan: MemoryPlan;
}

/** @throws {GgufError} as {@link planDecoder}; `memory-plan` */
export function planLayout(
  spec: DecoderSpec,
  header: Pick<GgufHeader, 'tensors'>,
  settings: LayoutSettings,
  share: Share,
  calculator: CoreExports,
): Layout {
  const arena = new Arena();
  const options = {...settings, share};
  const decoder = planDecoder(spec, header, arena, calculator, options);
  const cache = allocateKvCache(spec, options, arena, calculator);
  const staging = arena.allocate(stagingBytes(decoder.destinations, calculator), 'scratch');
  return {decoder, cache, staging, plan: arena.plan()};
}
