import {expect} from '@open-wc/testing';
import {GgufRuntime} from '../../worker-runtime/client/index.ts';
import type {ErrorName} from '../../worker-runtime/errors.ts';
import {architectures} from '../../worker-runtime/model/architectures/index.ts';
import {tinyEncoders} from '../helpers/gguf/architectures/encoders.ts';
import {tinyModel, tinyRecipes} from '../helpers/gguf/architectures/index.ts';
import type {TinyRecipe} from '../helpers/gguf/architectures/index.ts';
import {f32} from '../helpers/gguf/architectures/recipe.ts';
import {largestDifference} from '../helpers/logits-difference.ts';
import {referenceLogits} from '../helpers/reference-decoder/index.ts';
import {expectRefusal} from '../helpers/refusal.ts';

/**
 * Longer than the windows, than three blocks of 32 positions, and than what the cache of a window of 21 and slices of 64
 * holds.
 */
const tokens = Array.from({length: 110}, (_, index) => (index * 37 + 1) % 300);

/** As in reference-decoder.test.ts, where it is derived: 5e-5 for two layers and logits up to 5. Errors add up over layers. */
const tolerance = (layers: number, largestLogit: number): number => 2.5e-5 * layers * (largestLogit / 5);

/** Against reference data, in test/conformance/. */
const checkedElsewhere = ['gemma4'];

const recipeOf = (name: string): TinyRecipe => {
  const recipe = tinyRecipes[name];
  if (!recipe) throw new Error(`no recipe ${name}`);
  return recipe;
};

describe('architectures', () => {
  let runtime: GgufRuntime;
  before(async () => (runtime = await GgufRuntime.boot()));
  after(() => runtime.terminate());

  it('are all checked: here, encoders in encoders.test.ts, others against reference data', () => {
    const checked = new Set(
      Object.values({...tinyRecipes, ...tinyEncoders}).map(({architecture}) => architecture),
    );
    const others = [...architectures.keys()].filter((name) => !checked.has(name));
    expect(others).to.deep.equal(checkedElsewhere);
  });

  describe('give what their formulas give, with the same bits in any slices', () => {
    for (const [name, recipe] of Object.entries(tinyRecipes)) {
      it(name, async () => {
        const file = tinyModel(recipe);
        const expected = await referenceLogits(file, tokens);
        await runtime.loadModel(file, {kvType: 'f32'});
        const {logits, vocab} = await runtime.evaluate(tokens);
        expect(vocab).to.equal(expected[0]?.length);
        const largest = Math.max(...expected.map((row) => Math.max(...row.map(Math.abs))));
        // Noise of about one, so that a mistake in a formula shows.
        expect(largest).to.be.within(4, 20);
        const {layers = 3} = recipe;
        expect(largestDifference(logits, expected.flat())).to.be.lessThan(tolerance(layers, largest));
        const sliced = await runtime.evaluate(tokens, {sliceLength: 7});
        expect(new Uint32Array(sliced.logits.buffer)).to.deep.equal(new Uint32Array(logits.buffer));
      });
    }
  });

  it('take the factors of LongRoPE from the length of the context that a model is loaded with', async () => {
    const file = tinyModel(recipeOf('llama, LongRoPE'));
    const few = tokens.slice(0, 40);
    for (const contextLength of [64, 65]) {
      const expected = await referenceLogits(file, few, {contextLength});
      await runtime.loadModel(file.slice(0), {kvType: 'f32', contextLength});
      const {logits} = await runtime.evaluate(few);
      expect(largestDifference(logits, expected.flat())).to.be.lessThan(tolerance(3, 10));
    }
  });

  const refusals: readonly (readonly [string, Partial<TinyRecipe>, ErrorName, string])[] = [
    ['gptneox, in turn', {keys: {}}, 'missing-key', 'gptneox.use_parallel_residual'],
    ['granite', {keys: {}}, 'missing-key', 'granite.logit_scale'],
    ['cohere2', {without: ['cohere2.logit_scale']}, 'missing-key', 'cohere2.logit_scale'],
    [
      'cohere2',
      {without: ['cohere2.attention.sliding_window']},
      'missing-key',
      'cohere2.attention.sliding_window',
    ],
    ['apertus', {without: ['xielu.beta']}, 'missing-key', 'xielu.beta'],
    [
      'apertus',
      {sharedKeys: {...recipeOf('apertus').sharedKeys, 'xielu.eps': Float32Array.of(1, 2)}},
      'gguf-metadata',
      'xielu.eps',
    ],
    ['openelm', {keys: {feed_forward_length: [48, 96]}}, 'gguf-metadata', 'openelm.feed_forward_length'],
    ['openelm', {headsKv: [1, 3, 3]}, 'gguf-metadata', 'openelm.attention.head_count_kv'],
    ['baichuan 13B', {layers: 20}, 'unsupported-feature', 'baichuan.block_count'],
    ['falcon 7B', {norm: 'rms'}, 'missing-key', 'falcon.attention.layer_norm_epsilon'],
    ['orion', {without: ['blk.1.ffn_norm.weight']}, 'missing-tensor', 'blk.1.ffn_norm.weight'],
    ['bitnet', {vectors: () => ({})}, 'missing-tensor', 'blk.0.attn_sub_norm.weight'],
    ['bloom', {tensors: {}}, 'missing-tensor', 'token_embd_norm.weight'],
    ['gpt2', {tensors: {}}, 'missing-tensor', 'position_embd.weight'],
    ['command-r+', {without: ['blk.5.attn_k_norm.weight']}, 'missing-tensor', 'blk.5.attn_k_norm.weight'],
    ['stablelm 12B', {queryKeyNorm: 'head'}, 'tensor-shape', 'blk.0.attn_q_norm.weight'],
    ['seed_oss', {norms: ['attn_norm', 'ffn_norm']}, 'missing-tensor', 'blk.0.post_attention_norm.weight'],
    ['glm4, and one layer for more tokens', {network: 'gated'}, 'tensor-shape', 'blk.0.ffn_up.weight'],
    ['internlm2', {queryKeyNorm: 'head'}, 'unsupported-feature', 'blk.0.attn_q_norm.weight'],
    [
      'deepseek',
      {keys: {leading_dense_block_count: 1, expert_shared_count: 2}},
      'missing-key',
      'deepseek.expert_weights_scale',
    ],
    ['qwen3moe', {experts: {count: 2, used: 3, length: 48}}, 'gguf-metadata', 'qwen3moe.expert_used_count'],
    ['olmoe', {without: ['blk.2.ffn_gate_inp.weight']}, 'missing-tensor', 'blk.2.ffn_gate_inp.weight'],
    ['llama, Mixtral', {without: ['llama.expert_used_count']}, 'missing-key', 'llama.expert_used_count'],
    ['gpt-oss', {vectors: () => ({})}, 'missing-tensor', 'blk.0.attn_sinks.weight'],
    ['mamba2', {without: ['mamba2.ssm.group_count']}, 'missing-key', 'mamba2.ssm.group_count'],
    ['mamba', {without: ['blk.1.ssm_a']}, 'missing-tensor', 'blk.1.ssm_a'],
    ['lfm2', {keys: {}}, 'missing-key', 'lfm2.shortconv.l_cache'],
    ['rwkv7', {without: ['rwkv7.wkv.head_size']}, 'missing-key', 'rwkv7.wkv.head_size'],
    [
      'rwkv7',
      {keys: {...recipeOf('rwkv7').keys, 'wkv.head_size': 24}},
      'gguf-metadata',
      'rwkv7.wkv.head_size',
    ],
    [
      'rwkv7',
      {keys: {...recipeOf('rwkv7').keys, 'wkv.head_size': 8}},
      'unsupported-feature',
      'rwkv7.wkv.head_size',
    ],
    [
      'rwkv7',
      {keys: {...recipeOf('rwkv7').keys, token_shift_count: 1}},
      'unsupported-feature',
      'rwkv7.token_shift_count',
    ],
    ['rwkv7', {without: ['blk.1.time_mix_v0.weight']}, 'missing-tensor', 'blk.1.time_mix_v0.weight'],
    ['gemma3n', {without: ['blk.3.laurel_r.weight']}, 'missing-tensor', 'blk.3.laurel_r.weight'],
    ['gemma3n', {without: ['altup_unembd_proj.weight']}, 'missing-tensor', 'altup_unembd_proj.weight'],
    [
      'gemma3n',
      {keys: {...recipeOf('gemma3n').keys, 'attention.shared_kv_layers': f32(2.5)}},
      'gguf-metadata',
      'gemma3n.attention.shared_kv_layers',
    ],
    [
      'gemma3n',
      {keys: {...recipeOf('gemma3n').keys, activation_sparsity_scale: Float32Array.of(1, 2)}},
      'gguf-metadata',
      'gemma3n.activation_sparsity_scale',
    ],
    [
      'gemma3n',
      {keys: {...recipeOf('gemma3n').keys, 'altup.active_idx': 1}},
      'unsupported-feature',
      'gemma3n.altup.active_idx',
    ],
    ['plamo', {norms: ['attn_norm', 'ffn_norm']}, 'unsupported-feature', 'blk.0.ffn_norm.weight'],
  ];

  describe('refuse a file that is not theirs', () => {
    for (const [name, change, error, field] of refusals) {
      it(`${name}: ${error} ${field}`, async () => {
        const file = tinyModel({...recipeOf(name), ...change});
        const refusal = await expectRefusal(() => runtime.loadModel(file), error);
        expect(refusal.field).to.equal(field);
      });
    }
  });
});
