import type {Mark, Part, ReasoningFormat} from './reasoning-format.ts';

export interface SplitText {
  readonly reasoning: string;
  readonly content: string;
}

interface FoundMark {
  readonly mark: Mark;
  readonly start: number;
}

/**
 * Parts an answer, which comes in pieces, into what the model thinks and what it says. Marks are in neither, however they are
 * cut into pieces; only text that may be the beginning of a mark is held back. White space behind a mark is dropped.
 */
export class ReasoningSplitter {
  readonly #format: ReasoningFormat;
  #part: Part;
  #held = '';
  /** Whether nothing but white space has come since the part began. */
  #isBlank = true;
  /** Whether the answer has content that is not blank. */
  #hasContent = false;

  /** @param part what the answer begins in: the prompt may have opened a part */
  constructor(format: ReasoningFormat, part: Part) {
    this.#format = format;
    this.#part = part;
  }

  push(text: string): SplitText {
    const given = {reasoning: '', content: ''};
    let pending = this.#held + text;
    for (let mark = this.#firstMark(pending); mark; mark = this.#firstMark(pending)) {
      this.#give(pending.slice(0, mark.start), given);
      pending = pending.slice(mark.start + mark.mark.text.length);
      this.#part = mark.mark.begins;
      this.#isBlank = true;
    }
    const certain = pending.length - this.#possibleBeginning(pending);
    this.#give(pending.slice(0, certain), given);
    this.#held = pending.slice(certain);
    return given;
  }

  /** What is still held back, when no more text will come. */
  flush(): SplitText {
    const given = {reasoning: '', content: ''};
    this.#give(this.#held, given);
    this.#held = '';
    return given;
  }

  #give(text: string, given: {reasoning: string; content: string}): void {
    const wanted = this.#isBlank ? text.trimStart() : text;
    if (wanted === '') return;
    this.#isBlank = false;
    if (this.#part === 'content') this.#hasContent = true;
    given[this.#part] += wanted;
  }

  /** The first mark in a text, of several that begin there the longest. */
  #firstMark(text: string): FoundMark | null {
    const found = this.#format
      .map((mark): FoundMark => ({mark, start: text.indexOf(mark.text)}))
      .filter(({mark, start}) => start >= 0 && this.#counts(mark, text.slice(0, start)))
      .sort((a, b) => a.start - b.start || b.mark.text.length - a.mark.text.length);
    return found[0] ?? null;
  }

  /** Whether a mark behind `before` is one. */
  #counts({onlyFirst = false}: Mark, before: string): boolean {
    if (!onlyFirst) return true;
    return this.#part === 'content' && !this.#hasContent && before.trim() === '';
  }

  /** Length of the longest end of `text` that begins a mark. */
  #possibleBeginning(text: string): number {
    let longest = 0;
    for (const mark of this.#format) {
      for (let length = Math.min(mark.text.length - 1, text.length); length > longest; length--) {
        const start = text.length - length;
        if (mark.text.startsWith(text.slice(start)) && this.#counts(mark, text.slice(0, start)))
          longest = length;
      }
    }
    return longest;
  }
}
