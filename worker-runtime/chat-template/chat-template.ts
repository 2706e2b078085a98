import type {Metadata} from '../gguf/metadata.ts';
import type {ChatMessage} from '../protocol.ts';
import type {Tokenizer} from '../tokenizer/tokenizer.ts';
import {checkMessages, checkTools} from './conversation.ts';
import {fallbackTemplate} from './fallback-templates.ts';
import {LiteralMarker, literalMark} from './literal-text.ts';
import {templateKey} from './template-error.ts';
import {TemplateProgram} from './template-program.ts';

export interface RenderOptions {
  readonly tools?: readonly unknown[];
  /** Whether the text ends where the answer begins. Default: yes. */
  readonly addGenerationPrompt?: boolean;
}

/** Makes prompts of conversations. */
export interface ChatTemplate {
  /** The file's template; `null` where it has none and a {@link fallbackTemplate} is used. */
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
 * @throws {GgufError} `gguf-metadata` for one that is no string
 */
export function createChatTemplate(metadata: Metadata, tokenizer: Tokenizer): ChatTemplate {
  const source = metadata.has(templateKey) ? metadata.string(templateKey) : null;
  const marker = new LiteralMarker(tokenizer.controlTexts);
  let program: TemplateProgram | undefined;

  const render = (
    messages: readonly ChatMessage[],
    {tools, addGenerationPrompt = true}: RenderOptions,
    prepare: <T>(value: T) => T,
  ): string => {
    const context = {
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
