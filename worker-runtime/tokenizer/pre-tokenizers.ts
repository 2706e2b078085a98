import {GgufError} from '../errors.ts';

/** How byte-level BPE divides text into words, which are then merged one by one. */
export interface PreTokenizer {
  /** Matches the words of a text, every character in exactly one. */
  readonly words: RegExp;
  /** Whether a word that is a token is taken as it is, whatever the merges would make of it. */
  readonly ignoreMerges: boolean;
  /** Whether BOS is added where the file does not say. */
  readonly addBos: boolean;
  /** Whether decoding closes up punctuation; see {@link closeUpPunctuation}. */
  readonly closesUpPunctuation: boolean;
}

// \s of JavaScript has U+FEFF and lacks U+0085; the patterns mean Unicode's White_Space.
const space = String.raw`\p{White_Space}`;
// English contractions, in ASCII only: the `i` flag would let the long s (U+017F) pass for an s.
const anyCaseContraction = String.raw`'(?:[sStTmMdD]|[rR][eE]|[vV][eE]|[lL][lL])`;
const punctuation = String.raw` ?[^${space}\p{L}\p{N}]+`;
/** Of several spaces before a word, the last one belongs to the word. */
const spaces = String.raw`${space}+(?!\P{White_Space})|${space}+`;

const gpt2: PreTokenizer = {
  words: pattern(
    String.raw`'(?:[stmd]|re|ve|ll)`,
    String.raw` ?\p{L}+`,
    String.raw` ?\p{N}+`,
    punctuation,
    spaces,
  ),
  ignoreMerges: false,
  addBos: false,
  closesUpPunctuation: true,
};

const llama3: PreTokenizer = {
  words: modernPattern(String.raw`\p{N}{1,3}`),
  ignoreMerges: true,
  addBos: true,
  closesUpPunctuation: true,
};

const qwen2: PreTokenizer = {
  words: modernPattern(String.raw`\p{N}`),
  ignoreMerges: false,
  addBos: false,
  closesUpPunctuation: false,
};

// Digits are cut out first, then GPT-2's pattern sees what is between them: spaces before a digit end such a piece, so
// all of them are one word.
const smollm: PreTokenizer = {
  words: pattern(
    String.raw`'(?:[stmd]|re|ve|ll)`,
    String.raw` ?\p{L}+`,
    String.raw`\p{N}`,
    punctuation,
    String.raw`${space}+(?=\p{N})`,
    spaces,
  ),
  ignoreMerges: false,
  addBos: false,
  closesUpPunctuation: false,
};

/** By `tokenizer.ggml.pre`: names of model families that share a pattern. */
const preTokenizers: Readonly<Record<string, PreTokenizer>> = {
  'gpt-2': gpt2,
  'phi-2': gpt2,
  'llama-bpe': llama3,
  llama3,
  'llama-v3': llama3,
  falcon3: llama3,
  'falcon-h1': llama3,
  pixtral: llama3,
  lfm2: llama3,
  qwen2,
  'deepseek-r1-qwen': qwen2,
  megrez: qwen2,
  smollm,
};

const key = 'tokenizer.ggml.pre';

/** @throws {GgufError} `unsupported-tokenizer` */
export function findPreTokenizer(name: string | null): PreTokenizer {
  if (name === null) {
    throw new GgufError('unsupported-tokenizer', `${key} is missing; no pattern fits all files without it`, {
      field: key,
    });
  }
  const found = Object.hasOwn(preTokenizers, name) ? preTokenizers[name] : undefined;
  if (found) return found;
  throw new GgufError('unsupported-tokenizer', `The pre-tokenizer "${name}" (${key}) is not supported`, {
    field: key,
  });
}

function modernPattern(number: string): RegExp {
  return pattern(
    anyCaseContraction,
    String.raw`[^\r\n\p{L}\p{N}]?\p{L}+`,
    number,
    String.raw`${punctuation}[\r\n]*`,
    String.raw`${space}*[\r\n]+`,
    spaces,
  );
}

function pattern(...alternatives: string[]): RegExp {
  return new RegExp(alternatives.join('|'), 'gu');
}
