/** What is measured, and the figures that come of it; the command line and the demo's page do the same. */
import {summarize} from './statistics.mjs';

/** Decode begins after a prompt of this many tokens. */
export const decodePrompt = 16;

/**
 * @typedef {object} Run
 * @property {{promptTokens: number, completionTokens: number}} usage
 * @property {{firstTokenMs: number | null, decodeMs: number}} timings
 */

/**
 * Where it is measured. A run is greedy, from an empty context, and has as many tokens as it is asked for.
 *
 * @typedef {object} Bench
 * @property {(bytes: number) => Promise<{oneStream: number, fourStreams: number} | null>} memoryRead GB/s
 * @property {() => Promise<number | null>} dotPeak GMAC/s
 * @property {(promptTokens: number, maxTokens: number) => Promise<Run>} run
 * @property {(promptTokens: number, maxTokens: number) => Promise<Run>} [runPeer]
 */

/**
 * @typedef {object} MeasurementOptions
 * @property {number} prompt tokens of the prefill
 * @property {number} tokens of the decode, 2 or more
 * @property {number} repetitions measured ones, after one to warm up
 * @property {number} [peerPrompt] tokens of the prefill that is compared with the peer
 * @property {number} [peerTokens] tokens of the peer's decode
 * @property {boolean} [withPeer]
 */

/**
 * `weightBytesPerToken`, `layerMacs` and `outputMacs` are known of synthetic models only.
 *
 * @typedef {{fileBytes: number} & Partial<import('./synthetic-gguf.mjs').ModelFacts>} MeasuredModel
 */

/**
 * @typedef {object} Sample
 * @property {{oneStream: number, fourStreams: number} | null} memoryRead
 * @property {number | null} dotPeak
 * @property {number} firstTokenMs
 * @property {number} decodeMs
 * @property {number} [shortFirstTokenMs]
 * @property {number} [peerFirstTokenMs]
 * @property {number} [peerDecodeMs]
 */

/** @typedef {{unit: string, median: number, p95: number, samples: number[]}} Figure */

/**
 * One repetition: every figure once, one after the other, so that a slow moment of the machine meets all alike.
 *
 * Prefill is the time to the first token, decode the time from the first token to the last one, in both engines.
 *
 * @returns {Promise<Sample>}
 */
async function repeat(bench, model, {prompt, tokens, peerPrompt, peerTokens, withPeer}) {
  const run = async (name, promptTokens, maxTokens) => {
    const {usage, timings} = await bench[name](promptTokens, maxTokens);
    checkCounts(name, usage, promptTokens, maxTokens);
    return timings;
  };
  const sample = {
    memoryRead: await bench.memoryRead(model.weightBytesPerToken ?? model.fileBytes),
    dotPeak: await bench.dotPeak(),
    firstTokenMs: (await run('run', prompt, 1)).firstTokenMs,
    decodeMs: (await run('run', decodePrompt, tokens)).decodeMs,
  };
  if (!withPeer) return sample;
  return {
    ...sample,
    shortFirstTokenMs: (await run('run', peerPrompt, 1)).firstTokenMs,
    peerFirstTokenMs: (await run('runPeer', peerPrompt, 1)).firstTokenMs,
    peerDecodeMs: (await run('runPeer', decodePrompt, peerTokens)).decodeMs,
  };
}

/** A figure is worth nothing if the engine did another amount of work than was asked for. */
function checkCounts(name, usage, promptTokens, completionTokens) {
  if (usage.promptTokens === promptTokens && usage.completionTokens === completionTokens) return;
  throw new Error(
    `${name} did ${usage.promptTokens} + ${usage.completionTokens} tokens where ${promptTokens} + ${completionTokens} were asked for`,
  );
}

/**
 * Warm-up, then the repetitions, one sample each.
 *
 * @param {Bench} bench
 * @param {MeasuredModel} model
 * @param {MeasurementOptions} options
 * @returns {AsyncGenerator<Sample>}
 */
export async function* repetitions(bench, model, options) {
  for (let index = 0; index <= options.repetitions; index++) {
    const sample = await repeat(bench, model, options);
    if (index > 0) yield sample;
  }
}

/**
 * From times to rates. What was not measured, or not of this model, has no figure.
 *
 * @param {Sample[]} samples at least one
 * @param {MeasuredModel} model
 * @param {MeasurementOptions} options
 * @returns {Record<string, Figure>}
 */
export function figuresOf(samples, model, {prompt, tokens, peerPrompt, peerTokens, withPeer}) {
  const of = (unit, value) => summarize(unit, samples.map(value));
  const {weightBytesPerToken, computeBytes, layerMacs, outputMacs} = model;
  const macs = layerMacs * prompt + outputMacs;
  const knowsWork = weightBytesPerToken !== undefined;
  const hasDot = samples.every(({dotPeak}) => dotPeak !== null);
  const hasMemory = samples.every(({memoryRead}) => memoryRead !== null);
  return {
    ...(hasMemory && {
      memoryRead: of('GB/s', ({memoryRead}) => memoryRead.oneStream),
      memoryStreams: of('GB/s', ({memoryRead}) => memoryRead.fourStreams),
    }),
    ...(hasDot && {dotPeak: of('GMAC/s', ({dotPeak}) => dotPeak)}),
    firstToken: of('ms', ({firstTokenMs}) => firstTokenMs),
    prefill: of('tok/s', ({firstTokenMs}) => (prompt / firstTokenMs) * 1000),
    decode: of('tok/s', ({decodeMs}) => ((tokens - 1) / decodeMs) * 1000),
    ...(knowsWork && {
      prefillMacs: of('GMAC/s', ({firstTokenMs}) => macs / firstTokenMs / 1e6),
      decodeBytes: of('GB/s', ({decodeMs}) => (weightBytesPerToken * (tokens - 1)) / decodeMs / 1e6),
    }),
    ...(computeBytes !== undefined && {
      decodeComputeBytes: of('GB/s', ({decodeMs}) => (computeBytes * (tokens - 1)) / decodeMs / 1e6),
    }),
    ...(withPeer && {
      prefillAsPeer: of('tok/s', ({shortFirstTokenMs}) => (peerPrompt / shortFirstTokenMs) * 1000),
      peerPrefill: of('tok/s', ({peerFirstTokenMs}) => (peerPrompt / peerFirstTokenMs) * 1000),
      peerDecode: of('tok/s', ({peerDecodeMs}) => ((peerTokens - 1) / peerDecodeMs) * 1000),
    }),
  };
}

/**
 * What the targets speak of: medians of one run divided by each other.
 *
 * @param {Record<string, Figure>} figures
 * @returns {Record<string, number | null>}
 */
export function ratiosOf(figures) {
  const ratio = (name, over) =>
    figures[name] && figures[over] ? figures[name].median / figures[over].median : null;
  return {
    decodeOfMemoryRead: ratio('decodeBytes', 'memoryRead'),
    decodeOfMemoryStreams: ratio('decodeBytes', 'memoryStreams'),
    decodeComputeOfMemoryRead: ratio('decodeComputeBytes', 'memoryRead'),
    prefillOfDotPeak: ratio('prefillMacs', 'dotPeak'),
    decodeOverPeer: ratio('decode', 'peerDecode'),
    prefillOverPeer: ratio('prefillAsPeer', 'peerPrefill'),
  };
}
