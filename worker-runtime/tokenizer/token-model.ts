/** The part in which the kinds of tokenizers differ: plain text to tokens, and a token to bytes. */
export interface TokenModel {
  /**
   * Appends the tokens of a stretch of text without special tokens.
   *
   * @param text well-formed, not empty
   * @param afterSpecial whether it stands at the beginning or after a special token
   */
  encode(text: string, afterSpecial: boolean, output: number[]): void;

  /** The bytes of a token that is part of the text. */
  bytes(id: number): Uint8Array;

  /** Whether a space is put before a text that is encoded, and taken off again when it is decoded. */
  readonly addSpacePrefix: boolean;

  /** Whether decoding closes up punctuation. */
  readonly closesUpPunctuation: boolean;
}
