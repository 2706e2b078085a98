/** The plain forward pass that checks architectures without reference data: where there are some, it gives them too. */
import {expect} from '@open-wc/testing';
import {compareLogits, loadGolden, loadReferenceModel} from '../helpers/logits-golden.ts';
import {referenceLogits} from '../helpers/reference-decoder/index.ts';

interface Model {
  readonly name: string;
  readonly golden?: string;
  /** 256 unless said otherwise. */
  readonly contextLength?: number;
}

/** What f32 errs by in llama.cpp, which is less than 1e-4 in all of them. */
const tolerance = 2e-4;

const models: readonly Model[] = [
  ...[
    'falcon-h1',
    'gpt-oss',
    'granite',
    'granitehybrid',
    'lfm2',
    'llama',
    'llama-rope',
    'llama-yarn',
    'mixtral',
    'olmo2',
    'olmoe',
    'qwen2',
    'qwen3',
    'qwen3moe',
    'qwen35',
    'smollm3',
    'stablelm',
  ].map((name) => ({name})),
  // llama.cpp looks GELU up in a table of f16; these references come from the formula.
  ...['gemma', 'gemma2', 'gemma3', 'gpt2', 'starcoder2'].map((name) => ({
    name,
    golden: `${name}.exact-gelu`,
  })),
  {name: 'phi3', golden: 'phi3-ctx256'},
  {name: 'phi3', contextLength: 512},
];

describe('the plain forward pass against llama.cpp', function () {
  this.timeout(120_000);

  for (const {name, golden = name, contextLength = 256} of models) {
    it(`${name}, context of ${contextLength}`, async () => {
      const {vocab, references} = await loadGolden(golden, true);
      const file = await loadReferenceModel(`${name}.gguf`);
      for (const reference of references) {
        const logits = await referenceLogits(file, reference.tokens, {contextLength});
        const {max} = compareLogits(Float32Array.from(logits.flat()), vocab, reference);
        expect(max, reference.name).to.be.at.most(tolerance);
      }
    });
  }
});
