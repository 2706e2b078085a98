/**
 * Keeps what people write from being taken for control tokens: a message that contains `<|im_end|>` must not end itself.
 *
 * The text of a control token inside of a message gets a mark after its first character. The mark goes through the
 * template like any other character, keeps the text from being found as a token, and is dropped before the rest of the
 * prompt is encoded: the model sees exactly what was written, as plain text.
 *
 * What this cannot see: control text that only comes into being when a template puts pieces of messages together.
 */

/** A code point that Unicode keeps for such internal use: a noncharacter, never part of a text. */
export const literalMark = '\uFDD0';

/** Marks control texts in every string of messages or tools, their keys included. */
export class LiteralMarker {
  readonly #pattern: RegExp | null;

  constructor(controlTexts: readonly string[]) {
    const alternatives = controlTexts
      // No vocabulary has a control token of a single character; a mark would not fit into it.
      .filter((text) => [...text].length > 1)
      .sort((a, b) => b.length - a.length)
      .map(escape);
    this.#pattern = alternatives.length === 0 ? null : new RegExp(alternatives.join('|'), 'gu');
  }

  mark<T>(value: T): T;
  mark(value: unknown): unknown {
    if (typeof value === 'string') return this.#markText(value);
    if (Array.isArray(value)) return value.map((member: unknown) => this.mark(member));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [this.#markText(key), this.mark(member as unknown)]),
    );
  }

  #markText(text: string): string {
    let marked = text.replaceAll(literalMark, '\uFFFD');
    if (!this.#pattern) return marked;
    // Again after every change: the texts of two tokens may overlap.
    for (let before = ''; before !== marked;) {
      before = marked;
      marked = marked.replace(this.#pattern, insertMark);
    }
    return marked;
  }
}

function insertMark(control: string): string {
  const [first = ''] = control;
  return first + literalMark + control.slice(first.length);
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
