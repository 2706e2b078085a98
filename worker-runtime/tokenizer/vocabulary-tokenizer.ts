import {GgufError} from '../errors.ts';
import {endOfGenerationTokens} from './known-tokens.ts';
import {closeUpPunctuation} from './punctuation.ts';
import {SpecialSplitter} from './special-splitter.ts';
import type {SpecialTokens} from './special-tokens.ts';
import type {StrippingTokens} from './stripping-tokens.ts';
import type {TokenModel} from './token-model.ts';
import type {EncodeOptions, Tokenizer} from './tokenizer.ts';
import type {Vocabulary} from './vocabulary.ts';
import {tokenType} from './vocabulary.ts';

/** Beyond every context that fits in wasm memory; bounds the time that nothing else happens in. */
const longestText = 2 * 1024 * 1024;
const noBytes = new Uint8Array(0);
const space = 0x20;

/** What all kinds of tokenizers share: special tokens, BOS and EOS, decoding. */
export class VocabularyTokenizer implements Tokenizer {
  readonly vocabularySize: number;
  readonly bos: number | null;
  readonly eos: number | null;
  readonly addBos: boolean;
  readonly addEos: boolean;
  readonly endOfGeneration: ReadonlySet<number>;
  readonly controlTexts: readonly string[];
  /** Added behind a text; `null`: none is. */
  readonly #sep: number | null;
  readonly #vocabulary: Vocabulary;
  readonly #model: TokenModel;
  readonly #splitter: SpecialSplitter;

  constructor(vocabulary: Vocabulary, special: SpecialTokens, model: TokenModel, strips: StrippingTokens) {
    this.vocabularySize = vocabulary.size;
    this.bos = special.bos;
    this.eos = special.eos;
    this.addBos = special.addBos;
    this.addEos = special.addEos;
    this.endOfGeneration = endOfGenerationTokens(vocabulary, special);
    this.controlTexts = findControlTexts(vocabulary);
    this.#sep = special.addSep ? special.sep : null;
    this.#vocabulary = vocabulary;
    this.#model = model;
    this.#splitter = new SpecialSplitter(vocabulary, strips);
  }

  encode(text: string, options: EncodeOptions = {}): number[] {
    const {addSpecial = false, parseSpecial = false, dropped} = options;
    if (text.length > longestText) {
      const message = `The text has ${text.length} characters; ${longestText} are possible`;
      throw new GgufError('invalid-prompt', message, {field: 'text'});
    }
    const output: number[] = [];
    if (addSpecial && this.addBos && this.bos !== null) output.push(this.bos);
    let afterSpecial = true;
    for (const fragment of this.#splitter.split(wellFormed(text), parseSpecial)) {
      afterSpecial = typeof fragment === 'number' || afterSpecial;
      if (typeof fragment === 'number') {
        output.push(fragment);
        continue;
      }
      const plain = dropped === undefined ? fragment : fragment.replaceAll(dropped, '');
      if (plain === '') continue;
      this.#model.encode(plain, afterSpecial, output);
      afterSpecial = false;
    }
    if (addSpecial && this.addEos && this.eos !== null) output.push(this.eos);
    if (addSpecial && this.#sep !== null) output.push(this.#sep);
    return output;
  }

  tokenBytes(id: number, {special = false}: {special?: boolean} = {}): Uint8Array {
    this.#check(id);
    return this.#vocabulary.isSpecial(id) && !special ? noBytes : this.#model.bytes(id);
  }

  decode(tokens: readonly number[], options?: {special?: boolean}): string {
    const decoder = new TextDecoder('utf-8', {ignoreBOM: true});
    let text = '';
    for (const [i, id] of tokens.entries()) {
      const bytes = this.tokenBytes(id, options);
      // The space that encoding put before the text is not part of it.
      const prefixed = i === 0 && this.#model.addSpacePrefix && bytes[0] === space;
      text += decoder.decode(prefixed ? bytes.subarray(1) : bytes, {stream: true});
    }
    text += decoder.decode();
    return this.#model.closesUpPunctuation ? closeUpPunctuation(text) : text;
  }

  tokenId(text: string): number | undefined {
    return this.#vocabulary.id(text);
  }

  tokenText(id: number): string {
    this.#check(id);
    return this.#vocabulary.text(id);
  }

  #check(id: number): void {
    if (this.#vocabulary.has(id)) return;
    const message = `${String(id)} is no token ID; those of this model are 0 to ${this.vocabularySize - 1}`;
    throw new GgufError('invalid-prompt', message, {field: 'tokens'});
  }
}

/** Control tokens, and user-defined ones in the notation of control tokens, as some converters leave them. */
function findControlTexts(vocabulary: Vocabulary): string[] {
  const texts: string[] = [];
  for (let id = 0; id < vocabulary.size; id++) {
    if (!vocabulary.isSpecial(id) && vocabulary.type(id) !== tokenType.userDefined) continue;
    const text = vocabulary.text(id);
    if (text !== '' && (vocabulary.isSpecial(id) || /^<[|｜].*[|｜]>$/su.test(text))) texts.push(text);
  }
  return texts;
}

function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\uFFFD');
}
