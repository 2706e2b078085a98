import {expect} from '@open-wc/testing';
import {Random} from '../../helpers/gguf/random.ts';
import {bytePairKeys, texts, tokenizerOf} from './fixtures.ts';
import type {Changes} from './fixtures.ts';

const merges = ['h e', 'l l', 'he ll', 'Ġ w', 'o r', 'Ġw or', 'a a', 'Ã ©'];

async function encoded(text: string, pre = 'gpt-2', changes: Changes = {}): Promise<string[]> {
  const tokenizer = await tokenizerOf(bytePairKeys(pre, merges, changes));
  return texts(tokenizer, tokenizer.encode(text));
}

describe('byte-level BPE', () => {
  it('joins in the order of the merges, from the left', async () => {
    expect(await encoded('hello')).to.deep.equal(['hell', 'o']);
    expect(await encoded('aaa')).to.deep.equal(['aa', 'a']);
    expect(await encoded('ell')).to.deep.equal(['e', 'll']);
  });

  it('joins only within words', async () => {
    expect(await encoded('he llo wor')).to.deep.equal(['he', 'Ġ', 'll', 'o', 'Ġwor']);
  });

  it('works on bytes', async () => {
    expect(await encoded('é€')).to.deep.equal(['Ã©', 'â', 'Ĥ', '¬']);
  });

  it('takes a word that is a token as it is where the model ignores merges', async () => {
    const token = ['xyz'];
    const keys = bytePairKeys('llama-bpe', merges);
    const tokens = [...(keys['tokenizer.ggml.tokens'] as string[]), ...token];
    const changes = {'tokenizer.ggml.tokens': tokens, 'tokenizer.ggml.token_type': null};
    expect(await encoded('xyz', 'llama-bpe', changes)).to.deep.equal(['xyz']);
    expect(await encoded('xyz', 'qwen2', changes)).to.deep.equal(['x', 'y', 'z']);
  });

  it('takes lone surrogates for U+FFFD', async () => {
    const tokenizer = await tokenizerOf(bytePairKeys('qwen2', merges));
    expect(tokenizer.decode(tokenizer.encode('a\uDC00b'))).to.equal('a\uFFFDb');
  });

  it('gives every text back', async () => {
    const tokenizer = await tokenizerOf(bytePairKeys('qwen2', merges));
    const alphabet = [...'abhelo wr\n\té€😀\u0301\u0085\uFEFF\0.,!\'"01٣字'];
    const random = new Random(9);
    for (let round = 0; round < 200; round++) {
      const text = Array.from({length: random.below(40)}, () => alphabet[random.below(alphabet.length)]).join(
        '',
      );
      expect(tokenizer.decode(tokenizer.encode(text)), JSON.stringify(text)).to.equal(text);
    }
  });

  it('closes up punctuation when it decodes a vocabulary that asks for it', async () => {
    const decoded = async (pre: string): Promise<string> => {
      const tokenizer = await tokenizerOf(bytePairKeys(pre, merges));
      return tokenizer.decode(tokenizer.encode("a , b ! it 's we 've a ' b . 't ?"));
    };
    expect(await decoded('gpt-2')).to.equal("a, b! it's we've a'b. 't?");
    expect(await decoded('qwen2')).to.equal("a , b ! it 's we 've a ' b . 't ?");
  });

  for (const [name, text] of Object.entries({
    letters: 'helo'.repeat(25_000),
    spaces: ' '.repeat(100_000),
    'line ends': '\n'.repeat(100_000),
    punctuation: '.!'.repeat(50_000),
    'long words': `${'hello'.repeat(20)} `.repeat(1000),
  })) {
    it(`encodes a hundred thousand ${name}`, async () => {
      for (const pre of ['gpt-2', 'llama-bpe', 'qwen2']) {
        const tokenizer = await tokenizerOf(bytePairKeys(pre, [...merges, 'Ġ Ġ']));
        const bytes = tokenizer.encode(text).flatMap((id) => [...tokenizer.tokenBytes(id)]);
        expect(new TextDecoder().decode(Uint8Array.from(bytes)) === text).to.be.true;
      }
    });
  }
});
