import type {Metadata} from '../gguf/metadata.ts';
import type {ChatMessage, TemplateVariables} from '../protocol.ts';
import type {Tokenizer} from '../tokenizer/tokenizer.ts';
import {checkMessages, checkTools, checkVariables} from './conversation.ts';
import {fallbackTemplate, givenTemplate, storedTemplate} from './fallback-templates.ts';
import {LiteralMarker, literalMark} from './literal-text.ts';
import {templateKey} from './template-error.ts';
import {TemplateProgram} from './template-program.ts';

export interface RenderOptions {
  readonly tools?: readonly unknown[];
  readonly variables?: TemplateVariables;
  /** Whether the text ends where the answer begins. Default: yes. */
  readonly addGenerationPrompt?: boolean;
}

/** Makes prompts of conversations. */
export interface ChatTemplate {
  /** Of the page or the file; `null` where neither has one and a {@link fallbackTemplate} is used. */
  readonly source: string | null;

  /** The prompt's text. @throws {GgufError} `invalid-prompt`, `chat-template` */
  render(messages: readonly ChatMessage[], options?: RenderOptions): string;

  /**
   * The prompt's tokens, with BOS once where the file asks for it. The template's control tokens are such; those that stand
   * in messages and tools are plain text.
   *
   * @throws {GgufError} `invalid-prompt`, `chat-template`
   */
  encode(messages: readonly ChatMessage[], options?: RenderOptions): number[];
}

/**
 * The chat template of a file. It is parsed when it is first needed: a file with a broken one still completes text.
 *
 * @param given by the page, instead: its source, or the name of a built-in one. It is parsed at once
 * @throws {GgufError} `gguf-metadata` for one that is no string; `chat-template` or `invalid-setting` for a bad one of the page
 */
export function createChatTemplate(metadata: Metadata, tokenizer: Tokenizer, given?: string): ChatTemplate {
  const own = given === undefined ? null : givenTemplate(given);
  const source = own ?? (metadata.has(templateKey) ? storedTemplate(metadata.string(templateKey)) : null);
  const marker = new LiteralMarker(tokenizer.controlTexts);
  let program = own === null ? undefined : new TemplateProgram(own);

  const render = (
    messages: readonly ChatMessage[],
    {tools, variables, addGenerationPrompt = true}: RenderOptions,
    prepare: <T>(value: T) => T,
  ): string => {
    const context = {
      ...(variables && prepare(checkVariables(variables))),
      messages: prepare(checkMessages(messages)),
      ...(tools && {tools: prepare(checkTools(tools))}),
      add_generation_prompt: addGenerationPrompt,
      bos_token: specialText(tokenizer, tokenizer.bos),
      eos_token: specialText(tokenizer, tokenizer.eos),
    };
    program ??= new TemplateProgram(source ?? fallbackTemplate(tokenizer));
    return program.render(context);
  };

  return {
    source,
    render: (messages, options = {}) => render(messages, options, (value) => value),
    encode: (messages, options = {}) => {
      const text = render(messages, options, (value) => marker.mark(value));
      const tokens = tokenizer.encode(text, {parseSpecial: true, dropped: literalMark});
      const {bos, addBos} = tokenizer;
      return addBos && bos !== null && tokens[0] !== bos ? [bos, ...tokens] : tokens;
    },
  };
}

function specialText(tokenizer: Tokenizer, id: number | null): string {
  return id === null ? '' : tokenizer.tokenText(id);
}
