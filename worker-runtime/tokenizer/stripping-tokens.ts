import type {Metadata} from '../gguf/metadata.ts';
import type {Vocabulary} from './vocabulary.ts';
import {tokenType} from './vocabulary.ts';

/** Special tokens that take white space away, before themselves or behind. */
export interface StrippingTokens {
  readonly left: ReadonlySet<number>;
  readonly right: ReadonlySet<number>;
}

const maskedPreTokenizers: ReadonlySet<string> = new Set(['jina-v2-de', 'jina-v2-es', 'jina-v2-code']);
const maskedArchitectures: ReadonlySet<string> = new Set(['nomic-bert-moe', 'jina-bert-v3']);

/** Files do not say which tokens strip; like llama.cpp, this goes by the names of models that have such tokens. */
export function findStrippingTokens(metadata: Metadata, vocabulary: Vocabulary): StrippingTokens {
  const text = (key: string): string => (metadata.typeOf(key) === 'string' ? metadata.string(key) : '');
  const architecture = text('general.architecture');
  const left = (name: string): StrippingTokens => {
    const id = vocabulary.id(name);
    return {left: new Set(id === undefined ? [] : [id]), right: new Set()};
  };
  if (maskedPreTokenizers.has(text('tokenizer.ggml.pre')) || maskedArchitectures.has(architecture)) {
    return left('<mask>');
  }
  if (architecture === 'modern-bert') return left('[MASK]');
  if (/phi-?3/i.test(text('general.name'))) return {left: new Set(), right: stripsOfPhi3(vocabulary)};
  return {left: new Set(), right: new Set()};
}

function stripsOfPhi3(vocabulary: Vocabulary): Set<number> {
  const right = new Set<number>();
  for (let id = 0; id < vocabulary.size; id++) {
    if (vocabulary.isSpecial(id) || vocabulary.type(id) === tokenType.userDefined) right.add(id);
  }
  for (const name of ['<unk>', '<s>', '<|endoftext|>']) {
    const id = vocabulary.id(name);
    if (id !== undefined) right.delete(id);
  }
  return right;
}
