import {expect} from '@open-wc/testing';
import {Random} from '../../helpers/gguf/random.ts';
import {sentencePieceKeys, texts, tokenizerOf, types} from './fixtures.ts';
import type {Changes} from './fixtures.ts';

// By falling score, so that what stands further left is joined first.
const pieces = ['▁he', 'llo', '▁hello', 'he', 'll', 'ab', 'bc', ...'▁helocabcx'];

async function encoded(text: string, changes: Changes = {}, parseSpecial = false): Promise<string[]> {
  const tokenizer = await tokenizerOf(sentencePieceKeys([...new Set(pieces)], changes));
  return texts(tokenizer, tokenizer.encode(text, {parseSpecial}));
}

describe('SentencePiece', () => {
  it('joins the neighbours with the best score first', async () => {
    expect(await encoded('abc')).to.deep.equal(['▁', 'ab', 'c']);
    expect(await encoded('hello')).to.deep.equal(['▁hello']);
  });

  it('joins from the left where scores are equal', async () => {
    const tokens = ['▁', 'a', 'aa', 'aaa'];
    const tokenizer = await tokenizerOf(
      sentencePieceKeys(tokens, {'tokenizer.ggml.scores': new Float32Array(tokens.length + 261)}),
    );
    expect(texts(tokenizer, tokenizer.encode('aaaaa'))).to.deep.equal(['▁', 'aaa', 'aa']);
  });

  it('writes characters that are no token as bytes', async () => {
    expect(await encoded('aé')).to.deep.equal(['▁', 'a', '<0xC3>', '<0xA9>']);
    expect(await encoded('😀')).to.deep.equal(['▁', '<0xF0>', '<0x9F>', '<0x98>', '<0x80>']);
  });

  it('uses the unknown token where bytes have none', async () => {
    const tokenizer = await tokenizerOf({
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.tokens': ['<unk>', '<s>', '</s>', '▁', 'a'],
      'tokenizer.ggml.scores': new Float32Array(5),
    });
    expect(tokenizer.encode('aé')).to.deep.equal([3, 4, 0, 0]);
  });

  it('puts a space before the text and after special tokens, if the file does not forbid it', async () => {
    const without = {'tokenizer.ggml.add_space_prefix': false};
    expect(await encoded('a</s>a', {}, true)).to.deep.equal(['▁', 'a', '</s>', '▁', 'a']);
    expect(await encoded('a</s>a', without, true)).to.deep.equal(['a', '</s>', 'a']);
  });

  it('takes lone surrogates for U+FFFD', async () => {
    expect(await encoded('a\uD800')).to.deep.equal(['▁', 'a', '<0xEF>', '<0xBF>', '<0xBD>']);
  });

  it('never makes a control token of plain text', async () => {
    // The pieces would add up to </s>, which has the best score of all.
    const keys = sentencePieceKeys(['▁', '</', 's>', '<', '/', 's', '>']);
    const tokenizer = await tokenizerOf(keys);
    expect(texts(tokenizer, tokenizer.encode('</s>'))).to.deep.equal(['▁', '</', 's>']);
  });

  it('does not join into an empty or a doubled token', async () => {
    const tokenizer = await tokenizerOf(sentencePieceKeys(['▁', 'a', 'a', '', 'aa']));
    expect(tokenizer.encode('aa')).to.deep.equal([3, 7]);
    expect(tokenizer.encode('a')).to.deep.equal([3, 4]);
    expect(tokenizer.tokenBytes(6)).to.have.length(0);
  });

  it('decodes without the space that encoding added', async () => {
    const tokenizer = await tokenizerOf(sentencePieceKeys([...new Set(pieces)]));
    for (const text of ['hello', ' hello', '  abc', 'aé😀b', '', '\n']) {
      expect(tokenizer.decode(tokenizer.encode(text)), JSON.stringify(text)).to.equal(text);
    }
  });

  it('gives the bytes of single tokens', async () => {
    const tokenizer = await tokenizerOf(sentencePieceKeys(['▁he', 'x']));
    const text = (id: number, special = false): string =>
      new TextDecoder().decode(tokenizer.tokenBytes(id, {special}));
    expect(text(3)).to.equal(' he');
    expect(text(2)).to.equal('');
    expect(text(2, true)).to.equal('</s>');
    expect([...tokenizer.tokenBytes(7 + 0xe9)]).to.deep.equal([0xe9]);
  });

  it('knows the types of special tokens', async () => {
    expect(await encoded('a<tool>b')).to.deep.equal(['▁', 'a', '<tool>', '▁', 'b']);
    expect(await encoded('<|im_end|>', {}, true)).to.deep.equal(['<|im_end|>']);
    expect(await encoded('<|im_end|>')).not.to.include('<|im_end|>');
    expect(types.control).to.equal(3);
  });

  it('encodes a hundred thousand characters without spaces', async () => {
    const tokenizer = await tokenizerOf(sentencePieceKeys([...new Set(pieces)]));
    const random = new Random(4);
    const word = Array.from({length: 100_000}, () => 'abchelo'[random.below(7)]).join('');
    expect(tokenizer.decode(tokenizer.encode(word))).to.equal(word);
  });
});
