import {expect} from '@open-wc/testing';
import {findPreTokenizer} from '../../../worker-runtime/tokenizer/pre-tokenizers.ts';
import {divide} from '../../../worker-runtime/tokenizer/word-patterns.ts';
import {Random} from '../../helpers/gguf-writer.ts';
import {expectRefusal} from '../../helpers/refusal.ts';

const words = (pre: string, text: string): string[] => [...divide(text, findPreTokenizer(pre).patterns)];

const families = [
  'afmoe bailingmoe bloom chameleon dbrx deepseek-coder deepseek-llm deepseek-v3 default exaone-moe falcon gemma4',
  'gpt-2 gpt-4o granite-embed-multi-97m jais-2 kimi-k2 laguna llama-bpe minicpm5 qwen2 qwen35 seed-coder smollm',
  'spark2_5 stablelm2 superbpe tekken tiny_aya trillion ufakzeka viking youtu',
].flatMap((names) => names.split(' '));

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
    ['default', 'a=1234 b', ['a', '=', '123', '4', ' b']],
    ['falcon', "it's $12345", ['it', "'", 's', ' ', '$', '123', '45']],
    ['starcoder', 'x = 42', ['x', ' =', ' ', '4', '2']],
    ['deepseek-coder', 'if (x1) 你好\n', ['if', ' (', 'x', '1', ')', ' ', '你好', '\n']],
    ['deepseek-llm', 'under 1234 ß你', ['under', ' ', '1234', ' ß', '你']],
    ['deepseek-v3', 'x,y 12345 ...\n', ['x', ',y', ' ', '123', '45', ' ...\n']],
    ['tekken', 'HelloWORLDs 12', ['Hello', 'WORLDs', ' ', '1', '2']],
    ['gpt-4o', "HelloWorld's 1234", ['Hello', "World's", ' ', '123', '4']],
    ['qwen35', 'e\u0301a 12', ['e\u0301a', ' ', '1', '2']],
    ['bloom', 'one two.three', ['one', ' two', '.', 'three']],
    ['viking', 'a1', ['a', '1']],
    ['superbpe', 'a 1234567 b', ['a ', '1', '234', '567', ' b']],
    ['afmoe', '1234567x', ['1', '234', '567', 'x']],
    ['tiny_aya', '1234567', ['1', '234', '567']],
    ['exaone-moe', 'a b c, d', ['a b c', ',', ' d']],
    ['jais-2', 'a       b', ['a', '    ', '  ', ' b']],
    ['kimi-k2', 'ab漢字cd 1234', ['ab', '漢字', 'cd', ' ', '123', '4']],
    ['seed-coder', '!\n!', ['!', '\n', '!']],
    ['chameleon', 'a    b', ['a', '    ', 'b']],
    ['youtu', '漢字。ㄅa', ['漢字', '。', 'ㄅ', 'a']],
    ['gemma4', 'a b\n\nc', ['a b', '\n\n', 'c']],
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
    for (const pre of families) expect(words(pre, text).join(''), pre).to.equal(text);
  });

  it('are refused by name', async () => {
    await expectRefusal(() => findPreTokenizer('wombat'), 'unsupported-tokenizer', 'wombat');
    await expectRefusal(() => findPreTokenizer('constructor'), 'unsupported-tokenizer', 'constructor');
    await expectRefusal(() => findPreTokenizer(null), 'unsupported-tokenizer', 'tokenizer.ggml.pre');
  });
});
