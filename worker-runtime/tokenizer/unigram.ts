import type {Checkpoint} from '../checkpoint.ts';
import type {Metadata} from '../gguf/metadata.ts';
import {spaceMark} from './byte-tokens.ts';
import {CharacterMap} from './character-map.ts';
import {inPieces} from './in-pieces.ts';
import {readScores} from './scores.ts';
import {TextPrefixes} from './text-prefixes.ts';
import type {TokenModel} from './token-model.ts';
import type {Vocabulary} from './vocabulary.ts';
import {tokenType} from './vocabulary.ts';

/** How much worse than the worst token an unknown character is. */
const unknownPenalty = 10;
const utf8 = new TextEncoder();

/** How spaces are treated, as the file says. */
interface Spacing {
  /** Whether each stretch of text gets a space: before it, or behind it. */
  readonly added: 'before' | 'behind' | null;
  readonly merged: boolean;
  readonly mark: string;
}

/**
 * The `t5` kind (SentencePiece in its Unigram mode, Kudo, 2018): of all ways to divide a text into tokens the one with the
 * highest sum of scores, found by the algorithm of Viterbi.
 */
export class Unigram implements TokenModel {
  readonly addSpacePrefix: boolean;
  readonly closesUpPunctuation = false;
  readonly #vocabulary: Vocabulary;
  readonly #prefixes: TextPrefixes;
  readonly #scores: Float64Array;
  readonly #unknown: number;
  readonly #unknownScore: number;
  readonly #map: CharacterMap | null;
  readonly #spacing: Spacing;

  private constructor(
    vocabulary: Vocabulary,
    prefixes: TextPrefixes,
    scores: Float64Array,
    unknown: number,
    map: CharacterMap | null,
    spacing: Spacing,
  ) {
    this.addSpacePrefix = spacing.added === 'before';
    this.#vocabulary = vocabulary;
    this.#prefixes = prefixes;
    this.#scores = scores;
    this.#unknown = unknown;
    this.#map = map;
    this.#spacing = spacing;
    const isNormal = (_: number, id: number): boolean => vocabulary.type(id) === tokenType.normal;
    const least = scores.filter(isNormal).reduce((worst, score) => Math.min(worst, score), 0);
    this.#unknownScore = Math.fround(least - unknownPenalty);
  }

  /**
   * @param unknown what stands for characters that are in no token
   * @throws {GgufError} `tokenizer-invalid`, `gguf-metadata` naming the key
   */
  static async create(
    metadata: Metadata,
    vocabulary: Vocabulary,
    unknown: number,
    checkpoint: Checkpoint,
  ): Promise<Unigram> {
    const given = readScores(metadata, vocabulary.size);
    // NaN: text never becomes this token.
    const scores = new Float64Array(vocabulary.size).fill(NaN);
    await inPieces(vocabulary.size, checkpoint, (id) => {
      const type = vocabulary.type(id);
      if (type === tokenType.userDefined) scores[id] = 0;
      else if (type === tokenType.normal || type === tokenType.unused) scores[id] = given[id] as number;
    });
    const map = CharacterMap.read(metadata);
    const prefixes = await TextPrefixes.create(vocabulary, checkpoint);
    return new Unigram(vocabulary, prefixes, scores, unknown, map, readSpacing(metadata));
  }

  encode(text: string, _afterSpecial: boolean, output: number[]): void {
    const normalised = utf8.encode(respace(this.#map ? this.#map.apply(text) : text, this.#spacing));
    const tokens: number[] = [];
    const {ids, starts} = this.#bestPaths(normalised);
    for (let end = normalised.length; end > 0; end = starts[end] as number) {
      const id = ids[end] as number;
      // Unknown characters in a row are one unknown token.
      if (id !== this.#unknown || tokens.at(-1) !== id) tokens.push(id);
    }
    for (const id of tokens.reverse()) output.push(id);
  }

  bytes(id: number): Uint8Array {
    const asWritten = this.#vocabulary.type(id) === tokenType.userDefined || this.#vocabulary.isSpecial(id);
    if (asWritten) return this.#vocabulary.textBytes(id);
    return utf8.encode(this.#vocabulary.text(id).replaceAll(spaceMark, ' '));
  }

  /** For each end of a prefix of the text's bytes, the last token of its best division, and where that begins. */
  #bestPaths(text: Uint8Array): {readonly ids: Int32Array; readonly starts: Int32Array} {
    const best = new Float64Array(text.length + 1).fill(-Infinity);
    const ids = new Int32Array(text.length + 1).fill(this.#unknown);
    const starts = new Int32Array(text.length + 1);
    best[0] = 0;
    const offer = (start: number, end: number, id: number, score: number): void => {
      const sum = (best[start] as number) + score;
      if (sum <= (best[end] as number)) return;
      best[end] = sum;
      ids[end] = id;
      starts[end] = start;
    };
    let next = 0;
    for (let start = 0; start < text.length; start = next) {
      next = start + 1;
      while (next < text.length && ((text[next] as number) & 0xc0) === 0x80) next++;
      const from = start;
      const characterEnd = next;
      let isCharacterKnown = false;
      this.#prefixes.forEach(text, from, (id, end) => {
        const score = this.#scores[id] as number;
        if (Number.isNaN(score)) return;
        if (end === characterEnd) isCharacterKnown = true;
        offer(from, end, id, score);
      });
      if (!isCharacterKnown) offer(start, next, this.#unknown, this.#unknownScore);
    }
    return {ids, starts};
  }
}

function readSpacing(metadata: Metadata): Spacing {
  const flag = (name: string, fallback: boolean): boolean =>
    metadata.boolean(`tokenizer.ggml.${name}`, fallback);
  const isSuffix = flag('treat_whitespace_as_suffix', false);
  return {
    added: flag('add_space_prefix', false) ? (isSuffix ? 'behind' : 'before') : null,
    merged: flag('remove_extra_whitespaces', false),
    mark: flag('escape_whitespaces', true) ? spaceMark : ' ',
  };
}

/** With marks for spaces: where they are merged, one before each word and none elsewhere. */
function respace(text: string, {added, merged, mark}: Spacing): string {
  if (text === '') return added === 'behind' ? mark : '';
  const words = merged ? text.replace(/ +/g, ' ').replace(/^ | $/g, '') : text;
  const isEmpty = words === '';
  const begins = !isEmpty && (merged || added === 'before');
  // A text that begins with spaces has its own before the first word, and one more.
  const spaced = begins && !merged ? words.replace(/[^ ]/, (first) => ` ${first}`) : words;
  const prefixed = begins && merged ? ` ${spaced}` : spaced;
  return (prefixed + (added === 'behind' ? ' ' : '')).replaceAll(' ', mark);
}
