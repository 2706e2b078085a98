/** Vocabularies and prose for the benchmark of tokenizers, from a seed: nothing is fetched. */
import {byteToCharacter} from '../../../worker-runtime/tokenizer/byte-alphabet.ts';
import {Random} from '../random.mjs';

const onsets = ['', 'b', 'd', 'f', 'g', 'h', 'k', 'l', 'm', 'n', 'p', 'r', 's', 't', 'st', 'th', 'tr', 'w'];
const vowels = ['a', 'e', 'i', 'o', 'u', 'ea', 'ou', 'ie'];
const codas = ['', '', '', 'l', 'n', 'r', 's', 't', 'nd', 'ng'];

const pick = (list, random) => list[Math.floor(random.next() * list.length)];

const syllable = (random) => pick(onsets, random) + pick(vowels, random) + pick(codas, random);

/** Words of one to four syllables, all different; the first ones are short, as frequent words are. */
function words(count, random) {
  const found = new Set();
  for (let tries = 0; found.size < count; tries++) {
    const most = 1 + Math.min(3, Math.floor(Math.log10(1 + tries / 20)));
    const syllables = 1 + Math.floor(random.next() * most);
    found.add(Array.from({length: syllables}, () => syllable(random)).join(''));
  }
  return [...found];
}

const lexicon = words(60_000, new Random('lexicon'));

/**
 * About `length` characters of sentences: a word's frequency falls with its rank, as in natural texts (Zipf).
 *
 * @param {number} length
 * @param {Random} random
 */
export function prose(length, random) {
  const parts = [];
  let written = 0;
  for (let word = 0; written < length; word++) {
    const rank = Math.floor(Math.exp(random.next() * Math.log(lexicon.length)));
    const text = lexicon[Math.min(rank, lexicon.length - 1)];
    const place = word % 12;
    const shown = place === 0 ? text[0].toUpperCase() + text.slice(1) : text;
    const behind = place === 11 ? (random.next() < 0.2 ? '.\n\n' : '. ') : place === 5 ? ', ' : ' ';
    const piece = random.next() < 0.01 ? `${Math.floor(random.next() * 2000)} ` : shown + behind;
    parts.push(piece);
    written += piece.length;
  }
  return parts.join('');
}

/** All beginnings of words, those of the first words first: what the merges of a BPE vocabulary come to. */
function beginnings(count, space) {
  const found = new Set();
  const random = new Random('more words');
  const add = (word) => {
    for (let length = 2; length <= word.length && found.size < count; length++)
      found.add(word.slice(0, length));
  };
  for (const word of lexicon) {
    add(space + word);
    add(word);
  }
  while (found.size < count)
    add(space + syllable(random) + syllable(random) + syllable(random) + syllable(random));
  return [...found];
}

/** Byte-level BPE: each token is a shorter one and a byte. */
export function bytePairKeys(size) {
  const made = beginnings(size - 256, 'Ġ');
  return {
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': 'llama-bpe',
    'tokenizer.ggml.tokens': [...byteToCharacter, ...made],
    'tokenizer.ggml.merges': made.map((token) => `${token.slice(0, -1)} ${token.slice(-1)}`),
  };
}

/** SentencePiece (`llama`) or Unigram (`t5`): frequent pieces have better scores. */
export function scoredKeys(model, size) {
  const bytes = Array.from(
    {length: 256},
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
  );
  const letters = [...'▁abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,'];
  const control = ['<unk>', '<s>', '</s>'];
  const made = beginnings(size - bytes.length - letters.length - control.length, '▁');
  const tokens = [...control, ...bytes, ...made, ...letters];
  const types = [2, 3, 3, ...bytes.map(() => 6), ...made.map(() => 1), ...letters.map(() => 1)];
  return {
    'tokenizer.ggml.model': model,
    'tokenizer.ggml.unknown_token_id': 0,
    'tokenizer.ggml.bos_token_id': 1,
    'tokenizer.ggml.eos_token_id': 2,
    'tokenizer.ggml.tokens': tokens,
    'tokenizer.ggml.token_type': Int32Array.from(types),
    'tokenizer.ggml.scores': Float32Array.from(tokens, (_, id) => -Math.log(1 + id)),
  };
}

/** WordPiece: a word begins with the mark of a space here. */
export function wordPieceKeys(size) {
  const letters = [...'abcdefghijklmnopqrstuvwxyz0123456789.,'];
  const made = beginnings(size - 3 - 2 * letters.length, '▁');
  const tokens = ['[UNK]', '[CLS]', '[SEP]', ...letters, ...letters.map((letter) => `▁${letter}`), ...made];
  return {
    'tokenizer.ggml.model': 'bert',
    'tokenizer.ggml.unknown_token_id': 0,
    'tokenizer.ggml.bos_token_id': 1,
    'tokenizer.ggml.seperator_token_id': 2,
    'tokenizer.ggml.tokens': tokens,
    'tokenizer.ggml.token_type': Int32Array.from(tokens, (_, id) => (id < 3 ? 3 : 1)),
  };
}
