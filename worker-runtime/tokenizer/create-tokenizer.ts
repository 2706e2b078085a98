import {GgufError} from '../errors.ts';
import type {Metadata} from '../gguf/metadata.ts';
import {BytePair} from './byte-pair.ts';
import {findPreTokenizer} from './pre-tokenizers.ts';
import {SentencePiece} from './sentencepiece.ts';
import {readSpecialTokens} from './special-tokens.ts';
import type {Tokenizer} from './tokenizer.ts';
import {Vocabulary} from './vocabulary.ts';
import {VocabularyTokenizer} from './vocabulary-tokenizer.ts';

const modelKey = 'tokenizer.ggml.model';
const preKey = 'tokenizer.ggml.pre';

/**
 * The tokenizer that a file describes.
 *
 * @throws {GgufError} `unsupported-tokenizer`, `tokenizer-invalid`, `missing-key`, `gguf-metadata`, naming the key
 */
export function createTokenizer(metadata: Metadata): Tokenizer {
  const kind = metadata.string(modelKey);
  switch (kind) {
    case 'llama':
      return createSentencePiece(metadata);
    case 'gpt2':
      return createBytePair(metadata);
    default:
      throw new GgufError('unsupported-tokenizer', `The tokenizer "${kind}" (${modelKey}) is not supported`, {
        field: modelKey,
      });
  }
}

function createSentencePiece(metadata: Metadata): Tokenizer {
  const vocabulary = new Vocabulary(metadata);
  // The IDs that SentencePiece itself gives to these tokens.
  const special = readSpecialTokens(metadata, vocabulary, {bos: 1, eos: 2, unknown: 0, addBos: true});
  return new VocabularyTokenizer(
    vocabulary,
    special,
    new SentencePiece(metadata, vocabulary, special.unknown),
  );
}

function createBytePair(metadata: Metadata): Tokenizer {
  const preTokenizer = findPreTokenizer(metadata.has(preKey) ? metadata.string(preKey) : null);
  const vocabulary = new Vocabulary(metadata);
  const {addBos} = preTokenizer;
  const special = readSpecialTokens(metadata, vocabulary, {bos: null, eos: null, unknown: null, addBos});
  const model = new BytePair(metadata, vocabulary, preTokenizer, special.unknown);
  return new VocabularyTokenizer(vocabulary, special, model);
}
