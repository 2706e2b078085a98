import {expect} from '@open-wc/testing';
import {expectRefusal} from '../../helpers/refusal.ts';
import {texts, tokenizerOf, types} from './fixtures.ts';
import type {Changes} from './fixtures.ts';

/** As Python writes bytes, between its quotes. */
const pieces = [
  ...['\\n', '\\n\\n', '\\t', '\\r', '\\\\', "\\'", '"', ' ', 'a', 'b', 'ab', 'abcd', ' ab', 'x', 'n', '4'],
  ...['\\x00', '\\xc3', '\\xa9', '\\xc3\\xa9', '\\xe6\\xbc', '\\xe6', '\\x9f', '<', 's', '>'],
];
/** Types of `tokenizer.ggml.token_type` beside those of other fixtures. */
const unused = 5;
const all = ['<s>', ...pieces, '[PAD1]'];
const keys: Changes = {
  'tokenizer.ggml.model': 'rwkv',
  'tokenizer.ggml.tokens': all,
  'tokenizer.ggml.token_type': Int32Array.from(all, (text) =>
    text === '<s>' ? types.control : text === '[PAD1]' ? unused : types.normal,
  ),
  'tokenizer.ggml.bos_token_id': 0,
  'tokenizer.ggml.eos_token_id': 0,
  'tokenizer.ggml.eot_token_id': 2,
};

describe("RWKV's World tokenizer", () => {
  const encode = async (text: string, options = {}, changes: Changes = {}): Promise<string[]> => {
    const tokenizer = await tokenizerOf({...keys, ...changes});
    return texts(tokenizer, tokenizer.encode(text, options));
  };

  it('takes the longest token that the bytes begin with, then that of the rest', async () => {
    expect(await encode('ab')).to.deep.equal(['ab']);
    // "abc" begins a token, but is none.
    expect(await encode('abxabcdab')).to.deep.equal(['ab', 'x', 'abcd', 'ab']);
    expect(await encode(' aba')).to.deep.equal([' ab', 'a']);
    expect(await encode('\n\n\n')).to.deep.equal(['\\n\\n', '\\n']);
  });

  it('reads escapes', async () => {
    expect(await encode('\t\r\\\'"\0')).to.deep.equal(['\\t', '\\r', '\\\\', "\\'", '"', '\\x00']);
    // A backslash before an n is no line break.
    expect(await encode('\\n')).to.deep.equal(['\\\\', 'n']);
    expect(await encode('x4')).to.deep.equal(['x', '4']);
  });

  it('divides characters where no token has the whole of them', async () => {
    expect(await encode('é')).to.deep.equal(['\\xc3\\xa9']);
    // U+6F1F is e6 bc 9f.
    expect(await encode('漟')).to.deep.equal(['\\xe6\\xbc', '\\x9f']);
  });

  it('makes the unknown token of a byte that begins none: that of the file, or 0', async () => {
    const tokenizer = await tokenizerOf(keys);
    expect(tokenizer.encode('aza')).to.deep.equal([9, 0, 9]);
    const other = await tokenizerOf({...keys, 'tokenizer.ggml.unknown_token_id': 3});
    expect(other.encode('aza')).to.deep.equal([9, 3, 9]);
  });

  it('makes control tokens of text only where it is asked to, and unused ones never', async () => {
    expect(await encode('a<s>')).to.deep.equal(['a', '<', 's', '>']);
    expect(await encode('a<s>', {parseSpecial: true})).to.deep.equal(['a', '<s>']);
    const changes = {'tokenizer.ggml.unknown_token_id': 3};
    expect(await encode('[PAD1]', {}, changes)).to.deep.equal(Array.from({length: 6}, () => '\\t'));
  });

  it('adds nothing to a text, and ends answers at the tokens that the file names', async () => {
    expect(await encode('a', {addSpecial: true})).to.deep.equal(['a']);
    expect([...(await tokenizerOf(keys)).endOfGeneration].sort()).to.deep.equal([0, 2]);
  });

  it('gives back the bytes that it was given', async () => {
    const tokenizer = await tokenizerOf(keys);
    for (const text of ['ab ab\n\n\tx', 'é漟"\\\'', 'abcd\r\n\0']) {
      expect(tokenizer.decode(tokenizer.encode(text))).to.equal(text);
    }
    expect([...tokenizer.tokenBytes(all.indexOf('\\xc3'))]).to.deep.equal([0xc3]);
    expect([...tokenizer.tokenBytes(0)]).to.deep.equal([]);
    expect(tokenizer.decode([0], {special: true})).to.equal('<s>');
  });

  for (const broken of ['a\\', '\\x4', '\\xg0', 'a\\x']) {
    it(`refuses a token with a broken escape, ${broken}`, async () => {
      const changes = {'tokenizer.ggml.tokens': [...all.slice(0, -1), broken]};
      const kinds = Int32Array.from(all, () => types.normal);
      await expectRefusal(
        () => tokenizerOf({...keys, ...changes, 'tokenizer.ggml.token_type': kinds}),
        'tokenizer-invalid',
        'tokenizer.ggml.tokens',
      );
    });
  }
});
