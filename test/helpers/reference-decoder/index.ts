/**
 * The forward pass of a decoder in plain f64, written from the papers and the published descriptions of each
 * architecture, and slow on purpose: nothing here is shared with the decoder that it checks. Every token is computed with
 * the whole text before it; there is no cache and no batch.
 */
import type {ReferenceOptions} from './attention.ts';
import {feedForward} from './feed-forward.ts';
import {ReferenceFile} from './file.ts';
import {gemma3nStates} from './gemma3n.ts';
import {add, softCap} from './math.ts';
import type {Vector} from './math.ts';
import {mix} from './mixer.ts';
import {norm} from './norms.ts';
import {rwkv7Layers} from './rwkv7.ts';

export type {ReferenceOptions} from './attention.ts';

/**
 * Logits after each token: `(tokens, vocabulary)`.
 *
 * @param bytes a GGUF file whose tensors are all F32
 */
export async function referenceLogits(
  bytes: ArrayBuffer,
  tokens: readonly number[],
  options: ReferenceOptions = {},
): Promise<readonly Vector[]> {
  const file = await ReferenceFile.read(bytes);
  const hidden = finalStates(file, tokens, options);
  const output = file.hasTensor('output.weight') ? 'output' : 'token_embd';
  const outputNorm = file.is('lfm2', 'lfm2moe') ? 'token_embd_norm' : 'output_norm';
  return hidden.map((x) => {
    const logits = file.linear(output, norm(file, outputNorm, x));
    return logits.map((value) => softCap(value * logitScale(file), logitCap(file)));
  });
}

/** What the last layer gives. */
function finalStates(file: ReferenceFile, tokens: readonly number[], options: ReferenceOptions): Vector[] {
  if (file.is('gemma3n')) return gemma3nStates(file, tokens, options);
  const embedded = tokens.map((token, position) => embed(file, token, position));
  if (file.is('rwkv7')) return rwkv7Layers(file, embedded);
  // The last layers of some models predict more tokens at once.
  const layers = file.number('block_count') - file.number('nextn_predict_layers', 0);
  let hidden = embedded;
  for (let layer = 0; layer < layers; layer++) hidden = runLayer(file, layer, hidden, options);
  return hidden;
}

function embed(file: ReferenceFile, token: number, position: number): Vector {
  const length = file.number('embedding_length');
  const factor = embeddingScale(file);
  const scaled = file.row('token_embd.weight', token, length).map((value) => value * factor);
  const placed = file.hasTensor('position_embd.weight')
    ? add(scaled, file.row('position_embd.weight', position, length))
    : scaled;
  return file.is('bloom', 'rwkv7') ? norm(file, 'token_embd_norm', placed) : placed;
}

function runLayer(
  file: ReferenceFile,
  layer: number,
  hidden: readonly Vector[],
  options: ReferenceOptions,
): Vector[] {
  const name = `blk.${layer}`;
  const scale = residualScale(file);
  const normed = hidden.map((x) => (isPostNormed(file) ? x : norm(file, `${name}.attn_norm`, x)));
  const second = `${name}.attn_norm_2`;
  const forAttention = file.hasTensor(`${second}.weight`) ? hidden.map((x) => norm(file, second, x)) : normed;
  const attended = mix(file, layer, forAttention, options);
  return hidden.map((x, position) => {
    if (isParallel(file, name)) {
      const input = file.is('gptneox') ? norm(file, `${name}.ffn_norm`, x) : normed[position]!;
      return add(add(x, attended[position]!, scale), feedForward(file, layer, input), scale);
    }
    const hasOutputNorms = isPostNormed(file) || file.is('gemma2', 'gemma3', 'glm4');
    const finished = (tensor: string, y: Vector): Vector =>
      hasOutputNorms ? norm(file, `${name}.${tensor}`, y) : y;
    const between = add(x, finished('post_attention_norm', attended[position]!), scale);
    if (file.is('mamba', 'mamba2')) return between;
    const before = file.is('seed_oss', 'glm4moe', 'gpt-oss', 'qwen35', 'qwen35moe', 'qwen3next')
      ? 'post_attention_norm'
      : 'ffn_norm';
    const input = isPostNormed(file) ? between : norm(file, `${name}.${before}`, between);
    return add(between, finished('post_ffw_norm', feedForward(file, layer, input)), scale);
  });
}

/** Whether norms stand behind the two blocks only. */
function isPostNormed(file: ReferenceFile): boolean {
  return file.is('olmo2', 'exaone4');
}

/** Whether the two blocks take the same state. */
function isParallel(file: ReferenceFile, name: string): boolean {
  if (file.is('gptneox')) return file.flag('use_parallel_residual');
  if (file.is('stablelm')) return !file.hasTensor(`${name}.ffn_norm.weight`);
  return file.is('falcon', 'phi2', 'command-r', 'cohere2', 'plamo');
}

function embeddingScale(file: ReferenceFile): number {
  if (file.is('gemma', 'gemma2', 'gemma3')) return Math.sqrt(file.number('embedding_length'));
  if (file.is('granite', 'granitemoe', 'granitehybrid')) return file.number('embedding_scale', 0) || 1;
  if (file.is('minicpm3')) return 12;
  return file.is('minicpm') ? file.number('embedding_scale', 12) || 1 : 1;
}

/** Factor of what a block adds. */
function residualScale(file: ReferenceFile): number {
  if (file.is('granite', 'granitemoe', 'granitehybrid')) return file.number('residual_scale', 0) || 1;
  if (file.is('minicpm3')) return 1.4 / Math.sqrt(file.number('block_count'));
  if (!file.is('minicpm')) return 1;
  return file.number('residual_scale', 1.4 / Math.sqrt(file.number('block_count'))) || 1;
}

function logitScale(file: ReferenceFile): number {
  if (file.is('granite', 'granitemoe', 'granitehybrid')) return 1 / file.number('logit_scale');
  if (file.is('minicpm')) return 1 / file.number('logit_scale', 256 / file.number('embedding_length'));
  if (file.is('minicpm3')) return 256 / file.number('embedding_length');
  return file.is('command-r', 'cohere2') ? file.number('logit_scale', 0) || 1 : 1;
}

function logitCap(file: ReferenceFile): number {
  if (file.is('gemma2', 'gemma3n')) return file.number('final_logit_softcapping', 30);
  return file.is('gemma3') ? file.number('final_logit_softcapping', 0) : 0;
}
