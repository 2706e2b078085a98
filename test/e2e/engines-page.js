/** In the page of engines.mjs: what a model computes, as a digest. */
import {GgufError, GgufRuntime} from '/runtime.js';

const sampling = {temperature: 1, topK: 40, topP: 0.9, minP: 0.01, repeatPenalty: 1.1, seed: 5};

async function boot(options) {
  try {
    return await GgufRuntime.boot(options);
  } catch (error) {
    if (error instanceof GgufError && error.name === 'unsupported-browser') return error.message;
    throw error;
  }
}

/** Logits after each token of a prompt, and the tokens that are sampled after the beginning of it. */
async function compute(runtime, name) {
  const {vocabularySize, generates, contextLength} = await runtime.loadModel(`/${name}.gguf`);
  const length = Math.min(100, contextLength);
  const tokens = Array.from({length}, (_, index) => (index * 37) % vocabularySize);
  if (!generates) return await runtime.embed([tokens]);
  const {logits} = await runtime.evaluate(tokens);
  const run = runtime.generate({
    tokens: tokens.slice(0, 9),
    maxTokens: 50,
    sampling,
    ignoreEndOfGeneration: true,
  });
  return [logits, Int32Array.from((await run.result).tokens)];
}

/** The first 64 bits of a SHA-256, hexadecimal. */
async function hash(arrays) {
  const bits = await crypto.subtle.digest('SHA-256', await new Blob(arrays).arrayBuffer());
  return Array.from(new Uint8Array(bits, 0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * @param {string} name of the model
 * @param {'relaxed' | 'baseline' | null} core `null`: the engine's best
 * @param {string} [shards]
 * @returns {Promise<{digest: string, relaxedDot: string | null, transport: string | null} | {unsupported: string}>}
 *   `unsupported` says why this engine cannot run that core
 */
globalThis.digest = async (name, core, shards = '1') => {
  const runtime = await boot({...(core && {core}), shards: Number(shards)});
  if (typeof runtime === 'string') return {unsupported: runtime};
  try {
    const digest = await hash(await compute(runtime, name));
    const {core: own, shards: divided} = await runtime.diagnostics();
    return {digest, relaxedDot: own.relaxedDot, transport: divided.transport};
  } finally {
    runtime.terminate();
  }
};
