import {findReasoningFormat, partAfter, tokensOfMarks} from './reasoning/reasoning-format.ts';
import {ReasoningSplitter} from './reasoning/reasoning-splitter.ts';
import type {SplitText} from './reasoning/reasoning-splitter.ts';
import {StopMatcher} from './sampling/stop-matcher.ts';
import type {Tokenizer} from './tokenizer/tokenizer.ts';
import {Utf8Stream} from './tokenizer/utf8-stream.ts';

/** The longest mark has fewer tokens, whatever the vocabulary. */
const tokensOfPromptEnd = 64;

interface AnswerOptions {
  readonly tokenizer: Tokenizer;
  /** Strings that end what the model says. */
  readonly stop: readonly string[];
  /** What tells how the model sets its thoughts apart; `null`: the answer is taken as it is. */
  readonly conversation: {readonly template: string | null; readonly prompt: readonly number[]} | null;
}

/** What a step adds. */
export interface AnswerPiece {
  readonly text: string;
  readonly reasoning: string;
  /** Whether a stop string ended the answer. */
  readonly stopped: boolean;
}

/** The text of an answer, token by token: what the model thinks, and what it says up to the first stop string. */
export class AnswerText {
  readonly #tokenizer: Tokenizer;
  readonly #utf8 = new Utf8Stream();
  readonly #stops: StopMatcher;
  readonly #splitter: ReasoningSplitter | null;
  /** Control tokens that marks are made of. */
  readonly #markTokens: ReadonlySet<number>;
  #text = '';
  #reasoning = '';

  /** @throws {GgufError} `invalid-setting` naming `stop` */
  constructor({tokenizer, stop, conversation}: AnswerOptions) {
    this.#tokenizer = tokenizer;
    this.#stops = new StopMatcher(stop);
    const format = conversation && findReasoningFormat(conversation.template);
    if (!format) {
      this.#splitter = null;
      this.#markTokens = new Set();
      return;
    }
    const end = tokenizer.decode(conversation.prompt.slice(-tokensOfPromptEnd), {special: true});
    this.#splitter = new ReasoningSplitter(format, partAfter(format, end));
    this.#markTokens = tokensOfMarks(format, tokenizer);
  }

  /** What the model says, without what is held back. */
  get text(): string {
    return this.#text;
  }

  /** What it thought; `null` where it did not. */
  get reasoning(): string | null {
    const reasoning = this.#reasoning.trim();
    return reasoning === '' ? null : reasoning;
  }

  push(id: number): AnswerPiece {
    const bytes = this.#tokenizer.tokenBytes(id, {special: this.#markTokens.has(id)});
    return this.#add(this.#split(this.#utf8.push(bytes)));
  }

  /**
   * The end. Text that was held back as a possible stop string is part of the answer; a character is left out where the answer
   * was ended before its last byte, and replaced (U+FFFD) where the model itself ended there.
   */
  finish(isEndedByModel: boolean): AnswerPiece {
    const last = this.#split(isEndedByModel ? this.#utf8.flush() : '');
    const held = this.#splitter?.flush() ?? {reasoning: '', content: ''};
    const piece = this.#add({
      reasoning: last.reasoning + held.reasoning,
      content: last.content + held.content,
    });
    if (piece.stopped) return piece;
    const rest = this.#stops.flush();
    this.#text += rest;
    return {...piece, text: piece.text + rest};
  }

  #split(text: string): SplitText {
    return this.#splitter?.push(text) ?? {reasoning: '', content: text};
  }

  #add({reasoning, content}: SplitText): AnswerPiece {
    const {text, stopped} = this.#stops.push(content);
    this.#text += text;
    this.#reasoning += reasoning;
    return {text, reasoning, stopped};
  }
}
