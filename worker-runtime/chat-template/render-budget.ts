import {templateLimits} from './limits.ts';
import {TemplateLimitError} from './template-error.ts';

/**
 * What one rendering may still cost. It counts work, not time, so that a conversation renders on every machine or on none.
 * A unit is about what it takes to handle one character; a step of the interpreter has 8 of them.
 */
export class RenderBudget {
  /** The most characters of a value. */
  readonly size: number;
  #work: number;

  /** @param characters how many there are in the conversation and the tools */
  constructor(characters: number, messages: number) {
    const {work, workPerCharacter, workPerMessage, size, sizePerCharacter} = templateLimits;
    this.size = size + characters * sizePerCharacter;
    this.#work = work + characters * workPerCharacter + messages * workPerMessage;
  }

  /** @throws {TemplateLimitError} when it is used up */
  spend(units: number): void {
    this.#work -= units;
    if (!(this.#work >= 0)) throw new TemplateLimitError('it takes too many steps');
  }

  /** @throws {TemplateLimitError} for a value that would have more characters than possible */
  checkSize(characters: number): void {
    if (!(characters <= this.size)) throw new TemplateLimitError('it builds too large a value');
  }
}
