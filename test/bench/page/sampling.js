/**
 * Times the choice of one token in the page. Bundled with the sources of the runtime by `test/bench/sampling.mjs`: the
 * sampler is no part of the public API.
 */
import {Arena} from '../../../worker-runtime/core/arena.ts';
import {chooseCore} from '../../../worker-runtime/core/choose-core.ts';
import {Core} from '../../../worker-runtime/core/core.ts';
import {allocateSampling} from '../../../worker-runtime/model/sampling-buffers.ts';
import {defaultSampling} from '../../../worker-runtime/protocol.ts';
import {Logits} from '../../../worker-runtime/sampling/logits.ts';
import {logProbabilities} from '../../../worker-runtime/sampling/log-probabilities.ts';
import {Sampler} from '../../../worker-runtime/sampling/sampler.ts';
import {Random} from '../random.mjs';

/** Logits of the kind that models give: a bell-shaped bulk, and a few dozen tokens above it. */
function likeAModel(count) {
  const random = new Random('logits like those of a model');
  const bell = () => (random.next() + random.next() + random.next() + random.next() - 2) * 4;
  return Float32Array.from({length: count}, () =>
    random.next() < 50 / count ? 8 + random.next() * 8 : bell(),
  );
}

/** Logits that differ by less than a thousandth: every filter but top-k keeps nearly all tokens. */
function flat(count) {
  const random = new Random('flat logits');
  return Float32Array.from({length: count}, () => random.next() / 1000);
}

const drawn = {...defaultSampling, temperature: 0.8};
const cases = {
  greedy: {logits: likeAModel, settings: defaultSampling},
  'no filter': {logits: likeAModel, settings: drawn},
  'top-k 40': {logits: likeAModel, settings: {...drawn, topK: 40}},
  'top-p 0.95, min-p 0.05': {logits: likeAModel, settings: {...drawn, topP: 0.95, minP: 0.05}},
  'top-k 40, flat': {logits: flat, settings: {...drawn, topK: 40}},
  'top-p 0.95, flat': {logits: flat, settings: {...drawn, topP: 0.95}},
  'log-probabilities, 5 best': {logits: likeAModel, settings: null},
};

/** Puts logits where those of a model are: into the memory of a core. */
async function place(values) {
  const {core: compiled} = await chooseCore();
  const arena = new Arena();
  const stride = Math.ceil(values.length / 16) * 64;
  const row = {pointer: arena.allocate(stride, 'logits'), columns: values.length, stride};
  const buffers = allocateSampling(values.length, arena, compiled.calculator);
  const logits = new Logits(await Core.instantiate(compiled, arena.plan().total), row, buffers);
  logits.values.set(values);
  return logits;
}

/** What is timed: chooses a token, or (`settings` is null) gives log-probabilities. */
function chooser(logits, settings) {
  if (settings === null) return () => logProbabilities(logits, 0, 5);
  const sampler = new Sampler(settings, logits.values.length);
  return () => sampler.sample(logits, []);
}

/** The clock of a page has steps of 0.1 ms: several choices are timed together. */
const choicesPerSample = 5;

globalThis.page = {
  /** Which core this browser can run: the one that is measured. */
  coreVariant: async () => (await chooseCore()).core.variant,

  /** The names of what can be measured. */
  caseNames: () => Object.keys(cases),

  /** Milliseconds a choice among `count` tokens, one number a sample, after half a second of warm-up. */
  async measure(name, count, samples) {
    const {logits, settings} = cases[name];
    const choose = chooser(await place(logits(count)), settings);
    for (const end = performance.now() + 500; performance.now() < end;) choose();
    return Array.from({length: samples}, () => {
      const started = performance.now();
      for (let i = 0; i < choicesPerSample; i++) choose();
      return (performance.now() - started) / choicesPerSample;
    });
  },
};
