import {GgufError} from '../errors.ts';
import type {ChatMessage, TemplateVariables} from '../protocol.ts';

/** Beyond these, a conversation is a mistake; the context's length is checked on the tokens. */
const mostMessages = 10_000;
const mostToolCharacters = 4 * 1024 * 1024;

/** Templates write roles between control tokens: they must be words. */
const roleForm = /^[A-Za-z][\w-]{0,63}$/;

/**
 * `messages` as plain data, whatever they were: no getters, no class instances, no cycles.
 *
 * @throws {GgufError} `invalid-prompt` naming the message and what is wrong with it
 */
export function checkMessages(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  if (!Array.isArray(messages) || messages.length === 0) {
    throw invalid('messages', 'must be an array of at least one message');
  }
  if (messages.length > mostMessages) {
    throw invalid('messages', `has ${messages.length} messages; ${mostMessages} are possible`);
  }
  const plain = toPlainData(messages, 'messages') as unknown[];
  return plain.map((message, i) => {
    if (!isRecord(message)) throw invalid(`messages[${i}]`, 'must be an object with role and content');
    const {role, content, reasoning} = message;
    if (typeof role !== 'string' || !roleForm.test(role)) {
      throw invalid(`messages[${i}].role`, 'must be a word, as "user" or "assistant"');
    }
    if (typeof content !== 'string') throw invalid(`messages[${i}].content`, 'must be a string');
    if (reasoning === undefined) return {...message, role, content};
    if (typeof reasoning !== 'string') throw invalid(`messages[${i}].reasoning`, 'must be a string');
    // The name that templates read.
    return {reasoning_content: reasoning, ...message, role, content};
  });
}

/** @throws {GgufError} `invalid-prompt` naming `tools` */
export function checkTools(tools: readonly unknown[]): readonly unknown[] {
  if (!Array.isArray(tools)) throw invalid('tools', 'must be an array');
  const plain = toPlainData(tools, 'tools');
  if (JSON.stringify(plain).length > mostToolCharacters) throw invalid('tools', 'is too long');
  return plain as unknown[];
}

/** What templates are given beside: it cannot be overridden. */
const reserved = ['messages', 'tools', 'add_generation_prompt', 'bos_token', 'eos_token'];

/** @throws {GgufError} `invalid-setting` naming the variable */
export function checkVariables(variables: TemplateVariables): TemplateVariables {
  if (!isRecord(variables)) throw invalidVariable('templateVariables', 'must be an object');
  for (const name of Object.keys(variables)) {
    const field = `templateVariables.${name}`;
    if (!/^[A-Za-z_]\w*$/u.test(name))
      throw invalidVariable(field, 'must have a name as variables have them');
    if (reserved.includes(name)) throw invalidVariable(field, 'is given by the conversation');
  }
  return toPlainData(variables, 'templateVariables') as TemplateVariables;
}

function invalidVariable(field: string, problem: string): GgufError {
  return new GgufError('invalid-setting', `${field} ${problem}`, {field});
}

function toPlainData(value: unknown, field: string): unknown {
  try {
    return JSON.parse(JSON.stringify(value)) as unknown;
  } catch (cause) {
    throw new GgufError('invalid-prompt', `${field} must be data as JSON has them: no cycles, no BigInt`, {
      field,
      cause,
    });
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(field: string, problem: string): GgufError {
  return new GgufError('invalid-prompt', `${field} ${problem}`, {field});
}
