import {GgufError} from './errors.ts';
import {checkWholeNumber, refuseUnknownSettings} from './check-settings.ts';
import type {KnownSettings} from './check-settings.ts';
import type {LoadedModel} from './loaded-model.ts';
import type {EmbedParams, GenerateParams, Pooling} from './protocol.ts';

const mostTopLogprobs = 20;

const generateSettings: KnownSettings<GenerateParams> = {
  sequence: true,
  messages: true,
  tools: true,
  templateVariables: true,
  prompt: true,
  tokens: true,
  maxTokens: true,
  stop: true,
  sampling: true,
  topLogprobs: true,
  ignoreEndOfGeneration: true,
};

/** @throws {GgufError} `invalid-setting`, `unsupported-feature`, naming the first bad one */
export function checkGenerateParams(params: GenerateParams): void {
  refuseUnknownSettings('generate', params, generateSettings);
  const {maxTokens, topLogprobs} = params;
  if (maxTokens !== undefined) checkWholeNumber('maxTokens', maxTokens, {least: 1});
  if (topLogprobs !== undefined) {
    checkWholeNumber('topLogprobs', topLogprobs, {least: 0, most: mostTopLogprobs});
  }
}

const embedSettings: KnownSettings<EmbedParams> = {
  texts: true,
  pooling: true,
  normalize: true,
  sliceLength: true,
};

const poolings: KnownSettings<Record<Pooling, true>> = {mean: true, cls: true, last: true, none: true};

/** @throws {GgufError} `invalid-setting`, `unsupported-feature`, `unsuitable-model`, `invalid-prompt`, naming the first bad one */
export function checkEmbedParams(params: EmbedParams, {facts, decoder, cache}: LoadedModel): void {
  refuseUnknownSettings('embed', params, embedSettings);
  const {texts, pooling, normalize, sliceLength} = params;
  if (!Array.isArray(texts))
    throw new GgufError('invalid-prompt', 'texts must be an array', {field: 'texts'});
  if (pooling !== undefined && !Object.hasOwn(poolings, pooling)) {
    throw invalidSetting('pooling', `one of ${Object.keys(poolings).join(', ')}`, pooling);
  }
  if (normalize !== undefined && typeof normalize !== 'boolean') {
    throw invalidSetting('normalize', 'true or false', normalize);
  }
  if (sliceLength !== undefined) {
    checkWholeNumber('sliceLength', sliceLength, {least: 1, most: decoder.plan.sliceLength});
  }
  if ((pooling ?? facts.pooling) === null) {
    throw new GgufError(
      'unsuitable-model',
      'This file names no pooling, so it is no embedding model; with a pooling given, the states of its last layer can be pooled',
      {field: 'pooling'},
    );
  }
  if (!cache.states) return;
  throw new GgufError(
    'unsuitable-model',
    'This model has recurrent layers, whose states the context could not be given back',
    {field: 'general.architecture'},
  );
}

function invalidSetting(name: string, wanted: string, value: unknown): GgufError {
  return new GgufError('invalid-setting', `${name} must be ${wanted}, not ${String(value)}`, {field: name});
}

/**
 * The tokens of text `index` of those to embed.
 *
 * @throws {GgufError} `invalid-prompt`, `prompt-too-long`, naming the text
 */
export function embedTokens(
  text: string | readonly number[],
  index: number,
  {tokenizer, cache}: LoadedModel,
): readonly number[] {
  const field = `texts[${index}]`;
  if (typeof text !== 'string' && !Array.isArray(text)) {
    throw new GgufError('invalid-prompt', `${field} must be a string or an array of token IDs`, {field});
  }
  const tokens =
    typeof text === 'string'
      ? tokenizer.encode(text, {addSpecial: true, parseSpecial: true})
      : checkTokens(text, tokenizer.vocabularySize, field);
  if (tokens.length === 0) throw new GgufError('invalid-prompt', `${field} has no tokens`, {field});
  if (tokens.length <= cache.capacity) return tokens;
  throw new GgufError(
    'prompt-too-long',
    `${field} has ${tokens.length} tokens; the context has ${cache.capacity} positions`,
    {field},
  );
}

type PromptParams = Pick<GenerateParams, 'messages' | 'prompt' | 'tokens' | 'tools' | 'templateVariables'>;

/**
 * The tokens of a prompt, whichever way it was given.
 *
 * @throws {GgufError} `invalid-prompt`, `prompt-too-long`, `chat-template`
 */
export function promptTokens(
  params: PromptParams,
  model: LoadedModel,
  contextLength: number,
): readonly number[] {
  const tokens = tokensOf(params, model);
  if (tokens.length === 0)
    throw new GgufError('invalid-prompt', 'The prompt has no tokens', {field: 'prompt'});
  if (tokens.length <= contextLength) return tokens;
  throw new GgufError(
    'prompt-too-long',
    `The prompt has ${tokens.length} tokens; the context has ${contextLength} positions`,
    {field: 'prompt'},
  );
}

function tokensOf(
  {messages, prompt, tokens, tools, templateVariables}: PromptParams,
  {tokenizer, chatTemplate}: LoadedModel,
): readonly number[] {
  const given = [messages, prompt, tokens].filter((value) => value !== undefined).length;
  if (given !== 1) {
    throw new GgufError(
      'invalid-prompt',
      `Exactly one of messages, prompt and tokens is needed, not ${given}`,
      {
        field: 'prompt',
      },
    );
  }
  if (tokens !== undefined) return checkTokens(tokens, tokenizer.vocabularySize);
  if (messages !== undefined) {
    return chatTemplate.encode(messages, {
      ...(tools && {tools}),
      ...(templateVariables && {variables: templateVariables}),
    });
  }
  if (typeof prompt !== 'string') {
    throw new GgufError('invalid-prompt', 'prompt must be a string', {field: 'prompt'});
  }
  return tokenizer.encode(prompt, {addSpecial: true, parseSpecial: true});
}

/** @throws {GgufError} `invalid-prompt` naming the first value that is no token ID */
export function checkTokens(
  tokens: readonly number[],
  vocabularySize: number,
  field = 'tokens',
): readonly number[] {
  if (!Array.isArray(tokens)) {
    throw new GgufError('invalid-prompt', `${field} must be an array of token IDs`, {field});
  }
  const bad = tokens.findIndex((id) => !(Number.isSafeInteger(id) && id >= 0 && id < vocabularySize));
  if (bad < 0) return tokens;
  throw new GgufError(
    'invalid-prompt',
    `${field}[${bad}] is ${String(tokens[bad])}; token IDs of this model are 0 to ${vocabularySize - 1}`,
    {field: `${field}[${bad}]`},
  );
}
