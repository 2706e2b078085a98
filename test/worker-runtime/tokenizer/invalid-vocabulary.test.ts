import {expect} from '@open-wc/testing';
import type {ErrorName} from '../../../worker-runtime/errors.ts';
import {expectRefusal} from '../../helpers/refusal.ts';
import {bytePairKeys, sentencePieceKeys, tokenizerOf} from './fixtures.ts';
import type {Changes} from './fixtures.ts';

const spm = (changes: Changes): Changes => sentencePieceKeys(['a'], changes);
const bpe = (changes: Changes): Changes => bytePairKeys('qwen2', ['a b'], changes);

const cases: readonly [string, Changes, ErrorName, string][] = [
  ['no tokenizer', spm({'tokenizer.ggml.model': null}), 'missing-key', 'tokenizer.ggml.model'],
  ['an unknown tokenizer', spm({'tokenizer.ggml.model': 'wombat'}), 'unsupported-tokenizer', 'wombat'],
  ['no pre-tokenizer', bpe({'tokenizer.ggml.pre': null}), 'unsupported-tokenizer', 'tokenizer.ggml.pre'],
  ['an unknown pre-tokenizer', bpe({'tokenizer.ggml.pre': 'wombat'}), 'unsupported-tokenizer', 'wombat'],
  ['no tokens', spm({'tokenizer.ggml.tokens': null}), 'missing-key', 'tokenizer.ggml.tokens'],
  [
    'tokens that are numbers',
    spm({'tokenizer.ggml.tokens': Int32Array.of(1)}),
    'gguf-metadata',
    'tokenizer.ggml.tokens',
  ],
  [
    'an empty vocabulary',
    spm({'tokenizer.ggml.tokens': {type: 'string', value: []}}),
    'tokenizer-invalid',
    'tokenizer.ggml.tokens',
  ],
  ['no scores', spm({'tokenizer.ggml.scores': null}), 'tokenizer-invalid', 'tokenizer.ggml.scores'],
  [
    'too few scores',
    spm({'tokenizer.ggml.scores': Float32Array.of(1)}),
    'tokenizer-invalid',
    'tokenizer.ggml.scores',
  ],
  [
    'a score that is none',
    spm({'tokenizer.ggml.scores': new Float32Array(262).fill(NaN)}),
    'tokenizer-invalid',
    'tokenizer.ggml.scores',
  ],
  [
    'too many types',
    bpe({'tokenizer.ggml.token_type': new Int32Array(1000)}),
    'tokenizer-invalid',
    'tokenizer.ggml.token_type',
  ],
  [
    'BOS outside of the vocabulary',
    bpe({'tokenizer.ggml.bos_token_id': 1_000_000}),
    'tokenizer-invalid',
    'tokenizer.ggml.bos_token_id',
  ],
  [
    'EOS just outside of the vocabulary',
    bpe({'tokenizer.ggml.eos_token_id': 260}),
    'tokenizer-invalid',
    'tokenizer.ggml.eos_token_id',
  ],
  [
    'BOS to be added that is not there',
    bpe({'tokenizer.ggml.bos_token_id': null, 'tokenizer.ggml.add_bos_token': true}),
    'tokenizer-invalid',
    'tokenizer.ggml.add_bos_token',
  ],
  ['no merges', bpe({'tokenizer.ggml.merges': null}), 'tokenizer-invalid', 'tokenizer.ggml.merges'],
  ['a merge of one part', bpe({'tokenizer.ggml.merges': ['ab']}), 'tokenizer-invalid', '"ab" (0)'],
  ['a merge into no token', bpe({'tokenizer.ggml.merges': ['a b', 'b c']}), 'tokenizer-invalid', '"bc"'],
  ['a merge of no token', bpe({'tokenizer.ggml.merges': ['ab c']}), 'tokenizer-invalid', '"abc"'],
];

describe('vocabularies that contradict themselves', () => {
  for (const [name, keys, error, message] of cases) {
    it(`${name}: ${error}`, async () => {
      const {field} = await expectRefusal(() => tokenizerOf(keys), error, message);
      expect(field).to.match(/^tokenizer\.ggml\./);
    });
  }
});
