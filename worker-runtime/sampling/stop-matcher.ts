import {GgufError} from '../errors.ts';

/** Real programs use a handful of short strings; each one is looked for after every token. */
const mostStops = 32;
const longestStop = 1024;

export interface Matched {
  /** What is certainly part of the answer. */
  readonly text: string;
  /** Whether a stop string ended the answer; neither it nor what follows is in `text`. */
  readonly stopped: boolean;
}

/**
 * Ends an answer at the first stop string that is complete (of two that become complete at once, the longer one), however
 * the text is cut into pieces. Only text that may be the beginning of a stop string is held back.
 */
export class StopMatcher {
  readonly #stops: readonly string[];
  #held = '';
  #stopped = false;

  /** @throws {GgufError} `invalid-setting` naming `stop` */
  constructor(stops: readonly string[]) {
    this.#stops = checkStops(stops);
  }

  push(text: string): Matched {
    if (this.#stopped) return {text: '', stopped: true};
    const pending = this.#held + text;
    const start = this.#firstMatch(pending);
    if (start !== null) {
      this.#stopped = true;
      this.#held = '';
      return {text: pending.slice(0, start), stopped: true};
    }
    const certain = pending.length - this.#possibleBeginning(pending);
    this.#held = pending.slice(certain);
    return {text: pending.slice(0, certain), stopped: false};
  }

  /** What is still held back, when no more text will come. */
  flush(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }

  /** Where the match that ends first begins; `null` without a match. */
  #firstMatch(text: string): number | null {
    let first: number | null = null;
    let firstEnd = Infinity;
    for (const stop of this.#stops) {
      const start = text.indexOf(stop);
      const end = start + stop.length;
      if (start < 0 || end > firstEnd || (end === firstEnd && start > (first ?? 0))) continue;
      first = start;
      firstEnd = end;
    }
    return first;
  }

  /** Length of the longest end of `text` that begins a stop string. */
  #possibleBeginning(text: string): number {
    let longest = 0;
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
        if (stop.startsWith(text.slice(text.length - length))) longest = length;
      }
    }
    return longest;
  }
}

function checkStops(stops: readonly string[]): readonly string[] {
  if (!Array.isArray(stops)) throw invalid('stop must be an array of strings');
  if (stops.length > mostStops) throw invalid(`stop has ${stops.length} strings; ${mostStops} are possible`);
  for (const [i, stop] of stops.entries() as Iterable<[number, unknown]>) {
    if (typeof stop !== 'string' || stop === '')
      throw invalid(`stop[${i}] must be a string that is not empty`);
    if (stop.length > longestStop) {
      throw invalid(`stop[${i}] has ${stop.length} characters; ${longestStop} are possible`);
    }
  }
  return [...stops];
}

function invalid(message: string): GgufError {
  return new GgufError('invalid-setting', message, {field: 'stop'});
}
