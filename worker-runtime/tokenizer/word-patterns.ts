/**
 * How text is divided into words: patterns that are applied one after the other. Each divides the pieces that the one
 * before has left, into what it matches and what lies between.
 */
export type WordPatterns = readonly RegExp[];

// \s of JavaScript has U+FEFF and lacks U+0085; the patterns mean Unicode's White_Space.
const space = String.raw`\p{White_Space}`;
const raw = String.raw;

// English contractions, in ASCII only: the `i` flag would let the long s (U+017F) pass for an s.
const contraction = raw`'(?:[stmd]|re|ve|ll)`;
const anyCaseContraction = raw`'(?:[sStTmMdD]|[rR][eE]|[vV][eE]|[lL][lL])`;
const punctuation = raw` ?[^${space}\p{L}\p{N}]+`;
/** Of several spaces before a word, the last one belongs to the word. */
const spaces = raw`${space}+(?!\P{White_Space})|${space}+`;
const lines = raw`${space}*[\r\n]+`;
const word = raw`[^\r\n\p{L}\p{N}]?\p{L}+`;

const pattern = (...alternatives: readonly string[]): RegExp => new RegExp(alternatives.join('|'), 'gu');

const digit = /\p{N}/gu;
const threeDigits = /[0-9]{3}/gu;
const gpt2Words = pattern(contraction, raw` ?\p{L}+`, raw` ?\p{N}+`, punctuation, spaces);

export const gpt2: WordPatterns = [gpt2Words];
/** GPT-2's between single digits. */
export const singleDigits: WordPatterns = [digit, gpt2Words];
export const falcon: WordPatterns = [/[\p{P}$+<=>^~|`]+/gu, gpt2Words, threeDigits];
/** llama.cpp's for files that name none in particular. */
export const unnamed: WordPatterns = [/[\p{P}$+<=>^~|]+/gu, gpt2Words, /\p{N}+/gu, threeDigits];

/** Words with one character before them, numbers, punctuation to the end of the line. */
const modern = (
  number: string,
  {contractions = anyCaseContraction, words = word, behindPunctuation = raw`[\r\n]*`, newLines = lines} = {},
): RegExp =>
  pattern(
    ...(contractions === '' ? [] : [contractions]),
    words,
    number,
    raw`${punctuation}${behindPunctuation}`,
    newLines,
    spaces,
  );

export const llama3: WordPatterns = [modern(raw`\p{N}{1,3}`)];
export const qwen2: WordPatterns = [modern(raw`\p{N}`)];
export const withoutContractions: WordPatterns = [modern(raw`\p{N}`, {contractions: ''})];
export const bailing: WordPatterns = [modern(raw`\p{N}`, {newLines: raw`${space}*[\r\n]`})];
export const minicpm5: WordPatterns = [/\p{N}{1,3}/gu, modern(raw`\p{N}+`)];
export const laguna: WordPatterns = [/[^\n]+|\n+/gu, modern(raw`\p{N}`)];
export const seedCoder: WordPatterns = [
  pattern(anyCaseContraction, word, raw`\p{N}`, raw` ?[^${space}\p{L}\p{N}\r\n]+`, lines, spaces),
];
/** Marks belong to letters. */
export const qwen35: WordPatterns = [
  pattern(
    anyCaseContraction,
    raw`[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+`,
    raw`\p{N}`,
    raw` ?[^${space}\p{L}\p{M}\p{N}]+[\r\n]*`,
    lines,
    spaces,
  ),
];
/** Letters with their marks, and more of them behind single spaces. */
export const exaoneMoe: WordPatterns = [
  modern(raw`\p{N}`, {
    words: raw`[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+`,
    behindPunctuation: raw`[\r\n/]?`,
    newLines: raw`${space}*[\r\n]`,
  }),
];
/** Runs of spaces in lengths that are tokens. */
export const jais2: WordPatterns = [
  pattern(
    anyCaseContraction,
    word,
    raw`\p{N}{1,3}`,
    raw`${punctuation}[\r\n]*`,
    lines,
    ...[512, 256, 128, 64, 32, 16, 8, 4].map((count) => raw`${space}{${count}}(?!\P{White_Space})`),
    raw`${space}{1,2}(?!\P{White_Space})`,
    space,
  ),
];

/** A word with capitals before other letters, or of capitals. `upper`, `lower`: what may be in which part. */
const capitalised = (upper: string, lower: string, contractions = ''): readonly string[] => [
  raw`[^\r\n\p{L}\p{N}]?${upper}*${lower}+${contractions}`,
  raw`[^\r\n\p{L}\p{N}]?${upper}+${lower}*${contractions}`,
];
const camelCase = (words: readonly string[], number: string, behind = raw`[\r\n/]*`): RegExp =>
  pattern(...words, number, raw`${punctuation}${behind}`, lines, spaces);
const optionalContraction = raw`(?:${anyCaseContraction})?`;
/** llama.cpp tells capitals by ASCII alone. */
const asciiCase = (letters: string): readonly [string, string] => [
  raw`(?:(?![a-z])${letters})`,
  raw`(?:(?![A-Z])${letters})`,
];
const unicodeCase = [raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`, raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`] as const;

export const tekken: WordPatterns = [camelCase(capitalised(...asciiCase(raw`\p{L}`)), raw`\p{N}`)];
export const gpt4o: WordPatterns = [
  camelCase(capitalised(...asciiCase(raw`\p{L}`), optionalContraction), raw`\p{N}{1,3}`),
];
export const graniteMultilingual: WordPatterns = [
  camelCase(capitalised(...asciiCase(raw`[\p{L}\p{M}]`), optionalContraction), raw`\p{N}{1,3}`),
];
export const tinyAya: WordPatterns = [
  /\d{1,3}(?=(?:\d{3})*\b)/gu,
  camelCase(capitalised(...unicodeCase, optionalContraction), raw`\p{N}{1,3}`),
];
export const youtu: WordPatterns = [
  pattern(
    raw`[가-힣ㄱ-ㆎ]+`,
    raw`[！…“”‘’—：；，\u3001-\u303f\ufe30-\ufe4f]+`,
    raw`[ㄅ-ㄯ]+`,
    raw`[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+`,
  ),
  camelCase(capitalised(...unicodeCase, optionalContraction), raw`\p{N}`),
];
export const kimiK2: WordPatterns = [
  pattern(
    raw`\p{Script=Han}+`,
    ...capitalised(
      raw`(?:(?!\p{Script=Han})${unicodeCase[0]})`,
      raw`(?:(?!\p{Script=Han})${unicodeCase[1]})`,
      optionalContraction,
    ),
    raw`\p{N}{1,3}`,
    raw`${punctuation}[\r\n]*`,
    lines,
    spaces,
  ),
];

/** Letters that have a case, as DeepSeek's first models know them: without what Unicode has added or moved since. */
const casedLetter = raw`(?:(?![\u0560-\u0588\u10c7\u10cd\u10d0-\u10ff\u1c80-\u1c8a\u2d00-\u2d2d\ua790-\ua7fa\uab30-\uab68\u{10570}-\u{105bc}\u{10d50}-\u{10d85}\u{16e40}-\u{16ed3}\u{1d400}-\u{1d7cb}\u{1df00}-\u{1df2a}])[\p{Lu}\p{Ll}\p{Lt}\u0295])`;
const eastAsian = /[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+/gu;
const newLine = /[\r\n]/gu;
export const deepseekLlm: WordPatterns = [
  newLine,
  pattern(raw`${space}?${casedLetter}+`),
  pattern(raw`${space}?[!-\/:-~！-／：-～‘-‟\u3000-。]+`),
  // A run is tried at its beginning only.
  pattern(raw`(?<!${space})${space}+$`),
  eastAsian,
  /\p{N}+/gu,
];
export const deepseekCoder: WordPatterns = [
  newLine,
  pattern(raw`${space}?\p{L}+`),
  pattern(raw`${space}?\p{P}+`),
  eastAsian,
  digit,
];

const asciiPunctuation = raw`[!"#$%&'()*+,\-.\/:;<=>?@\[\\\]^_\x60{|}~]`;
const markedWords = (behindPunctuation: string, newLines: string): RegExp =>
  pattern(
    raw`${asciiPunctuation}[A-Za-z]+`,
    raw`[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+`,
    raw` ?[\p{P}\p{S}]+${behindPunctuation}`,
    newLines,
    spaces,
  );
const hanAndKana = /[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+/gu;
export const deepseekV3: WordPatterns = [/\p{N}{1,3}/gu, hanAndKana, markedWords(raw`[\r\n]*`, lines)];
export const spark: WordPatterns = [/\p{N}{1,3}/gu, hanAndKana, markedWords('', raw`[\r\n]`), digit];
export const afmoe: WordPatterns = [
  // Threes from the right.
  /\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))/gu,
  /[一-鿿㐀-䶿\uf900-\ufaff\u3040-\u309f\u30a0-\u30ff\uff65-\uff9f\u2f00-\u2fdf\u0e40-\u0e7f\u0e80-\u0eff\u1780-\u17ff\u1000-\u109f\uaa60-\uaa7f\ua9e0-\ua9ff\uac00-\ud7af\u1100-\u11ff]+/gu,
  markedWords(raw`[\r\n]*`, lines),
];

const betweenMarks = pattern(raw` ?[^(${space}|.,!?…。，、।۔،)]+`);
export const bloom: WordPatterns = [betweenMarks];
export const viking: WordPatterns = [betweenMarks, digit];
export const superBpe: WordPatterns = [/\p{N}+/gu, /(?=(?:\d{3})+(?!\d))/gu];
export const chameleon: WordPatterns = [
  /<sentinel:[0-9]+>/gu,
  /IMGIMG[A-I]{1,4}Z/gu,
  /[\t\n]| {4}| {2}/gu,
  digit,
  /[\p{P}!-/:-@[-`{-~]/gu,
  gpt2Words,
];
/** Lines, and the breaks between them. */
export const wholeLines: WordPatterns = [/[^\n]+|\n+/gu];
export const blanks: WordPatterns = [pattern(raw`[^${space}]+`)];

/** The words of a text: every character is in exactly one. */
export function divide(text: string, patterns: WordPatterns): readonly string[] {
  let pieces: string[] = [text];
  for (const each of patterns) pieces = pieces.flatMap((piece) => divideOnce(piece, each));
  return pieces;
}

function divideOnce(text: string, by: RegExp): string[] {
  const pieces: string[] = [];
  let end = 0;
  for (const match of text.matchAll(by)) {
    if (match.index > end) pieces.push(text.slice(end, match.index));
    if (match[0] !== '') pieces.push(match[0]);
    end = match.index + match[0].length;
  }
  if (end < text.length) pieces.push(text.slice(end));
  return pieces;
}
