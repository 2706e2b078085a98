export interface EncodeOptions {
  /** Adds BOS and EOS as the file says. Default: no. */
  readonly addSpecial?: boolean;
  /** Text of control tokens becomes these tokens. Default: no, it is text like any other. */
  readonly parseSpecial?: boolean;
  /**
   * A character that is dropped from the text after special tokens have been looked for: put into the text of a special
   * token, it makes plain text of it.
   */
  readonly dropped?: string;
}

/** A vocabulary and how text is divided into its tokens. Stateless. */
export interface Tokenizer {
  readonly vocabularySize: number;
  readonly bos: number | null;
  readonly eos: number | null;
  readonly addBos: boolean;
  readonly addEos: boolean;
  /** Tokens that end an answer. */
  readonly endOfGeneration: ReadonlySet<number>;
  /** Texts of the tokens that structure a conversation, which nothing but a template should be able to write. */
  readonly controlTexts: readonly string[];

  /**
   * Lone surrogates count as U+FFFD.
   *
   * @throws {GgufError} `invalid-prompt` for a text that is too long
   */
  encode(text: string, options?: EncodeOptions): number[];

  /**
   * The bytes that a token adds to the text, at times a part of a character; none for control tokens but with `special`.
   *
   * @throws {GgufError} `invalid-prompt` for an ID that is not in the vocabulary
   */
  tokenBytes(id: number, options?: {special?: boolean}): Uint8Array;

  /**
   * The text of tokens, with U+FFFD for what is not UTF-8, in the spacing that the vocabulary asks for. Token by token,
   * {@link tokenBytes} is exact.
   *
   * @throws {GgufError} `invalid-prompt`
   */
  decode(tokens: readonly number[], options?: {special?: boolean}): string;

  /** The token of exactly this text, if there is one. */
  tokenId(text: string): number | undefined;

  /** A token as it stands in the vocabulary. @throws {GgufError} `invalid-prompt` */
  tokenText(id: number): string;
}
