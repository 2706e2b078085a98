/**
 * Logits and greedy continuations against exact arithmetic: the dequantised weights, and activations that stay f32. What
 * the quantisation of activations hides in the comparison with llama.cpp as it runs (`logits.test.ts`) shows here.
 */
import {expect} from '@open-wc/testing';
import type {CoreVariant} from '../../worker-runtime/protocol.ts';
import {compareLogits, loadGolden, loadReferenceModel} from '../helpers/logits-golden.ts';
import {PageModel} from '../helpers/page-model.ts';
import {expectRefusal} from '../helpers/refusal.ts';
import {sharedJson} from '../helpers/shared.ts';

const cores: readonly CoreVariant[] = ['relaxed', 'baseline'];

/** Largest difference of a logit. */
const tolerance = 1e-3;

const models: readonly string[] = [
  'gpt-oss-mxfp4_moe',
  'llama-bf16',
  'llama-f16',
  'llama-iq1_m',
  'llama-iq1_s',
  'llama-iq2_s',
  'llama-iq2_xs',
  'llama-iq2_xxs',
  'llama-iq3_s',
  'llama-iq3_xxs',
  'llama-iq4_nl',
  'llama-iq4_xs',
  'llama-mix-q4_k_m',
  'llama-mxfp4',
  'llama-nvfp4',
  'llama-q1_0',
  'llama-q2_0',
  'llama-q2_k',
  'llama-q3_k',
  'llama-q4_0',
  'llama-q4_1',
  'llama-q4_k',
  'llama-q5_0',
  'llama-q5_1',
  'llama-q5_k',
  'llama-q6_k',
  'llama-q8_0',
  'llama-tq1_0',
  'llama-tq2_0',
  'qwen2-mix-q4_0',
  'qwen3-mix-q8_0',
  'stories260K-f16',
  'stories260K-f32',
  'stories260K-q8_0',
];

const load = async (name: string, core?: CoreVariant): Promise<PageModel> =>
  PageModel.load(await loadReferenceModel(`${name}.gguf`), {activations: 'f32', ...(core && {core})});

describe('logits against exact arithmetic', function () {
  this.timeout(120_000);

  it('are compared for every model that has the reference and runs', async () => {
    const references = Object.keys(await sharedJson<object>('goldens/quant-summary.json'));
    expect(references).to.include.members(models);
    for (const name of references.filter((reference) => !models.includes(reference))) {
      await expectRefusal(() => load(name), 'unsupported-architecture');
    }
  });

  for (const name of models) {
    for (const core of cores) {
      it(`${name}, ${core} core`, async () => {
        const model = await load(name, core);
        const {vocab, references} = await loadGolden(name, true);
        for (const reference of references) {
          const {tokens, greedy} = reference;
          const {max} = compareLogits(await model.evaluate(tokens), vocab, reference);
          expect(max, `${reference.name}: largest difference`).to.be.at.most(tolerance);
          expect(await model.continueGreedily(tokens, greedy.length), reference.name).to.deep.equal(greedy);
        }
      });
    }
  }
});
