/**
 * Takes away the spaces that word-based tokenizers used to put before English punctuation and contractions. Decoding does
 * this for the vocabularies that are published with this setting (`clean_up_tokenization_spaces`), as other runtimes do.
 * It loses spaces that were meant; what must be exact, as a running answer, is made of the bytes of its tokens.
 */
export function closeUpPunctuation(text: string): string {
  return text
    .replace(/ (?=[?!.,])/g, '')
    .replace(/ ' /g, "'")
    .replace(/ (?='(?:s|m|re|ve))/g, '');
}
