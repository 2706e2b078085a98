/** The reference logits (`logits-golden-1`): what llama.cpp computed for a model of the reference data. */
import {sharedFile, sharedJson} from './shared.ts';

interface Tolerance {
  readonly max_abs: number;
  readonly rms?: number;
}

interface GoldenPrompt {
  readonly name: string;
  readonly text: string;
  readonly tokens: number[];
  readonly logits_positions?: number[];
  readonly logits_f32_base64: string;
  readonly logits_dequant_f32_base64?: string;
  readonly greedy_tokens: number[];
  /** For each step of the continuation the best five: `[id, logit]`. The long stories have none. */
  readonly greedy_top5?: [number, number][][];
  readonly greedy_tokens_dequant_f32?: number[];
  readonly greedy_text?: string;
  readonly greedy_text_hex: string;
}

interface GoldenFile {
  readonly model: string;
  readonly n_vocab: number;
  /** The files with long continuations have none. */
  readonly tolerance?: Tolerance | {vs_dequantised_f32: Tolerance; vs_llama_cpp_native: Tolerance};
  readonly prompts: GoldenPrompt[];
}

/** One prompt with the reference that fits the arithmetic of our runtime. */
export interface Reference {
  readonly name: string;
  readonly text: string;
  readonly tokens: number[];
  readonly positions: number[];
  /** (positions, vocab) */
  readonly logits: Float32Array;
  readonly tolerance: Tolerance;
  readonly greedy: number[];
  /** The best five of each step of llama.cpp's own continuation: `[id, logit]`. */
  readonly greedyTop: readonly (readonly [number, number][])[];
  readonly greedyTextHex: string;
}

export interface Golden {
  readonly vocab: number;
  readonly references: readonly Reference[];
}

/**
 * @param exactActivations whether products keep activations in f32 (then the reference is the dequantised model), or
 * quantise them as llama.cpp does (then it is llama.cpp as it runs)
 */
export async function loadGolden(name: string, exactActivations: boolean): Promise<Golden> {
  const file = await sharedJson<GoldenFile>(`goldens/${name}.json`);
  const references = file.prompts.map((prompt): Reference => {
    const dequantised = exactActivations && prompt.logits_dequant_f32_base64 !== undefined;
    const base64 = (dequantised && prompt.logits_dequant_f32_base64) || prompt.logits_f32_base64;
    return {
      name: prompt.name,
      text: prompt.text,
      tokens: prompt.tokens,
      positions: prompt.logits_positions ?? prompt.tokens.map((_, index) => index),
      logits: decodeF32(base64),
      tolerance: chooseTolerance(file.tolerance, exactActivations),
      greedy: (dequantised && prompt.greedy_tokens_dequant_f32) || prompt.greedy_tokens,
      greedyTop: prompt.greedy_top5 ?? [],
      greedyTextHex: prompt.greedy_text_hex,
    };
  });
  return {vocab: file.n_vocab, references};
}

function chooseTolerance(tolerance: GoldenFile['tolerance'], exactActivations: boolean): Tolerance {
  if (tolerance === undefined) return {max_abs: 1e-3};
  if ('max_abs' in tolerance) return tolerance;
  return exactActivations ? tolerance.vs_dequantised_f32 : tolerance.vs_llama_cpp_native;
}

export async function loadReferenceModel(file: string): Promise<ArrayBuffer> {
  return (await sharedFile(`models/${file}`)).arrayBuffer();
}

/** Largest and root-mean-square difference over the positions that the reference has. */
export function compareLogits(
  logits: Float32Array,
  vocab: number,
  {positions, logits: expected}: Reference,
): {max: number; rms: number} {
  let max = 0;
  let squares = 0;
  positions.forEach((position, row) => {
    for (let id = 0; id < vocab; id++) {
      const difference = Math.abs(
        (logits[position * vocab + id] ?? NaN) - (expected[row * vocab + id] ?? NaN),
      );
      // Not Math.max alone: it must not lose a NaN.
      max = difference <= max ? max : difference;
      squares += difference * difference;
    }
  });
  return {max, rms: Math.sqrt(squares / expected.length)};
}

export function decodeF32(base64: string): Float32Array {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}
