import type {Arena} from '../core/arena.ts';
import {candidateBytes} from '../core/core-exports.ts';
import type {CoreExports} from '../core/core-exports.ts';

/** Scratch for choosing a token among V, the vocabulary; see `wasm/assembly/sampling/`. */
export interface SamplingBuffers {
  /** How many tokens are how far below the best one. */
  readonly tally: number;
  /** Ranked tokens: u32 ID, f32 logit (V, 2). */
  readonly candidates: number;
  /** Running sums of weights, f64 (V); before that, the other half of the sort. */
  readonly sums: number;
}

export function allocateSampling(
  vocabularySize: number,
  arena: Arena,
  calculator: CoreExports,
): SamplingBuffers {
  return {
    tally: arena.allocate(calculator.tallyBytes(), 'scratch'),
    candidates: arena.allocate(vocabularySize * candidateBytes, 'scratch'),
    sums: arena.allocate(vocabularySize * 8, 'scratch'),
  };
}
