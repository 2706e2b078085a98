import {GgufError} from '../errors.ts';

export const templateKey = 'tokenizer.chat_template';

/** A template went over one of the limits. */
export class TemplateLimitError extends Error {
  override readonly name = 'TemplateLimitError';
}

/** A template refused the conversation by itself, with `raise_exception`. */
export class TemplateRefusal extends Error {
  override readonly name = 'TemplateRefusal';
}

/** The `chat-template` error for whatever went wrong in `stage`. */
export function templateError(stage: 'parsing' | 'rendering', thrown: unknown): GgufError {
  const reason =
    (thrown instanceof Error ? thrown.message : String(thrown)) || 'a statement stands in a wrong place';
  const short = reason.length > 300 ? `${reason.slice(0, 300)}…` : reason;
  const message =
    thrown instanceof TemplateRefusal
      ? `The chat template (${templateKey}) refuses the messages: ${short}`
      : `The chat template (${templateKey}) failed in ${stage}: ${short}`;
  return new GgufError('chat-template', message, {field: templateKey, cause: thrown});
}
