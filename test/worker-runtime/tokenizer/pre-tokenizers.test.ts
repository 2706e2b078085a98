import {expect} from '@open-wc/testing';
import {findPreTokenizer} from '../../../worker-runtime/tokenizer/pre-tokenizers.ts';
import {Random} from '../../helpers/gguf-writer.ts';
import {expectRefusal} from '../../helpers/refusal.ts';

const words = (pre: string, text: string): string[] =>
  Array.from(text.matchAll(findPreTokenizer(pre).words), ([word]) => word);

describe('pre-tokenizers', () => {
  const cases: readonly [string, string, readonly string[]][] = [
    [
      'gpt-2',
      "I'm 1234 years,\n\n ok  then",
      ['I', "'m", ' 1234', ' years', ',', '\n\n', ' ok', ' ', ' then'],
    ],
    ['gpt-2', "I'M", ['I', "'", 'M']],
    ['llama-bpe', "I'M 12345 years,\n\n ok", ['I', "'M", ' ', '123', '45', ' years', ',\n\n', ' ok']],
    ['llama-bpe', 'a\n \n b', ['a', '\n \n', ' b']],
    ['llama-bpe', '"word', ['"word']],
    ['qwen2', "I'll 123", ['I', "'ll", ' ', '1', '2', '3']],
    ['smollm', 'in  2026, ok', ['in', '  ', '2', '0', '2', '6', ',', ' ok']],
    // The long s folds to s under a case-insensitive flag.
    ['llama-bpe', "it'\u017F", ['it', "'\u017F"]],
    // White space of Unicode, not of JavaScript: U+0085 is, U+FEFF is not.
    ['qwen2', 'a\u0085\u0085b', ['a', '\u0085', '\u0085b']],
    ['gpt-2', 'a\u0085\u0085b', ['a', '\u0085', '\u0085', 'b']],
    ['gpt-2', ' \uFEFF!', [' \uFEFF!']],
    // Marks are neither letters nor numbers; numbers of every script are numbers.
    ['gpt-2', 'e\u0301 ٣٤', ['e', '\u0301', ' ٣٤']],
    ['llama-bpe', '😀 𝒳', ['😀', ' 𝒳']],
    ['llama-bpe', 'x   ', ['x', '   ']],
  ];
  for (const [pre, text, expected] of cases) {
    it(`${pre} divides ${JSON.stringify(text)}`, () => {
      expect(words(pre, text)).to.deep.equal(expected);
    });
  }

  it('smollm is GPT-2 between single digits', () => {
    const random = new Random(7);
    const characters = Array.from(" \t\na1é9٣!'s😀");
    for (let run = 0; run < 500; run++) {
      const text = Array.from({length: 12}, () => characters[random.below(characters.length)]).join('');
      const pieces = text.split(/(\p{N})/u).filter((piece) => piece !== '');
      expect(words('smollm', text), JSON.stringify(text)).to.deep.equal(
        pieces.flatMap((piece) => words('gpt-2', piece)),
      );
    }
  });

  it('leave nothing out', () => {
    const text = ' a1\t\n !é\u0301\u0000\u0085\u200d\ue000😀\r\n\n';
    for (const pre of ['gpt-2', 'llama-bpe', 'qwen2', 'smollm'])
      expect(words(pre, text).join('')).to.equal(text);
  });

  it('are refused by name', async () => {
    await expectRefusal(() => findPreTokenizer('viking'), 'unsupported-tokenizer', 'viking');
    await expectRefusal(() => findPreTokenizer('constructor'), 'unsupported-tokenizer', 'constructor');
    await expectRefusal(() => findPreTokenizer(null), 'unsupported-tokenizer', 'tokenizer.ggml.pre');
  });
});
