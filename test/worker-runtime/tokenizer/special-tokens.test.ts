import {expect} from '@open-wc/testing';
import {expectRefusal} from '../../helpers/refusal.ts';
import {bytePairKeys, sentencePieceKeys, texts, tokenizerOf} from './fixtures.ts';
import type {Changes} from './fixtures.ts';

const endoftext = 256;

describe('special tokens', () => {
  it('are parsed when asked for, user-defined ones always', async () => {
    const tokenizer = await tokenizerOf(bytePairKeys('qwen2', []));
    const text = '<|im_start|>a<think>';
    expect(texts(tokenizer, tokenizer.encode(text, {parseSpecial: true}))).to.deep.equal([
      '<|im_start|>',
      'a',
      '<think>',
    ]);
    const plain = texts(tokenizer, tokenizer.encode(text));
    expect(plain.slice(0, 2)).to.deep.equal(['<', '|']);
    expect(plain.at(-1)).to.equal('<think>');
  });

  it('are found longest first', async () => {
    const tokens = ['a', '<x>', '<x><y>', '<y>'];
    const tokenizer = await tokenizerOf({
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.tokens': tokens,
      'tokenizer.ggml.scores': new Float32Array(4),
      'tokenizer.ggml.token_type': Int32Array.of(1, 3, 3, 3),
      'tokenizer.ggml.add_space_prefix': false,
    });
    const encode = (text: string): string[] => texts(tokenizer, tokenizer.encode(text, {parseSpecial: true}));
    expect(encode('<x><y>a<y><x>')).to.deep.equal(['<x><y>', 'a', '<y>', '<x>']);
    expect(encode('<x><x><y><y>')).to.deep.equal(['<x>', '<x><y>', '<y>']);
  });

  it('of Phi 3 take the white space behind them away', async () => {
    const encode = async (name: string): Promise<string[]> => {
      const tokenizer = await tokenizerOf(bytePairKeys('qwen2', [], {'general.name': name}));
      return texts(tokenizer, tokenizer.encode('<|im_start|> \n a<|endoftext|> b', {parseSpecial: true}));
    };
    expect(await encode('Phi-3-mini')).to.deep.equal(['<|im_start|>', 'a', '<|endoftext|>', 'Ġ', 'b']);
    expect(await encode('Another')).to.deep.equal([
      ...['<|im_start|>', 'Ġ', 'Ċ', 'Ġ', 'a'],
      ...['<|endoftext|>', 'Ġ', 'b'],
    ]);
  });

  it('are plain text where the dropped character stands in them', async () => {
    const tokenizer = await tokenizerOf(bytePairKeys('qwen2', ['a b']));
    const options = {parseSpecial: true, dropped: '\uFDD0'};
    expect(tokenizer.encode('<\uFDD0|im_start|>a\uFDD0b', options)).to.deep.equal(
      tokenizer.encode('<|im_start|>ab'),
    );
    expect(tokenizer.encode('\uFDD0', options)).to.deep.equal([]);
  });

  it('BOS and EOS are added as the file says', async () => {
    const ids = async (keys: Changes, text = ''): Promise<number[]> =>
      (await tokenizerOf(keys)).encode(text, {addSpecial: true});
    const add = (bos: boolean, eos: boolean): Changes => ({
      'tokenizer.ggml.add_bos_token': bos,
      'tokenizer.ggml.add_eos_token': eos,
    });
    expect(await ids(sentencePieceKeys([]))).to.deep.equal([1]);
    expect(await ids(sentencePieceKeys([], add(false, true)))).to.deep.equal([2]);
    expect(await ids(bytePairKeys('qwen2', []))).to.deep.equal([]);
    expect(await ids(bytePairKeys('llama-bpe', []))).to.deep.equal([endoftext]);
    expect(await ids(bytePairKeys('qwen2', [], add(true, true)), 'a')).to.deep.equal([
      endoftext,
      97,
      endoftext,
    ]);
  });

  it('may be missing', async () => {
    const none = {'tokenizer.ggml.bos_token_id': 0xffff_ffff, 'tokenizer.ggml.eos_token_id': -1};
    const tokenizer = await tokenizerOf(bytePairKeys('llama-bpe', [], none));
    expect([tokenizer.bos, tokenizer.eos, tokenizer.addBos]).to.deep.equal([null, null, false]);
  });

  it('that end an answer are known by role and by text', async () => {
    const spm = await tokenizerOf(sentencePieceKeys(['a', 'b'], {'tokenizer.ggml.eot_token_id': 3}));
    expect(texts(spm, [...spm.endOfGeneration]).sort()).to.deep.equal(['</s>', '<|im_end|>', 'a']);
    const bpe = await tokenizerOf(bytePairKeys('qwen2', [], {'tokenizer.ggml.eos_token_id': 97}));
    expect([...bpe.endOfGeneration].sort()).to.deep.equal([endoftext, 97].sort());
  });

  it('that end messages only do not end an answer', async () => {
    const tokens = ['a', '<|end|>', '<|return|>', '<|call|>'];
    const keys = (list: string[]): Changes => ({
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.tokens': list,
      'tokenizer.ggml.scores': new Float32Array(list.length),
      'tokenizer.ggml.bos_token_id': 0,
      'tokenizer.ggml.eos_token_id': -1,
    });
    expect([...(await tokenizerOf(keys(tokens))).endOfGeneration]).to.deep.equal([2, 3]);
    expect([...(await tokenizerOf(keys(tokens.slice(0, 2)))).endOfGeneration]).to.deep.equal([1]);
  });

  it('are control tokens even if the file forgets it', async () => {
    const tokenizer = await tokenizerOf(bytePairKeys('qwen2', [], {'tokenizer.ggml.token_type': null}));
    expect(tokenizer.tokenBytes(endoftext)).to.have.length(0);
    expect(tokenizer.encode('<|endoftext|>', {parseSpecial: true})).to.deep.equal([endoftext]);
    expect(tokenizer.controlTexts).to.deep.equal(['<|endoftext|>']);
  });

  it('IDs outside of the vocabulary are refused', async () => {
    const tokenizer = await tokenizerOf(bytePairKeys('qwen2', []));
    for (const id of [-1, 259, 0.5, NaN]) {
      await expectRefusal(() => tokenizer.tokenBytes(id), 'invalid-prompt', String(id));
      await expectRefusal(() => tokenizer.decode([id]), 'invalid-prompt', '0 to 258');
      await expectRefusal(() => tokenizer.tokenText(id), 'invalid-prompt');
    }
  });

  it('texts beyond every context are refused', async () => {
    const tokenizer = await tokenizerOf(bytePairKeys('qwen2', []));
    await expectRefusal(() => tokenizer.encode('a'.repeat(2 ** 21 + 1)), 'invalid-prompt', 'characters');
  });
});
