import {Random} from './random.mjs';
import {summarize} from './statistics.mjs';
import {promptOfLength} from './vocabulary.mjs';

/** Decode begins after a prompt of this many tokens. */
const decodePrompt = 16;

/**
 * One repetition: every figure once, one after the other, so that a slow moment of the machine meets all alike.
 *
 * Prefill is the time to the first token, decode the time from the first token to the last one, in both engines.
 */
async function repeat(page, model, options) {
  const {prompt, tokens, peerPrompt, peerTokens, withPeer} = options;
  const run = async (name, promptTokens, maxTokens) => {
    const text = promptOfLength(promptTokens, new Random(`prompt of ${promptTokens}`));
    const result = await page.call(name, {prompt: text, maxTokens});
    checkCounts(name, result, promptTokens, maxTokens);
    return result;
  };
  const sample = {
    memoryRead: await page.call('memoryRead', model.weightBytesPerToken),
    dotPeak: await page.call('dotPeak'),
    firstTokenMs: (await run('runOurs', prompt, 1)).timings.firstTokenMs,
    decodeMs: (await run('runOurs', decodePrompt, tokens)).timings.decodeMs,
  };
  if (!withPeer) return sample;
  return {
    ...sample,
    shortFirstTokenMs: (await run('runOurs', peerPrompt, 1)).timings.firstTokenMs,
    peerFirstTokenMs: (await run('runPeer', peerPrompt, 1)).timings.prompt_ms,
    peerDecodeMs: (await run('runPeer', decodePrompt, peerTokens)).timings.predicted_ms,
  };
}

/** A figure is worth nothing if the engine did another amount of work than was asked for. */
function checkCounts(name, {usage}, promptTokens, completionTokens) {
  const prompt = usage.promptTokens ?? usage.prompt_tokens;
  const completion = usage.completionTokens ?? usage.completion_tokens;
  if (prompt === promptTokens && completion === completionTokens) return;
  throw new Error(
    `${name} did ${prompt} + ${completion} tokens where ${promptTokens} + ${completionTokens} were asked for`,
  );
}

/** Warm-up, then the repetitions. */
export async function measure(page, model, options, log) {
  const samples = [];
  for (let index = 0; index <= options.repetitions; index++) {
    log(index === 0 ? 'warm-up' : `repetition ${index} of ${options.repetitions}`);
    const sample = await repeat(page, model, options);
    if (index > 0) samples.push(sample);
  }
  return figures(samples, model, options);
}

/** From times to rates. */
function figures(samples, model, {prompt, tokens, peerPrompt, peerTokens, withPeer}) {
  const of = (unit, value) => summarize(unit, samples.map(value));
  const macs = model.layerMacs * prompt + model.outputMacs;
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
    prefillMacs: of('GMAC/s', ({firstTokenMs}) => macs / firstTokenMs / 1e6),
    decode: of('tok/s', ({decodeMs}) => ((tokens - 1) / decodeMs) * 1000),
    decodeBytes: of('GB/s', ({decodeMs}) => (model.weightBytesPerToken * (tokens - 1)) / decodeMs / 1e6),
    decodeComputeBytes: of('GB/s', ({decodeMs}) => (model.computeBytes * (tokens - 1)) / decodeMs / 1e6),
    ...(withPeer && {
      prefillAsPeer: of('tok/s', ({shortFirstTokenMs}) => (peerPrompt / shortFirstTokenMs) * 1000),
      peerPrefill: of('tok/s', ({peerFirstTokenMs}) => (peerPrompt / peerFirstTokenMs) * 1000),
      peerDecode: of('tok/s', ({peerDecodeMs}) => ((peerTokens - 1) / peerDecodeMs) * 1000),
    }),
  };
}

/** What the targets speak of: medians of one run divided by each other. */
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
