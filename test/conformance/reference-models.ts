/** The models whose logits llama.cpp has computed. */
export interface ReferenceModel {
  readonly name: string;
  /** File of the reference, where it is not that of the model's name. */
  readonly golden?: string;
  /** 256 unless said otherwise. */
  readonly contextLength?: number;
  /** The products keep activations in f32. */
  readonly exact: boolean;
  /**
   * Prompts whose greedy continuations part from llama.cpp's: where both quantise activations, another order of sums may
   * turn a close choice.
   */
  readonly parts?: readonly string[];
}

const exact = (name: string): ReferenceModel => ({name, exact: true});
/** llama.cpp looks GELU up in a table of f16; these references come from the formula. */
const exactGelu = (name: string): ReferenceModel => ({name, golden: `${name}.exact-gelu`, exact: true});

/** By architecture. */
export const referenceModels: Readonly<Record<string, readonly ReferenceModel[]>> = {
  'falcon-h1': [exact('falcon-h1')],
  gemma: [exactGelu('gemma')],
  gemma2: [exactGelu('gemma2')],
  gemma3: [exactGelu('gemma3')],
  gemma4: [exactGelu('gemma4')],
  'gpt-oss': [
    exact('gpt-oss'),
    // Quantised activations turn some choices of experts here; the exact comparison is in `exact-logits.test.ts`.
    {name: 'gpt-oss-mxfp4_moe', exact: false, parts: ['short', 'long']},
  ],
  gpt2: [exactGelu('gpt2')],
  granite: [exact('granite')],
  granitehybrid: [exact('granitehybrid')],
  lfm2: [exact('lfm2')],
  llama: [
    exact('mixtral'),
    {name: 'stories260K-f32', exact: true},
    {name: 'stories260K-f16', exact: true},
    {name: 'stories260K-q8_0', exact: false},
    {name: 'llama', exact: true},
    {name: 'llama-rope', exact: true},
    {name: 'llama-yarn', exact: true},
    {name: 'llama-f16', exact: true},
    {name: 'llama-bf16', exact: true},
    {name: 'llama-q8_0', exact: false},
    {name: 'llama-q4_0', exact: false},
    {name: 'llama-q4_1', exact: false, parts: ['short', 'long']},
    {name: 'llama-q5_0', exact: false},
    {name: 'llama-q5_1', exact: false, parts: ['long']},
    {name: 'llama-iq4_nl', exact: false},
    {name: 'llama-mxfp4', exact: false},
    {name: 'llama-nvfp4', exact: false, parts: ['long']},
    {name: 'llama-q1_0', exact: false, parts: ['long']},
    {name: 'llama-q2_0', exact: false},
    {name: 'llama-q2_k', exact: false, parts: ['long']},
    {name: 'llama-q3_k', exact: false, parts: ['long']},
    {name: 'llama-q4_k', exact: false, parts: ['long']},
    {name: 'llama-q5_k', exact: false},
    {name: 'llama-q6_k', exact: false},
    {name: 'llama-tq1_0', exact: false, parts: ['long']},
    {name: 'llama-tq2_0', exact: false, parts: ['long']},
    {name: 'llama-iq1_s', exact: false},
    {name: 'llama-iq1_m', exact: false, parts: ['long']},
    {name: 'llama-iq2_xxs', exact: false, parts: ['long']},
    {name: 'llama-iq2_xs', exact: false},
    {name: 'llama-iq2_s', exact: false},
    {name: 'llama-iq3_xxs', exact: false, parts: ['long']},
    {name: 'llama-iq3_s', exact: false, parts: ['long']},
    {name: 'llama-iq4_xs', exact: false, parts: ['long']},
    {name: 'llama-mix-q4_k_m', exact: false, parts: ['long']},
  ],
  olmo2: [exact('olmo2')],
  olmoe: [exact('olmoe')],
  phi3: [
    {name: 'phi3', golden: 'phi3-ctx256', exact: true},
    {name: 'phi3', contextLength: 512, exact: true},
  ],
  qwen2: [exact('qwen2'), {name: 'qwen2-mix-q4_0', exact: false, parts: ['long']}],
  qwen3: [exact('qwen3'), {name: 'qwen3-mix-q8_0', exact: false}],
  qwen35: [exact('qwen35')],
  qwen3moe: [exact('qwen3moe')],
  smollm3: [exact('smollm3')],
  stablelm: [exact('stablelm')],
  starcoder2: [exactGelu('starcoder2')],
};

/** The models whose embeddings llama.cpp has computed, by architecture. */
export const embeddingModels: Readonly<Record<string, string>> = {
  bert: 'bert',
  'nomic-bert': 'nomic-bert',
  qwen3: 'qwen3-embedding',
};
