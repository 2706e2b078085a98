/**
 * Cancels in the page, one a call: begins something, cancels it after a given time, measures from the call to the moment
 * when it has settled, and compares what the runtime answers afterwards with what it answered when nothing was cancelled.
 *
 * Answers are compared token by token together with their log-probabilities, which show any damage to the context long
 * before another token wins.
 */
import {GgufError, GgufRuntime} from '/dist/runtime.js';

/** Tokens of the answers that are compared. */
const longAnswer = 48;
const shortAnswer = 8;

/** @typedef {{ids: number[], logprobs: number[]}} Answer */

/** @type {GgufRuntime} */
let runtime;
/** @type {Blob} */
let file;
/** The prompts, and what they are answered when nothing is cancelled. */
let reference;
let settings;

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const loadOptions = () => ({contextLength: settings.contextLength});

function begin(input, maxTokens, signal) {
  return runtime.generate({
    ...input,
    maxTokens,
    topLogprobs: 0,
    sampling: {temperature: 0},
    ignoreEndOfGeneration: true,
    ...(signal && {signal}),
  });
}

/** Reads a run to its end. `onFirstToken` is called once. */
async function read(run, onFirstToken = () => {}) {
  const answer = {ids: [], logprobs: []};
  for await (const {id, logprob} of run) {
    if (answer.ids.length === 0) onFirstToken();
    answer.ids.push(id);
    answer.logprobs.push(logprob);
  }
  return {...answer, result: await run.result};
}

/** What of `answer` differs from `expected`, from its token `start` on; empty where nothing does. */
function difference(what, answer, expected, start = 0) {
  for (const [index, id] of answer.ids.entries()) {
    const at = start + index;
    if (id === expected.ids[at] && answer.logprobs[index] === expected.logprobs[at]) continue;
    return [
      `${what}: token ${at} is ${id} (${answer.logprobs[index]}), not ${expected.ids[at]} (${expected.logprobs[at]})`,
    ];
  }
  return [];
}

/**
 * Answers `input` to the end and compares.
 *
 * @param {{start?: number, contextUsed?: number}} [known] where in `expected` the answer begins; how many positions of
 *   the context are a beginning of the prompt, and have to be reused
 */
async function probe(what, input, expected, {start = 0, contextUsed} = {}) {
  const length = expected.ids.length - start;
  if (length === 0) return [];
  const answer = await read(begin(input, length));
  const {cachedTokens, promptTokens} = answer.result.usage;
  // The last token of a prompt is always computed: its logits are wanted.
  const reusable = contextUsed === undefined ? cachedTokens : Math.min(contextUsed, promptTokens - 1);
  return [
    ...(answer.ids.length === length ? [] : [`${what}: ${answer.ids.length} tokens, not ${length}`]),
    ...(cachedTokens === reusable ? [] : [`${what}: ${cachedTokens} tokens reused, not ${reusable}`]),
    ...difference(what, answer, expected, start),
  ];
}

const probeOther = () => probe('another prompt', {prompt: settings.shortPrompt}, reference.short);

const probeSame = (_answer, contextUsed) =>
  probe('the same prompt', {prompt: settings.longPrompt}, reference.long, {contextUsed});

/** The prompt with the answer so far, as a page would send it on: the rest of the answer must follow. */
const probeRest = ({ids}, contextUsed) =>
  probe('the rest', {tokens: [...reference.longTokens, ...ids]}, reference.long, {
    start: ids.length,
    contextUsed,
  });

const probes = {same: probeSame, other: probeOther, rest: probeRest};

/** Cancels in one of two ways and measures until `settled`. */
async function cancelAndTime(cancel, settled) {
  const called = performance.now();
  cancel();
  await settled;
  return performance.now() - called;
}

/** Brings the context into a state in which the long prompt has to be computed anew. */
async function forgetLongPrompt(way) {
  if (way === 'reset') await runtime.resetContext();
  else await read(begin({prompt: settings.shortPrompt}, shortAnswer));
}

/** A cancel at `delayMs` after the start (`prefill`) or after the first token (`decode`). */
async function cancelRun({phase, delayMs, way, before, probe: probeName}) {
  if (phase === 'prefill') await forgetLongPrompt(before);
  const controller = new AbortController();
  const run = begin({prompt: settings.longPrompt}, longAnswer, controller.signal);
  let firstToken;
  const started = new Promise((resolve) => (firstToken = resolve));
  const reading = read(run, firstToken);
  if (phase === 'decode') await started;
  await sleep(delayMs);
  const cancel = way === 'signal' ? () => controller.abort() : () => void run.cancel();
  const latencyMs = await cancelAndTime(cancel, run.result);
  const answer = await reading;
  const {finishReason, usage} = answer.result;
  const inPhase = (answer.ids.length === 0) === (phase === 'prefill');
  return {
    counts: finishReason === 'cancelled' && inPhase,
    latencyMs,
    progress: usage.contextUsed,
    failures: [
      ...difference('the partial answer', answer, reference.long),
      ...(await probes[probeName](answer, usage.contextUsed)),
    ],
  };
}

/** A cancel at `delayMs` after the start of a load, from a slow server (`download`) or from memory (`load`). */
async function cancelLoad({phase, delayMs, way, before, followUp}) {
  if (before === 'empty') await runtime.freeModel();
  const source = phase === 'download' ? settings.slowUrl : file;
  const controller = new AbortController();
  let loadedBytes = 0;
  const outcome = runtime
    .loadModel(source, {
      ...loadOptions(),
      signal: controller.signal,
      onProgress: (progress) => (loadedBytes = progress.loadedBytes),
    })
    .then(
      () => 'loaded',
      (error) => error,
    );
  await sleep(delayMs);
  let newer;
  const cancel =
    way === 'signal' ? () => controller.abort() : () => (newer = runtime.loadModel(file, loadOptions()));
  const latencyMs = await cancelAndTime(cancel, outcome);
  const settled = await outcome;
  await newer;
  const aborted = settled instanceof GgufError && settled.name === 'load-aborted';
  const failures = settled === 'loaded' || aborted ? [] : [`the load ended with: ${String(settled)}`];
  failures.push(...(await checkResidentModel({isEmpty: before === 'empty' && aborted && !newer})));
  if (followUp || before === 'empty') {
    await runtime.loadModel(file, loadOptions());
    failures.push(...(await probeOther()));
  }
  return {counts: aborted, latencyMs, progress: loadedBytes, failures};
}

/** The model that was there before answers as ever; where there was none, there is none. */
async function checkResidentModel({isEmpty}) {
  if (!isEmpty) return probeOther();
  const error = await begin({prompt: settings.shortPrompt}, 1).result.then(
    () => new Error('it answered'),
    (error) => error,
  );
  return error.name === 'no-model' ? [] : [`without a model: ${String(error)}`];
}

globalThis.page = {
  /** Loads the model and takes the reference answers and times. */
  async prepare(given) {
    settings = given;
    runtime = await GgufRuntime.boot({
      shards: settings.shards ?? 1,
      ...(settings.core === undefined ? {} : {core: settings.core}),
    });
    file = await (await fetch(settings.url)).blob();
    await runtime.loadModel(file, loadOptions());
    // The first load compiled the code and runs longer than those that will be cancelled.
    const {timings: loadTimings, fileBytes} = await runtime.loadModel(file, loadOptions());
    const short = await read(begin({prompt: settings.shortPrompt}, shortAnswer));
    await runtime.resetContext();
    const long = await read(begin({prompt: settings.longPrompt}, longAnswer));
    const longTokens = await runtime.tokenize(settings.longPrompt, {addSpecial: true, parseSpecial: true});
    reference = {short, long, longTokens};
    const {prefillMs, decodeMs} = long.result.timings;
    return {fileBytes, loadMs: loadTimings.totalMs, prefillMs, decodeMs, core: runtime.core};
  },

  cancel: (plan) =>
    plan.phase === 'prefill' || plan.phase === 'decode' ? cancelRun(plan) : cancelLoad(plan),

  /** What must hold when all is over: nothing runs on, no memory but the resident model's. */
  async settle() {
    const {running, memory, counters} = await runtime.diagnostics();
    return {running, wasmBytes: memory.wasmBytes, plannedBytes: memory.plan.total, counters};
  },
};
