import type {StrippingTokens} from './stripping-tokens.ts';
import type {Vocabulary} from './vocabulary.ts';
import {tokenType} from './vocabulary.ts';

// White space of ASCII, as C's isspace has it.
const leadingSpace = /^[ \t\n\v\f\r]+/;
// A run is tried at its beginning only: long ones in the middle of a text cost their length, not its square.
const trailingSpace = /(?<![ \t\n\v\f\r])[ \t\n\v\f\r]+$/;

/** A stretch of text, or the ID of a special token in its place. */
export type Fragment = string | number;

interface Special {
  readonly id: number;
  readonly text: string;
  /** User-defined tokens are found in every text, the others only when asked for. */
  readonly userDefined: boolean;
  readonly stripsLeft: boolean;
  readonly stripsRight: boolean;
}

/** Finds the tokens that stand in a text as a whole, before the rest is divided by scores or merges. */
export class SpecialSplitter {
  /** Longest first: `<|end|>` must not be found inside of a longer token. */
  readonly #specials: readonly Special[];

  /** @param strips tokens that take the white space beside them away */
  constructor(vocabulary: Vocabulary, strips: StrippingTokens) {
    const specials: Special[] = [];
    for (let id = 0; id < vocabulary.size; id++) {
      const userDefined = vocabulary.type(id) === tokenType.userDefined;
      if (!userDefined && !vocabulary.isSpecial(id)) continue;
      const text = vocabulary.text(id);
      if (text === '') continue;
      const [stripsLeft, stripsRight] = [strips.left.has(id), strips.right.has(id)];
      specials.push({id, text, userDefined, stripsLeft, stripsRight});
    }
    this.#specials = specials.sort((a, b) => b.text.length - a.text.length);
  }

  /** @param parseSpecial whether control tokens are looked for, too */
  split(text: string, parseSpecial: boolean): Fragment[] {
    if (text === '') return [];
    // A vocabulary may have thousands of special tokens; most texts have the letters of none.
    const letters = new Set<string>();
    for (let i = 0; i < text.length; i++) letters.add(text.charAt(i));
    let fragments: Fragment[] = [text];
    for (const special of this.#specials) {
      if (!parseSpecial && !special.userDefined) continue;
      if (!letters.has(special.text.charAt(0)) || !letters.has(special.text.charAt(special.text.length - 1)))
        continue;
      if (!fragments.some((fragment) => typeof fragment === 'string' && fragment.includes(special.text)))
        continue;
      fragments = fragments.flatMap((fragment) =>
        typeof fragment === 'string' ? separate(fragment, special) : [fragment],
      );
    }
    return fragments;
  }
}

function separate(text: string, special: Special): Fragment[] {
  const fragments: Fragment[] = [];
  const parts = text.split(special.text);
  for (const [i, part] of parts.entries()) {
    if (i > 0) fragments.push(special.id);
    let rest = part;
    if (i > 0 && special.stripsRight) rest = rest.replace(leadingSpace, '');
    if (i < parts.length - 1 && special.stripsLeft) rest = rest.replace(trailingSpace, '');
    if (rest !== '') fragments.push(rest);
  }
  return fragments;
}
