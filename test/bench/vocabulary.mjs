/**
 * A SentencePiece vocabulary of any size: `<unk> <s> </s>`, the 256 byte tokens, the printable ASCII characters, and
 * words of lower-case letters to fill it up. Every text can be tokenized with it, every string is there once.
 */

/** Kinds of tokens, as `tokenizer.ggml.token_type` numbers them. */
const kind = {normal: 1, unknown: 2, control: 3, byte: 6};

const beginOfSequence = 1;
/** IDs from here on are ordinary tokens: neither control nor byte tokens. */
const firstOrdinaryToken = 3 + 256;

/** "a", "b", … "z", "aa", "ab", …: the `index`-th word. */
function word(index) {
  let text = '';
  for (let rest = index + 1; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    text = String.fromCharCode(97 + ((rest - 1) % 26)) + text;
  }
  return text;
}

/**
 * A text of exactly `count` tokens: `<s>`, the space that SentencePiece puts in front, and one token a letter, because
 * no word of the vocabulary has a prefix in it that would let letters be merged.
 *
 * @param {number} count at least 3
 * @param {import('./random.mjs').Random} random
 */
export function promptOfLength(count, random) {
  return Array.from({length: count - 2}, () => String.fromCharCode(random.integer(97, 123))).join('');
}

/** @param {number} size at least 400 */
export function vocabularyMetadata(size) {
  const bytes = Array.from(
    {length: 256},
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
  );
  const characters = ['▁', ...Array.from({length: 94}, (_, index) => String.fromCharCode(33 + index))];
  const tokens = ['<unk>', '<s>', '</s>', ...bytes, ...characters];
  // Word 26 is "aa": the single letters are among the characters already.
  for (let index = 26; tokens.length < size; index++) tokens.push(`▁${word(index)}`);
  const kinds = tokens.map((_, id) => {
    if (id === 0) return kind.unknown;
    if (id < 3) return kind.control;
    return id < firstOrdinaryToken ? kind.byte : kind.normal;
  });
  return {
    'tokenizer.ggml.model': {type: 'string', value: 'llama'},
    'tokenizer.ggml.tokens': {type: 'array', of: 'string', value: tokens},
    'tokenizer.ggml.scores': {type: 'array', of: 'float32', value: tokens.map((_, id) => -id)},
    'tokenizer.ggml.token_type': {type: 'array', of: 'int32', value: kinds},
    'tokenizer.ggml.unknown_token_id': {type: 'uint32', value: 0},
    'tokenizer.ggml.bos_token_id': {type: 'uint32', value: beginOfSequence},
    'tokenizer.ggml.eos_token_id': {type: 'uint32', value: 2},
    'tokenizer.ggml.add_bos_token': {type: 'bool', value: true},
    'tokenizer.ggml.add_eos_token': {type: 'bool', value: false},
  };
}
