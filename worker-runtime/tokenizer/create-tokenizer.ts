import type {Checkpoint} from '../checkpoint.ts';
import {GgufError} from '../errors.ts';
import type {Metadata} from '../gguf/metadata.ts';
import {BytePair} from './byte-pair.ts';
import {MarkedBytePair} from './marked-byte-pair.ts';
import {findPreTokenizer, marksSpaces} from './pre-tokenizers.ts';
import {RwkvWorld} from './rwkv-world.ts';
import {SentencePiece} from './sentencepiece.ts';
import {readSpecialTokens} from './special-tokens.ts';
import type {Tokenizer} from './tokenizer.ts';
import {findStrippingTokens} from './stripping-tokens.ts';
import {Unigram} from './unigram.ts';
import {invalidVocabulary, Vocabulary} from './vocabulary.ts';
import {WordPiece} from './word-piece.ts';
import {VocabularyTokenizer} from './vocabulary-tokenizer.ts';

const modelKey = 'tokenizer.ggml.model';
const preKey = 'tokenizer.ggml.pre';

/**
 * The tokenizer that a file describes. Large vocabularies take a while: `checkpoint` is called in between.
 *
 * @throws {GgufError} `unsupported-tokenizer`, `tokenizer-invalid`, `missing-key`, `gguf-metadata`, naming the key
 */
export async function createTokenizer(
  metadata: Metadata,
  checkpoint: Checkpoint = () => undefined,
): Promise<Tokenizer> {
  const kind = metadata.string(modelKey);
  switch (kind) {
    case 'llama':
      return createSentencePiece(metadata, checkpoint);
    case 'gpt2':
      return createBytePair(metadata, metadata.has(preKey) ? metadata.string(preKey) : null, checkpoint);
    case 'bert':
      return createWordPiece(metadata, checkpoint);
    case 't5':
      return createUnigram(metadata, checkpoint);
    case 'gemma4':
      return createBytePair(metadata, kind, checkpoint);
    case 'rwkv':
      return createRwkvWorld(metadata, checkpoint);
    default:
      throw new GgufError('unsupported-tokenizer', `The tokenizer "${kind}" (${modelKey}) is not supported`, {
        field: modelKey,
      });
  }
}

async function createSentencePiece(metadata: Metadata, checkpoint: Checkpoint): Promise<Tokenizer> {
  const vocabulary = await Vocabulary.create(metadata, checkpoint);
  // The IDs that SentencePiece itself gives to these tokens.
  const special = readSpecialTokens(metadata, vocabulary, {bos: 1, eos: 2, unknown: 0, addBos: true});
  const model = await SentencePiece.create(metadata, vocabulary, special.unknown, checkpoint);
  return new VocabularyTokenizer(vocabulary, special, model, findStrippingTokens(metadata, vocabulary));
}

async function createWordPiece(metadata: Metadata, checkpoint: Checkpoint): Promise<Tokenizer> {
  const vocabulary = await Vocabulary.create(metadata, checkpoint);
  // The IDs of BERT's own vocabulary.
  const defaults = {bos: 101, eos: null, unknown: 100, sep: 102, addBos: true, addSep: true};
  const special = readSpecialTokens(metadata, vocabulary, defaults);
  const model = await WordPiece.create(vocabulary, special.unknown, checkpoint);
  return new VocabularyTokenizer(vocabulary, special, model, findStrippingTokens(metadata, vocabulary));
}

async function createUnigram(metadata: Metadata, checkpoint: Checkpoint): Promise<Tokenizer> {
  const vocabulary = await Vocabulary.create(metadata, checkpoint);
  // The IDs of T5's own vocabulary.
  const defaults = {bos: null, eos: 1, unknown: 2, addBos: false, addEos: true};
  const special = readSpecialTokens(metadata, vocabulary, defaults);
  if (special.unknown === null) {
    throw invalidVocabulary(
      'tokenizer.ggml.unknown_token_id',
      'names no token; this kind of tokenizer needs it',
    );
  }
  const model = await Unigram.create(metadata, vocabulary, special.unknown, checkpoint);
  return new VocabularyTokenizer(vocabulary, special, model, findStrippingTokens(metadata, vocabulary));
}

async function createRwkvWorld(metadata: Metadata, checkpoint: Checkpoint): Promise<Tokenizer> {
  const vocabulary = await Vocabulary.create(metadata, checkpoint);
  // The World vocabulary has no token 0: in files it stands for all that is not text.
  const special = readSpecialTokens(metadata, vocabulary, {bos: null, eos: null, unknown: 0, addBos: false});
  const model = await RwkvWorld.create(vocabulary, special.unknown, checkpoint);
  return new VocabularyTokenizer(vocabulary, special, model, findStrippingTokens(metadata, vocabulary));
}

async function createBytePair(
  metadata: Metadata,
  name: string | null,
  checkpoint: Checkpoint,
): Promise<Tokenizer> {
  const preTokenizer = findPreTokenizer(name);
  const vocabulary = await Vocabulary.create(metadata, checkpoint);
  const {addBos} = preTokenizer;
  const special = readSpecialTokens(metadata, vocabulary, {bos: null, eos: null, unknown: null, addBos});
  const kind = name !== null && marksSpaces(name) ? MarkedBytePair : BytePair;
  const model = await kind.create(metadata, vocabulary, preTokenizer, special.unknown, checkpoint);
  return new VocabularyTokenizer(vocabulary, special, model, findStrippingTokens(metadata, vocabulary));
}
