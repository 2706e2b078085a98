import {expect} from '@open-wc/testing';
import {texts, tokenizerOf, types} from './fixtures.ts';
import type {Changes} from './fixtures.ts';

const pieces = ['▁un', 'aff', 'able', '▁a', '▁i', '▁!', '▁,', '▁漢', '▁字', 's', '▁it', "▁'", '▁s', '▁cafe'];
const all = ['[UNK]', '[CLS]', '[SEP]', ...pieces];
const keys: Changes = {
  'tokenizer.ggml.model': 'bert',
  'tokenizer.ggml.tokens': all,
  'tokenizer.ggml.token_type': Int32Array.from(all, (_, id) => (id < 3 ? types.control : types.normal)),
  'tokenizer.ggml.unknown_token_id': 0,
  'tokenizer.ggml.bos_token_id': 1,
  'tokenizer.ggml.seperator_token_id': 2,
};

describe('WordPiece', () => {
  const encode = async (text: string, options = {}, changes: Changes = {}): Promise<string[]> => {
    const tokenizer = await tokenizerOf({...keys, ...changes});
    return texts(tokenizer, tokenizer.encode(text, options));
  };

  it('takes the longest token that a word begins with, then that of the rest', async () => {
    expect(await encode('unaffable')).to.deep.equal(['▁un', 'aff', 'able']);
  });

  it('makes one unknown token of a word of which a part is no token', async () => {
    expect(await encode('unaffabled a')).to.deep.equal(['[UNK]', '▁a']);
  });

  it('divides at punctuation and before Chinese characters', async () => {
    expect(await encode("it's a,漢字!")).to.deep.equal(['▁it', "▁'", '▁s', '▁a', '▁,', '▁漢', '▁字', '▁!']);
  });

  it('reads lower case, without accents and control characters', async () => {
    expect(await encode('Caf\u00e9 CAFE\u0301 c\u200bafe\u0000')).to.deep.equal(['▁cafe', '▁cafe', '▁cafe']);
  });

  it('begins and ends a text as the file asks', async () => {
    expect(await encode('a', {addSpecial: true})).to.deep.equal(['[CLS]', '▁a', '[SEP]']);
    const changes = {'tokenizer.ggml.add_sep_token': false};
    expect(await encode('a', {addSpecial: true}, changes)).to.deep.equal(['[CLS]', '▁a']);
    expect(await encode('', {addSpecial: true})).to.deep.equal(['[CLS]', '[SEP]']);
  });

  it('closes up punctuation when it decodes', async () => {
    const tokenizer = await tokenizerOf(keys);
    expect(tokenizer.decode(tokenizer.encode('it s a !'))).to.equal(' it s a!');
  });
});
