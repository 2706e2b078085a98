import type {ChosenCore} from './core/choose-core.ts';
import {usedKvBytes} from './model/kv-cache.ts';
import {protocolVersion} from './protocol.ts';
import type {Diagnostics, ModelInfo, SamplingSettings} from './protocol.ts';
import type {Sequence} from './sequence.ts';
import {version} from './version.ts';

/** Counters of a Worker's life; they only grow. */
export type Counters = {-readonly [K in keyof Diagnostics['counters']]: number};

export const newCounters = (): Counters => ({
  requests: 0,
  errors: 0,
  cancels: 0,
  loads: 0,
  promptTokens: 0,
  cachedTokens: 0,
  generatedTokens: 0,
});

const relaxedDotOf = {0: 'signed', 1: 'unsigned', 2: 'saturating'} as const;

interface Facts {
  readonly chosen: ChosenCore;
  /** Of the model. */
  readonly fallbacks: readonly string[];
  readonly model: ModelInfo | null;
  readonly sequence: Sequence | null;
  readonly shards: Diagnostics['shards'];
  readonly wasmBytes: number;
  readonly highWaterBytes: number;
  readonly sampling: SamplingSettings;
  readonly counters: Counters;
  readonly running: readonly string[];
}

export function createDiagnostics(facts: Facts): Diagnostics {
  const {chosen, model, sequence, sampling, running} = facts;
  const {variant, dotMode, sha256} = chosen.core;
  return {
    schema: 1,
    protocolVersion,
    version,
    core: {variant, sha256, relaxedDot: relaxedDotOf[dotMode as keyof typeof relaxedDotOf] ?? null},
    environment: {
      userAgent: navigator.userAgent,
      hardwareConcurrency: navigator.hardwareConcurrency,
      crossOriginIsolated: globalThis.crossOriginIsolated,
    },
    shards: facts.shards,
    model,
    memory: {
      plan: model?.memory ?? null,
      wasmBytes: facts.wasmBytes,
      wasmHighWaterBytes: facts.highWaterBytes,
      kvUsedBytes: sequence ? usedKvBytes(sequence.cache, sequence.length) : 0,
    },
    sampling,
    counters: {...facts.counters},
    running,
    fallbacks: [...chosen.fallbacks, ...facts.fallbacks],
  };
}
