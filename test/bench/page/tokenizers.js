/**
 * Times tokenizers in the page. Bundled with the sources of the runtime by `test/bench/tokenizers.mjs`: tokenizers by
 * themselves are no part of the public API.
 */
import {writeGguf} from '../../helpers/gguf/write-gguf.ts';
import {readHeader} from '../../../worker-runtime/gguf/header.ts';
import {openSource} from '../../../worker-runtime/source/open-source.ts';
import {createTokenizer} from '../../../worker-runtime/tokenizer/create-tokenizer.ts';
import {Random} from '../random.mjs';
import {bytePairKeys, prose, scoredKeys, wordPieceKeys} from './vocabularies.js';

const synthetic = {
  'byte-level BPE, 256 000 tokens': (size) => bytePairKeys(size),
  'SentencePiece, 256 000 tokens': (size) => scoredKeys('llama', size),
  'Unigram, 256 000 tokens': (size) => scoredKeys('t5', size),
  'WordPiece, 30 000 tokens': () => wordPieceKeys(30_000),
};
const size = 256_000;

const texts = {
  letters: (length) => 'a'.repeat(length),
  spaces: (length) => ' '.repeat(length),
  'spaces, then a letter': (length) => `${' '.repeat(length - 1)}a`,
  digits: (length) => '7'.repeat(length),
  ideographs: (length) => '语言模型'.repeat(length / 4),
  marks: (length) => `a${'\u0301'.repeat(length - 1)}`,
  emoji: (length) => '👩‍👩‍👧‍👦'.repeat(length / 11),
  prose: (length) => prose(length, new Random('prose of one length')),
};

/** Name → the bytes of a GGUF file. */
const files = new Map();
const tokenizers = new Map();

async function load(name) {
  const source = files.get(name).slice(0);
  const header = await readHeader(await openSource(source, {signal: new AbortController().signal}));
  return {metadata: header.metadata};
}

/** Milliseconds of `run`, one number a repetition, after one that is not counted. */
async function times(repetitions, run) {
  const samples = [];
  for (let repetition = 0; repetition <= repetitions; repetition++) {
    const started = performance.now();
    await run();
    if (repetition > 0) samples.push(performance.now() - started);
  }
  return samples;
}

globalThis.page = {
  syntheticNames: () => Object.keys(synthetic),
  textNames: () => Object.keys(texts),

  makeSynthetic(name) {
    files.set(name, writeGguf({metadata: synthetic[name](size)}));
  },

  /** @param {string} url of a GGUF file, packed with gzip */
  async fetchReal(name, url) {
    const {body} = await fetch(url);
    const unpacked = new Response(body.pipeThrough(new DecompressionStream('gzip')));
    files.set(name, await unpacked.arrayBuffer());
  },

  /** Milliseconds from the metadata, which have been read, to a tokenizer. */
  async timeLoads(name, repetitions) {
    const {metadata} = await load(name);
    let tokenizer;
    const samples = await times(repetitions, async () => (tokenizer = await createTokenizer(metadata)));
    tokenizers.set(name, tokenizer);
    return {samples, vocabulary: tokenizer.vocabularySize};
  },

  /** MB/s of prose that the tokenizer has not seen before, each repetition another one. */
  async timeProse(name, megabytes, repetitions) {
    const rates = [];
    for (let repetition = 0; repetition <= repetitions; repetition++) {
      const text = prose(megabytes * 1e6, new Random(`prose ${repetition}`));
      const bytes = new TextEncoder().encode(text).length;
      const started = performance.now();
      const tokens = tokenizers.get(name).encode(text);
      const rate = bytes / 1e3 / (performance.now() - started);
      if (tokens.length === 0) throw new Error('no tokens');
      if (repetition > 0) rates.push(rate);
    }
    return rates;
  },

  /** Milliseconds of a text of one kind. */
  timeText: (name, kind, length, repetitions) => {
    const text = texts[kind](length);
    return times(repetitions, () => tokenizers.get(name).encode(text));
  },
};
