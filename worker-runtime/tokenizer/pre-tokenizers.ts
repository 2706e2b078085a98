import {GgufError} from '../errors.ts';
import * as patterns from './word-patterns.ts';
import type {WordPatterns} from './word-patterns.ts';

/** How BPE divides text into words, which are then merged one by one. */
export interface PreTokenizer {
  readonly patterns: WordPatterns;
  /** Whether a word that is a token is taken as it is, whatever the merges would make of it. */
  readonly ignoreMerges: boolean;
  /** Whether BOS is added where the file does not say. */
  readonly addBos: boolean;
  /** Whether decoding closes up punctuation; see {@link closeUpPunctuation}. */
  readonly closesUpPunctuation: boolean;
}

type Flag = 'ignoreMerges' | 'addBos' | 'closesUpPunctuation';

const family = (names: string, words: WordPatterns, ...flags: readonly Flag[]): [string, PreTokenizer][] => {
  const preTokenizer = {
    patterns: words,
    ignoreMerges: flags.includes('ignoreMerges'),
    addBos: flags.includes('addBos'),
    closesUpPunctuation: flags.includes('closesUpPunctuation'),
  };
  return names.split(' ').map((name) => [name, preTokenizer]);
};

const closes = 'closesUpPunctuation';

/** By `tokenizer.ggml.pre`: every name that llama.cpp knows. */
const preTokenizers: ReadonlyMap<string, PreTokenizer> = new Map([
  ...family('default', patterns.unnamed, closes),
  ...family(
    'llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano',
    patterns.llama3,
    'ignoreMerges',
    'addBos',
    closes,
  ),
  ...family('dbrx smaug-bpe glm4 chatglm-bpe', patterns.llama3, closes),
  ...family('minicpm5', patterns.minicpm5, 'ignoreMerges', closes),
  ...family('jais-2', patterns.jais2, closes),
  ...family('deepseek-llm', patterns.deepseekLlm),
  ...family('deepseek-coder', patterns.deepseekCoder),
  ...family('deepseek-v3 hunyuan-dense joyai-llm hy_v4', patterns.deepseekV3),
  ...family('spark2_5', patterns.spark),
  ...family('youtu', patterns.youtu, 'ignoreMerges'),
  ...family('falcon', patterns.falcon, closes),
  ...family(
    'gpt-2 phi-2 mpt olmo jais exaone4 jina-es jina-de jina-v2-es jina-v2-de jina-v1-en jina-v2-code roberta-bpe gigachat a.x-4.0 mellum modern-bert',
    patterns.gpt2,
    closes,
  ),
  ...family('trillion granite-docling', patterns.gpt2),
  ...family('starcoder refact codeshell exaone minerva-7b mellum2', patterns.singleDigits, closes),
  ...family('command-r smollm', patterns.singleDigits),
  ...family('stablelm2 megrez', patterns.qwen2, closes),
  ...family('qwen2 deepseek-r1-qwen kormo f2llmv2 hunyuan solar-open grok-2', patterns.qwen2),
  ...family('qwen35', patterns.qwen35),
  ...family('ufakzeka', patterns.withoutContractions),
  ...family('bailingmoe bailingmoe2 llada-moe', patterns.bailing),
  ...family('seed-coder', patterns.seedCoder),
  ...family('laguna', patterns.laguna),
  ...family('exaone-moe', patterns.exaoneMoe, closes),
  ...family('poro-chat', patterns.bloom),
  ...family('bloom gpt3-finnish', patterns.bloom, closes),
  ...family('viking', patterns.viking),
  ...family('tekken', patterns.tekken, 'ignoreMerges', 'addBos'),
  ...family('chameleon', patterns.chameleon, 'addBos'),
  ...family('gpt-4o llama4 kanana2 talkie minimax-m2', patterns.gpt4o),
  ...family('granite-embed-multi-97m', patterns.graniteMultilingual, 'ignoreMerges'),
  ...family('tiny_aya cohere2moe', patterns.tinyAya),
  ...family('kimi-k2', patterns.kimiK2),
  ...family('superbpe', patterns.superBpe),
  ...family('afmoe', patterns.afmoe),
]);

/** Those whose words are not written in bytes, but as they are, with a mark for each space. */
const markedPreTokenizers: ReadonlyMap<string, PreTokenizer> = new Map([
  ...family('gemma4 granite-embed-multi-311m', patterns.wholeLines, closes),
  ...family('sarvam-moe', patterns.wholeLines),
]);

const key = 'tokenizer.ggml.pre';

/** Whether a name is one of those that mark spaces instead of writing bytes. */
export function marksSpaces(name: string): boolean {
  return markedPreTokenizers.has(name);
}

/** @throws {GgufError} `unsupported-tokenizer` */
export function findPreTokenizer(name: string | null): PreTokenizer {
  if (name === null) {
    throw new GgufError('unsupported-tokenizer', `${key} is missing; no pattern fits all files without it`, {
      field: key,
    });
  }
  const found = preTokenizers.get(name) ?? markedPreTokenizers.get(name);
  if (found) return found;
  throw new GgufError('unsupported-tokenizer', `The pre-tokenizer "${name}" (${key}) is not supported`, {
    field: key,
  });
}
