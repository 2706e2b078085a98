import {GgufError} from '../errors.ts';
import type {Tokenizer} from '../tokenizer/tokenizer.ts';

/** ChatML, which most models without a template that have its tokens were trained on. */
const chatMl = `{% for message in messages %}
{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endfor %}
{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`;

/** A transcript in words, for models that know nothing but text. */
const transcript = `{% for message in messages %}
{{ ('' if message.role == 'system' else message.role | capitalize + ': ') + message.content + '\\n\\n' }}
{%- endfor %}
{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}`;

/** What the World models of RWKV were trained on: no token marks a turn, an empty line ends it. */
const rwkvWorld = `{% for message in messages %}
{{ (message.role | capitalize) + ': ' + (message.content | trim) + '\\n\\n' }}
{%- endfor %}
{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}`;

/** The template that a file means by a name in place of one; any other is a template. */
export function storedTemplate(stored: string): string {
  return stored === 'rwkv-world' ? rwkvWorld : stored;
}

/** @throws {GgufError} `invalid-setting` */
export function givenTemplate(given: unknown): string {
  if (given === 'chatml') return chatMl;
  // A name that is not known would be a template that says nothing of the conversation.
  if (typeof given === 'string' && /\{[{%]/u.test(given)) return given;
  throw new GgufError('invalid-setting', 'chatTemplate must be a template in Jinja, or "chatml"', {
    field: 'chatTemplate',
  });
}

/** The template for a file that has none. */
export function fallbackTemplate({controlTexts}: Tokenizer): string {
  return controlTexts.includes('<|im_start|>') ? chatMl : transcript;
}
