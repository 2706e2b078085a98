import {GgufError} from './errors.ts';
import {checkWholeNumber, refuseUnknownSettings} from './check-settings.ts';
import type {KnownSettings} from './check-settings.ts';
import type {LoadedModel} from './loaded-model.ts';
import type {GenerateParams} from './protocol.ts';

const mostTopLogprobs = 20;

const generateSettings: KnownSettings<GenerateParams> = {
  sequence: true,
  messages: true,
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

/**
 * The tokens of a prompt, whichever way it was given.
 *
 * @throws {GgufError} `invalid-prompt`, `prompt-too-long`, `chat-template`
 */
export function promptTokens(
  params: Pick<GenerateParams, 'messages' | 'prompt' | 'tokens'>,
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
  {messages, prompt, tokens}: Pick<GenerateParams, 'messages' | 'prompt' | 'tokens'>,
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
  if (messages !== undefined) return chatTemplate.encode(messages);
  if (typeof prompt !== 'string') {
    throw new GgufError('invalid-prompt', 'prompt must be a string', {field: 'prompt'});
  }
  return tokenizer.encode(prompt, {addSpecial: true, parseSpecial: true});
}

/** @throws {GgufError} `invalid-prompt` naming the first value that is no token ID */
export function checkTokens(tokens: readonly number[], vocabularySize: number): readonly number[] {
  if (!Array.isArray(tokens)) {
    throw new GgufError('invalid-prompt', 'tokens must be an array of token IDs', {field: 'tokens'});
  }
  const bad = tokens.findIndex((id) => !(Number.isSafeInteger(id) && id >= 0 && id < vocabularySize));
  if (bad < 0) return tokens;
  throw new GgufError(
    'invalid-prompt',
    `tokens[${bad}] is ${String(tokens[bad])}; token IDs of this model are 0 to ${vocabularySize - 1}`,
    {field: `tokens[${bad}]`},
  );
}
